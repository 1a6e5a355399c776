//! Devices' codes as labels on a page, which a browser prints.

use askama::Template;
use axum::response::Response;

use crate::server::web::code::Code;
use crate::server::web::fault::Fault;
use crate::server::web::frame::Frame;
use crate::server::web::html;
use crate::server::web::open_codes;
use crate::server::web::unshown::Unshown;
use crate::server::web::visit::Visit;

/// The page.
#[derive(Template)]
#[template(path = "labels.html")]
struct Page<'f> {
    frame: &'f Frame,
    labels: Vec<Label>,
    /// That no scanner reaches the address in the codes.
    out_of_reach: Option<String>,
}

struct Label {
    number: u64,
    name: String,
    gate: Option<String>,
    code: Code,
}

/// `GET /devices/labels`.
pub(in crate::server::web) async fn print(visit: Visit) -> Result<Response, Fault> {
    let server = visit.server_url()?;
    let labels = open_codes::find(&visit).await?.into_iter().map(|open| {
        Ok(Label {
            code: Code::new(&server, &open.token, &visit.state.keys).map_err(Unshown::from)?,
            number: open.number,
            name: open.name,
            gate: open.gate,
        })
    });
    let page = Page {
        frame: &visit.frame,
        out_of_reach: visit.out_of_reach(&server),
        labels: labels.collect::<Result<_, Fault>>()?,
    };
    Ok(html::with_secret(&page)?)
}
