//! The printable sheet of devices' codes, as a PDF: the one that the command makes.

use axum::body::Body;
use axum::response::Response;
use hyper::header::{self, HeaderValue};

use crate::enrolment::Enrolment;
use crate::enrolment::draw::QrCode;
use crate::server::web::fault::Fault;
use crate::server::web::html;
use crate::server::web::open_codes;
use crate::server::web::visit::Visit;
use crate::sheet::{Label, Paper, Sheet};

/// `GET /devices/sheet`.
pub(in crate::server::web) async fn download(visit: Visit) -> Result<Response, Fault> {
    let paper = visit.query("paper").unwrap_or_else(|| "a4".to_owned());
    let paper: Paper = paper.parse().map_err(|_| Fault::NotFound)?;
    let server = visit.server_url()?;
    let organizer = visit.who()?.session.organizer_name.clone();
    let labels = open_codes::find(&visit).await?.into_iter().map(|open| {
        let enrolment = Enrolment::new(server.clone(), open.token)?;
        Ok(Label {
            code: QrCode::new(&enrolment)?,
            number: open.number,
            name: open.name,
            gate: open.gate,
            organizer: organizer.clone(),
        })
    });
    let labels: Result<Vec<Label>, Box<dyn std::error::Error + Send + Sync>> = labels.collect();
    let labels = labels.map_err(Fault::Internal)?;
    // A thousand labels take a second.
    let drawn = tokio::task::spawn_blocking(move || Sheet::new(paper).draw(&labels));
    let drawn = drawn
        .await
        .map_err(|error| Fault::Internal(error.into()))?
        .map_err(|error| Fault::Internal(error.into()))?;
    if !drawn.unwritable.is_empty() {
        tracing::warn!(
            texts = ?drawn.unwritable,
            "no font on this machine has all characters of some names on a sheet"
        );
    }
    let mut response = Response::new(Body::from(drawn.pdf));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/pdf"),
    );
    let as_file = HeaderValue::from_static("attachment; filename=\"codes.pdf\"");
    headers.insert(header::CONTENT_DISPOSITION, as_file);
    html::protect(&mut response);
    Ok(response)
}
