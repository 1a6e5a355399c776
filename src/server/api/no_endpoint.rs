//! Answers to paths that are no endpoint: pages for people, as the reference gives them.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::{Method, StatusCode};

use super::authentication;
use super::problem::Problem;
use super::reply::Reply;
use super::request::Request;
use super::state::Api;

/// What all that belongs to an organizer is below of.
const ORGANIZERS: &str = "/api/v1/organizers/";

/// 404 for a path that there is not; but an app notices by its next call, whatever it asks for, that its
/// key is not good any more.
pub(super) async fn none(State(api): State<Arc<Api>>, request: hyper::Request<Body>) -> Response {
    let request = match Request::read(request, Vec::new()).await {
        Ok(request) => request,
        Err(problem) => return Reply::refusal(problem).into_response(),
    };
    match check_key_first(&api, &request).await {
        Ok(()) => page(StatusCode::NOT_FOUND, "Not found", Vec::new()),
        Err(problem) => {
            let mut reply = Reply::refusal(problem);
            if reply.status == StatusCode::UNAUTHORIZED {
                let challenge = ("www-authenticate".into(), "Token".into());
                reply.headers.push(challenge);
            }
            reply.into_response()
        }
    }
}

/// Refuses a key that is not good before it is said that there is nothing at the path, where a key is of
/// any use.
pub(super) async fn check_key_first(api: &Api, request: &Request) -> Result<(), Problem> {
    match request.path().starts_with(ORGANIZERS) {
        true => authentication::refuse_bad_key(api, request).await,
        false => Ok(()),
    }
}

/// The answer to a path that lacks its slash at the end. Those who only ask are sent to the right
/// path; whoever sends something would lose its body on the way.
pub(super) async fn append_slash(
    State(api): State<Arc<Api>>,
    request: hyper::Request<Body>,
) -> Response {
    let sends = matches!(
        *request.method(),
        Method::POST | Method::PUT | Method::PATCH
    );
    if sends || request.uri().path().contains("//") {
        return none(State(api), request).await;
    }
    let uri = request.uri();
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
