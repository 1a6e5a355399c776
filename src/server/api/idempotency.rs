//! Repeats the answer to a request that was done before under the same idempotency key.
//!
//! A change and its answer are committed together, so that a retry finds either both or neither,
//! even when the server was killed. That a request is running is known in memory only: the mark ends
//! with the request, at the latest when its time is up, or with the process, and so never lasts. Of
//! two processes that do the same request at once, the database lets one change happen; the other is
//! told to ask again, and then gets the kept answer.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body as StreamedBody, Bytes};
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request, StatusCode};
use jiff::Timestamp;

use super::authentication::{authorization, has_credentials};
use super::body::Body;
use super::endpoint::{Answer, Endpoint, Reply, is_safe};
use super::problem::Problem;
use super::request::Request as ReadRequest;
use super::{Api, Peer, python};
use crate::seal::{SealError, SealingKey};
use crate::server::installation_keys::{KeptId, RetryScope};
use crate::server::store::{Decision, KeptAnswer, oldest_kept};
use crate::wire::{self, IDEMPOTENCY_HEADER};

/// Longest refusal that is kept, in bytes.
const REFUSAL_LIMIT: usize = 16 * 1024;
/// What an answer is sealed for.
const PURPOSE: &str = "kept answer";

/// A request that came with an idempotency key.
pub(super) struct Idempotent {
    pub(super) id: KeptId,
    key: SealingKey,
    address: Vec<u8>,
    is_kept: AtomicBool,
}

impl Idempotent {
    /// The answer as it is kept.
    pub(super) fn kept(&self, reply: &Reply) -> Result<KeptAnswer, SealError> {
        let plain = serde_json::to_vec(reply).unwrap_or_default();
        Ok(KeptAnswer {
            sealed: self.key.seal(PURPOSE, &plain)?,
            refused_to: (reply.status >= 300).then(|| self.address.clone()),
        })
    }

    pub(super) fn set_kept(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }
}

/// The requests with an idempotency key that are being done now.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<KeptId>>>);

/// Marks a request as running until it is dropped.
struct Mark {
    running: Running,
    id: KeptId,
}

impl Running {
    fn begin(&self, id: KeptId) -> Option<Mark> {
        let begun = self.lock().insert(id);
        begun.then(|| Mark {
            running: self.clone(),
            id,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<KeptId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}

/// Repeats a kept answer, or lets the request be done and keeps its answer.
pub(super) async fn repeat_or_keep(
    State(api): State<Arc<Api>>,
    request: Request<StreamedBody>,
    next: Next,
) -> Response {
    let Some(name) = idempotency_key(request.method(), request.headers()) else {
        return next.run(request).await;
    };
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => return Reply::refusal(Problem::Internal(error.into())).into_response(),
    };
    let decision = parts.extensions.get::<Decision>().cloned();
    let address = address_group(parts.extensions.get());
    let (id, key) = scope(&api, parts.uri.path(), &parts.headers, &name, &body).await;
    let Some(_mark) = api.running.begin(id) else {
        return Reply::refusal(Problem::Concurrent).into_response();
    };
    match find(&api, &id, &key).await {
        Ok(Some(reply)) => return reply.into_response(),
        Ok(None) => {}
        Err(problem) => return Reply::refusal(problem).into_response(),
    }
    let idempotent = Arc::new(Idempotent {
        id,
        key,
        address,
        is_kept: AtomicBool::new(false),
    });
    let mut request = Request::from_parts(parts, StreamedBody::from(body));
    request.extensions_mut().insert(Arc::clone(&idempotent));
    let response = next.run(request).await;
    keep(&api, &idempotent, &decision.unwrap_or_default(), response).await
}

fn idempotency_key(method: &Method, headers: &HeaderMap) -> Option<Vec<u8>> {
    let key = headers.get(IDEMPOTENCY_HEADER)?.as_bytes();
    (!is_safe(method) && !key.is_empty()).then(|| key.to_vec())
}

/// Who may have an answer again: whoever sends the same `Authorization` header. Where that names
/// nobody, and on `initialize`, which does not look at it, callers are told apart by the
/// initialization token they send.
async fn scope(
    api: &Api,
    path: &str,
    headers: &HeaderMap,
    key: &[u8],
    body: &Bytes,
) -> (KeptId, SealingKey) {
    let mut token = String::new();
    if !has_credentials(headers) || path.ends_with(wire::path::INITIALIZE) {
        let content_type = headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        if let Ok(body) = Body::read(content_type.unwrap_or_default(), body).await {
            let sent = body.text("token").unwrap_or_default();
            token = python::strip(&sent).to_owned();
        }
    }
    api.keys.kept_answer(&RetryScope {
        authorization: &authorization(headers),
        token: token.as_bytes(),
        key,
    })
}

async fn find(api: &Api, id: &KeptId, key: &SealingKey) -> Result<Option<Reply>, Problem> {
    let since = oldest_kept(Timestamp::now());
    let Some(sealed) = api.store.kept_answer(id, since).await? else {
        return Ok(None);
    };
    // What it answers was done, perhaps.
    let plain = key.unseal(PURPOSE, &sealed);
    let plain = plain.map_err(|error| Problem::Internal(error.into()))?;
    Ok(Some(serde_json::from_slice(&plain)?))
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
    if may_do_better || idempotent.is_kept.load(Ordering::Relaxed) {
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
        Ok(()) => Response::from_parts(parts, body.into()),
        Err(error) => Reply::refusal(error.into()).into_response(),
    }
}

/// Who sends many refused requests: an IPv4 address, or the network that an IPv6 address is in.
fn address_group(peer: Option<&Peer>) -> Vec<u8> {
    match peer.map(|Peer(address)| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        Some(IpAddr::V6(address)) => address.octets().into_iter().take(8).collect(),
        None => Vec::new(),
    }
}

/// `GET /api/v1/idempotency_query?key=…`
pub(super) static QUERY: Endpoint = Endpoint {
    name: "Idempotency Query",
    allow: "GET, HEAD, OPTIONS",
    challenge: None,
};

/// Repeats the answer that is kept under a key. Whoever sends the same `Authorization` header as
/// then may have it, even if its key is dead by now.
pub(super) async fn query(api: Arc<Api>, request: ReadRequest) -> Result<Answer, Problem> {
    super::authentication::refuse_by_profile(&api, &request).await?;
    match request.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(QUERY.describe(&[])),
        _ => return Err(Problem::Method(request.method.clone())),
    }
    let key = request.query("key").filter(|key| !key.is_empty());
    let Some(name) = key else {
        return Err(Problem::NotFound("No idempotency key given."));
    };
    const UNSEEN: Problem = Problem::NotFound("Idempotency key not seen before.");
    if !has_credentials(request.headers()) {
        return Err(UNSEEN);
    }
    let (id, key) = scope(
        &api,
        request.path(),
        request.headers(),
        name.as_bytes(),
        &Bytes::new(),
    )
    .await;
    if api.running.lock().contains(&id) {
        return Err(Problem::Concurrent);
    }
    match find(&api, &id, &key).await? {
        Some(reply) => Answer::repeated(&reply),
        None => Err(UNSEEN),
    }
}
