//! Repeats the answer to a request that was done before under the same idempotency key.
//!
//! A change and its answer are committed together, so that a retry finds either both or neither,
//! even when the server was killed. That a request is running is known in memory only: the mark ends
//! with the request, at the latest when its time is up, or with the process, and so never lasts. Of
//! two processes that do the same request at once, the database lets one change happen; the other is
//! told to ask again, and then gets the kept answer.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode};

use super::authentication::may_have_again;
use super::kept_answer::{Fingerprint, Idempotent, find, scope};
use super::problem::Problem;
use super::reply::Reply;
use super::request::is_safe;
use super::state::Api;
use crate::server::reception::Client;
use crate::server::store::Decision;
use crate::wire::IDEMPOTENCY_HEADER;

/// Longest refusal that is kept, in bytes.
const REFUSAL_LIMIT: usize = 16 * 1024;

/// Repeats a kept answer, or lets the request be done and keeps its answer.
pub(super) async fn repeat_or_keep<F>(
    api: &Api,
    request: Request<Body>,
    next: impl FnOnce(Request<Body>) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let Some(name) = idempotency_key(request.method(), request.headers()) else {
        return next(request).await;
    };
    match may_have_again(api, request.headers()).await {
        Ok(true) => {}
        // It is refused, and as long as that lasts.
        Ok(false) => return next(request).await,
        Err(problem) => return Reply::refusal(problem).into_response(),
    }
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return Reply::refusal(Problem::Internal(error.into())).into_response(),
    };
    let decision = parts.extensions.get::<Decision>().cloned();
    let client = parts.extensions.get::<Client>();
    let address = client.map_or_else(Vec::new, Client::group);
    let (id, key) = scope(api, parts.uri.path(), &parts.headers, &name, &body).await;
    let Some(_mark) = api.running.begin(id) else {
        return Reply::refusal(Problem::Concurrent).into_response();
    };
    let fingerprint = Fingerprint::of(&parts, &body);
    match find(api, &id, &key).await {
        Ok(Some(told)) => {
            api.kept_counts.repeated.one();
            let reply = told.to(fingerprint.as_ref());
            return reply.unwrap_or_else(Reply::refusal).into_response();
        }
        Ok(None) => {}
        Err(problem) => return Reply::refusal(problem).into_response(),
    }
    let idempotent = Arc::new(Idempotent::new(id, key, address, fingerprint));
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(Arc::clone(&idempotent));
    let response = next(request).await;
    keep(api, &idempotent, &decision.unwrap_or_default(), response).await
}

fn idempotency_key(method: &Method, headers: &HeaderMap) -> Option<Vec<u8>> {
    let key = headers.get(IDEMPOTENCY_HEADER)?.as_bytes();
    (!is_safe(method) && !key.is_empty()).then(|| key.to_vec())
}

/// Keeps the answer, unless that was done together with the change or another try may do better.
async fn keep(
    api: &Api,
    idempotent: &Idempotent,
    decision: &Decision,
    response: Response,
) -> Response {
    let may_do_better = matches!(
        response.status(),
        StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::SERVICE_UNAVAILABLE
    );
    if idempotent.is_kept() {
        api.kept_counts.kept.one();
        return response;
    }
    if may_do_better {
        return response;
    }
    let (parts, body) = response.into_parts();
    let body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return Reply::refusal(Problem::Internal(error.into())).into_response(),
    };
    // A refusal is as long as what it quotes, and is kept for anyone.
    let quoted = parts.headers.get(header::LOCATION).map_or(0, |to| to.len());
    if !parts.status.is_success() && body.len() + quoted > REFUSAL_LIMIT {
        return Response::from_parts(parts, body.into());
    }
    let headers = parts.headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned().into(), value.to_owned().into()))
    });
    let reply = Reply {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
        is_withheld: false,
    };
    let kept = match idempotent.kept(&reply) {
        Ok(answer) => {
            let kept = api.store.keep_answer(&idempotent.id, answer, decision);
            kept.await
        }
        Err(error) => Err(error.into()),
    };
    match kept {
        Ok(()) => {
            api.kept_counts.kept.one();
            Response::from_parts(parts, body.into())
        }
        Err(error) => Reply::refusal(error.into()).into_response(),
    }
}
