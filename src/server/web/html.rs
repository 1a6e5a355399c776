//! Answers in HTML, and what a browser is told of all of them.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{self, HeaderName, HeaderValue};

/// What a page may load and do: what comes from this server, and nothing that stands in the page itself. Pictures may
/// also be data, as codes are.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Why there is no answer in HTML.
#[derive(Debug, thiserror::Error)]
pub(super) enum HtmlError {
    /// The template was not filled.
    #[error("a template can't be filled")]
    Template(#[from] askama::Error),
    /// It leads to what no header can hold.
    #[error("an address can't be sent")]
    Location(#[from] hyper::header::InvalidHeaderValue),
}

/// What a form is answered with that is not done for what it holds: the same as by the API. What is only not as it was
/// known is a conflict.
pub(super) const REFUSED: StatusCode = StatusCode::BAD_REQUEST;

/// Marks an answer that may be compressed.
///
/// Whoever watches how long answers are, and can have a browser ask with words of theirs in the address, would learn by
/// that what else is on the page. So no page with a device's token is compressed, and what shows that a form is ours
/// differs from page to page (`csrf.rs`).
#[derive(Clone, Copy)]
pub(super) struct Compressible;

/// A page, or a part of one.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Result<Response, HtmlError> {
    let mut response = with_secret(template)?;
    *response.status_mut() = status;
    response.extensions_mut().insert(Compressible);
    Ok(response)
}

/// A page with what others are not to learn, not even from how long it is.
pub(super) fn with_secret(template: &impl Template) -> Result<Response, HtmlError> {
    let mut response = Response::new(Body::from(template.render()?));
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    protect(&mut response);
    Ok(response)
}

pub(super) fn ok(template: &impl Template) -> Result<Response, HtmlError> {
    page(StatusCode::OK, template)
}

/// Sends the browser on by GET, to a path as it asks for it.
pub(super) fn see_other(path: &str) -> Result<Response, HtmlError> {
    let location = HeaderValue::from_str(path)?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, location);
    protect(&mut response);
    Ok(response)
}

/// What holds for each answer that is no asset: nobody keeps it, frames it, or is told where it was.
pub(super) fn protect(response: &mut Response) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Without any a browser would not tell ourselves where a form was sent from.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (header::VARY, "cookie, accept-language, hx-request"),
    ] {
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
    }
}
