//! Answers to paths that are no endpoint: pages for people, as the reference gives them.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::{Method, StatusCode, Uri};

use super::reply::Reply;
use super::state::Api;

/// 404 for a path that there is not.
pub(super) fn not_found() -> Response {
    page(StatusCode::NOT_FOUND, "Not found", Vec::new())
}

/// The answer to a path that lacks its slash at the end. Those who only ask are sent to the right
/// path; whoever sends something would lose its body on the way.
pub(super) async fn append_slash(
    State(api): State<Arc<Api>>,
    method: Method,
    uri: Uri,
) -> Response {
    if matches!(method, Method::POST | Method::PUT | Method::PATCH) {
        return not_found();
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let (prefix, path) = (api.prefix(), uri.path());
    let location = format!("{prefix}{path}/{}", query.unwrap_or_default());
    page(
        StatusCode::MOVED_PERMANENTLY,
        "Moved permanently",
        vec![("location".into(), location.into())],
    )
}

fn page(
    status: StatusCode,
    title: &str,
    mut headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
) -> Response {
    headers.push(("content-type".into(), "text/html; charset=utf-8".into()));
    Reply {
        status: status.as_u16(),
        headers,
        body: format!("<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n"),
        is_withheld: false,
    }
    .into_response()
}
