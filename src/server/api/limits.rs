//! Bounds every request in time and size, and logs it.

use std::error::Error;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::Request;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

use super::endpoint::Reply;
use super::problem::Problem;

/// Largest body, in bytes.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);
/// How long it may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LENGTH: usize = 128;

/// Reads the body within its limits, so that all that follows has it in memory.
pub(super) async fn bounded(request: Request<Body>, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_LIMIT).collect()).await;
    let problem = match body {
        Ok(Ok(body)) => {
            let request = Request::from_parts(parts, Body::from(body.to_bytes()));
            match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
                Ok(response) => return response,
                Err(_) => Problem::Unavailable,
            }
        }
        Ok(Err(error)) if is_length_limit(&*error) => Problem::TooLarge,
        Ok(Err(_)) => Problem::Unreadable("The request body is broken.".to_owned()),
        Err(_) => Problem::Slow,
    };
    Reply::refusal(problem).into_response()
}

fn is_length_limit(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.any(|error| error.is::<LengthLimitError>())
}

/// Logs what was asked and how it went, and answers with the request's id. Query strings, headers
/// and bodies stay out of the log: they hold keys and tokens.
pub(super) async fn logged(request: Request<Body>, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    // What is logged on the way has the id too.
    let span = tracing::info_span!("request", id);
    let mut response = next.run(request).instrument(span.clone()).await;
    tracing::info!(
        parent: &span,
        %method,
        path,
        status = response.status().as_u16(),
        milliseconds = begun.elapsed().as_millis(),
        "answered"
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The caller's own id, if it is one, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_id = |id: &&str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=REQUEST_ID_LENGTH).contains(&id.len()) && id.bytes().all(is_plain)
    };
    let sent = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    match sent.filter(is_id) {
        Some(id) => id.to_owned(),
        // It only tells requests apart: without randomness they are all called the same.
        None => format!("{:016x}", getrandom::u64().unwrap_or_default()),
    }
}
