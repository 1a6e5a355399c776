//! Bounds every request in time and size, and logs it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;

use super::problem::Problem;
use super::receiving::{Received, receive};
use super::reply::{Reply, Withheld};
use super::state::Api;
use crate::mask;
use crate::server::store::Decision;
use crate::serving::Standing;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LENGTH: usize = 128;

/// Reads the body within its limits, so that all that follows has it in memory, and answers in time:
/// what is not done by then is given up, and only what is being committed is waited for.
pub(super) async fn bounded(
    State(api): State<Arc<Api>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let standing = parts.extensions.get::<Standing>();
    let received = receive(&api, &parts.headers, standing, body);
    let problem = match tokio::time::timeout(BODY_TIME, received).await {
        Ok(Ok(Received {
            bytes,
            share: _share,
        })) => {
            if let Some(standing) = standing {
                standing.set_received();
            }
            let caller = Caller::default();
            let mut request = Request::from_parts(parts, Body::from(bytes));
            request.extensions_mut().insert(caller.0.clone());
            // A task of its own, since a read of the database may hold it up.
            let mut answer = JoinSet::new();
            answer.spawn(next.run(request).in_current_span());
            match tokio::time::timeout(api.answer_time, answer.join_next()).await {
                Ok(ended) => return answered(ended),
                // The task ends with its set.
                Err(_) if caller.0.give_up() => Problem::Late,
                Err(_) => return answered(answer.join_next().await),
            }
        }
        Ok(Err(problem)) => problem,
        Err(_) => Problem::Slow,
    };
    Reply::refusal(problem).into_response()
}

/// The answer of the task; a panic is a fault of ours.
fn answered(ended: Option<Result<Response, JoinError>>) -> Response {
    match ended {
        Some(Ok(response)) => response,
        Some(Err(error)) => Reply::refusal(Problem::Internal(error.into())).into_response(),
        // It was spawned just before.
        None => Reply::refusal(Problem::Late).into_response(),
    }
}

/// The caller's part in a decision. One that has gone need not have done what it asked for: without an
/// idempotency key it would never hear of it, and with one it asks again, and then it is done.
#[derive(Default)]
struct Caller(Decision);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

/// Logs what was asked and how it went, and answers with the request's id. Query strings, headers
/// and bodies stay out of the log: they hold keys and tokens, and so may a path that is wrong.
pub(super) async fn logged(
    State(api): State<Arc<Api>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let client = api.callers.client(&request);
    request.extensions_mut().insert(client);
    // As long a word as a token is none.
    let method = mask::path(request.method().as_str());
    let path = mask::path(request.uri().path());
    // What is logged on the way has the id too.
    let span = tracing::info_span!("request", id);
    let client = client.address.map(tracing::field::display);
    let mut response = next.run(request).instrument(span.clone()).await;
    let milliseconds = begun.elapsed().as_millis();
    let status = response.status().as_u16();
    match response.extensions().get::<Withheld>() {
        None => {
            tracing::info!(parent: &span, client, %method, path, status, milliseconds, "answered");
        }
        Some(_) => {
            tracing::error!(parent: &span, client, %method, path, milliseconds, "closed without an answer");
        }
    }
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

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use axum::{Router, body};
    use hyper::StatusCode;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    use super::*;
    use crate::server::store;

    const ANSWER_TIME: Duration = Duration::from_secs(30);

    /// The answer to a request whose change is taken after this long and done after twice that.
    async fn answer(taken_after: Duration) -> (StatusCode, Decision) {
        let folder = tempfile::tempdir().unwrap();
        let installation = store::open(&folder.path().join("server.db").into(), None).unwrap();
        let version = crate::server::reference_version();
        let api = Arc::new(Api::new(&installation, None, version, ANSWER_TIME));
        let seen = Decision::default();
        let change = {
            let seen = seen.clone();
            async move |Extension(decision): Extension<Decision>| {
                tokio::time::sleep(taken_after).await;
                assert!(decision.take());
                tokio::time::sleep(taken_after).await;
                seen.take();
                "done"
            }
        };
        let router = Router::new()
            .route("/", post(change))
            .layer(from_fn_with_state(api, bounded));
        let request = Request::post("/").body(Body::empty()).unwrap();
        let Ok(response) = TowerToHyperService::new(router).call(request).await;
        let status = response.status();
        body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        (status, seen)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_taken_in_time_is_waited_for_and_the_rest_is_given_up() {
        let (status, done) = answer(ANSWER_TIME / 3).await;
        assert_eq!((status, done.is_taken()), (StatusCode::OK, true));
        let (status, done) = answer(ANSWER_TIME * 2 / 3).await;
        assert_eq!((status, done.is_taken()), (StatusCode::OK, true));
        let (status, done) = answer(ANSWER_TIME * 2).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(!done.is_taken());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_holds_its_thread_up_is_refused_in_time_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let installation = store::open(&folder.path().join("server.db").into(), None).unwrap();
        let version = crate::server::reference_version();
        let soon = Duration::from_millis(50);
        let api = Arc::new(Api::new(&installation, None, version, soon));
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = Arc::new(std::sync::Mutex::new(released));
        let read = async move || {
            // As a read of a disk that hangs does.
            let _ = released.lock().unwrap().recv();
            "done"
        };
        let router = Router::new()
            .route("/", post(read))
            .layer(from_fn_with_state(api, bounded));
        let request = Request::post("/").body(Body::empty()).unwrap();
        let Ok(response) = TowerToHyperService::new(router).call(request).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        release.send(()).unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_that_is_answered() {
        let folder = tempfile::tempdir().unwrap();
        let installation = store::open(&folder.path().join("server.db").into(), None).unwrap();
        let version = crate::server::reference_version();
        let api = Arc::new(Api::new(&installation, None, version, ANSWER_TIME));
        let panic = async || -> &'static str { panic!("as a mistake of ours would") };
        let router = Router::new()
            .route("/", post(panic))
            .layer(from_fn_with_state(api, bounded));
        let request = Request::post("/").body(Body::empty()).unwrap();
        let Ok(response) = TowerToHyperService::new(router).call(request).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
