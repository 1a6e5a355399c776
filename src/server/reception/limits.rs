//! Bounds every request in time and size, and logs it.

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::FutureExt;
use hyper::Request;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tracing::Instrument;

use super::callers::Callers;
use super::house::House;
use super::receiving::{Received, receive};
use super::refusal::{Refusal, Withheld};
use crate::mask;
use crate::server::store::Decision;
use crate::serving::Standing;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(15);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_LENGTH: usize = 128;

/// Reads the body within its limits, so that all that follows has it in memory, and answers in time:
/// what is not done by then is given up, and only what is being committed is waited for.
pub(in crate::server) async fn bounded<H, B, F>(
    house: &H,
    request: Request<B>,
    next: impl FnOnce(Request<Body>) -> F,
) -> Response
where
    H: House,
    B: hyper::body::Body<Data = Bytes> + Unpin,
    F: Future<Output = Response>,
{
    let (parts, body) = request.into_parts();
    let standing = parts.extensions.get::<Standing>();
    let received = receive(house, &parts.headers, standing, body);
    let refusal = match tokio::time::timeout(BODY_TIME, received).await {
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
            // What panics is not asked again.
            let mut answer = pin!(AssertUnwindSafe(next(request)).catch_unwind());
            match tokio::time::timeout(house.answer_time(), &mut answer).await {
                Ok(ended) => return answered(house, ended),
                Err(_) if caller.0.give_up() => Refusal::Late,
                Err(_) => return answered(house, answer.await),
            }
        }
        Ok(Err(refusal)) => refusal,
        Err(_) => Refusal::Slow,
    };
    house.refuse(refusal)
}

/// The answer; a panic is a fault of ours, which its hook has told.
fn answered(house: &impl House, ended: Result<Response, Box<dyn Any + Send>>) -> Response {
    match ended {
        Ok(response) => response,
        Err(_) => house.refuse(Refusal::Internal("it panicked".into())),
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
pub(in crate::server) async fn logged<B, F>(
    callers: &Callers,
    mut request: Request<B>,
    next: impl FnOnce(Request<B>) -> F,
) -> Response
where
    F: Future<Output = Response>,
{
    let begun = Instant::now();
    let id = request_id(request.headers());
    let client = callers.client(&request);
    request.extensions_mut().insert(client);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    // What is logged on the way has the id too.
    let span = tracing::info_span!("request", id);
    let client = client.address.map(tracing::field::display);
    let mut response = next(request).instrument(span.clone()).await;
    let milliseconds = begun.elapsed().as_millis();
    let status = response.status().as_u16();
    // Made only where they are logged. As long a word as a token is no method.
    let method = || tracing::field::display(mask::path(method.as_str()));
    let path = || mask::path(uri.path());
    match response.extensions().get::<Withheld>() {
        None => {
            tracing::info!(parent: &span, client, method = method(), path = path(), status, milliseconds, "answered");
        }
        Some(_) => {
            tracing::error!(parent: &span, client, method = method(), path = path(), milliseconds, "closed without an answer");
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
        None => new_id(),
    }
}

/// It only tells requests apart, also those of one process from those of another.
fn new_id() -> String {
    static PROCESS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{:016x}", PROCESS.hash_one(number))
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;

    use super::*;
    use crate::server::store::StoreError;

    const ANSWER_TIME: Duration = Duration::from_secs(30);

    /// Knows nobody, and tells refusals by their status.
    struct Empty(Duration);

    impl House for Empty {
        fn answer_time(&self) -> Duration {
            self.0
        }

        async fn is_known(&self, _: &HeaderMap) -> Result<bool, StoreError> {
            Ok(false)
        }

        fn refuse(&self, refusal: Refusal) -> Response {
            let mut response = Response::default();
            *response.status_mut() = match refusal {
                Refusal::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            response
        }
    }

    /// How a request is answered that is done by this, with so much time.
    async fn status<F>(answer_time: Duration, done: impl FnOnce(Decision) -> F) -> StatusCode
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let next = |request: Request<Body>| {
            let done = done(request.extensions().get::<Decision>().unwrap().clone());
            async {
                done.await;
                Response::default()
            }
        };
        let request = Request::post("/").body(Body::empty()).unwrap();
        bounded(&Empty(answer_time), request, next).await.status()
    }

    /// The answer to a request whose change is taken after this long and done after twice that.
    async fn answer(taken_after: Duration) -> (StatusCode, Decision) {
        let seen = Decision::default();
        let done = seen.clone();
        let change = |decision: Decision| async move {
            tokio::time::sleep(taken_after).await;
            assert!(decision.take());
            tokio::time::sleep(taken_after).await;
            done.take();
        };
        (status(ANSWER_TIME, change).await, seen)
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

    #[tokio::test]
    async fn a_panic_is_a_fault_that_is_answered() {
        let panics = |_| async { panic!("as a mistake of ours would") };
        let status = status(ANSWER_TIME, panics).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
