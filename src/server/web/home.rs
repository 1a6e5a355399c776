//! The page's root, and the choice of a language.

use axum::response::Response;
use hyper::header;

use super::fault::Fault;
use super::html;
use super::language::{COOKIE, Language};
use super::local_path::LocalPath;
use super::visit::Visit;

/// `GET /`.
pub(super) async fn show(visit: Visit) -> Result<Response, Fault> {
    Ok(html::see_other(&visit.frame.to("/devices"))?)
}

/// `POST /language`: keeps what its reader chose, and goes back.
pub(super) async fn choose_language(visit: Visit) -> Result<Response, Fault> {
    let language = Language::named(&visit.sent("language")).ok_or(Fault::Unreadable)?;
    let next = LocalPath::read(&visit.sent("next"));
    let next = next.as_ref().map_or("/", LocalPath::as_str);
    let mut response = html::see_other(&visit.frame.to(next))?;
    if let Some(cookie) = visit.cookies.choice(COOKIE, language.code()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
