//! A request that passes to the server, with the device's key.
//!
//! It streams both ways and is made once. With an idempotency key of its own a program asks for more: the call
//! is repeated until the server has answered, for which body and answer are held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::answer::{Answer, Broken, DoorBody};
use super::inside::Inside;
use super::refusal::Refusal;
use crate::agent::{AgentError, ApiRequest, ApiResponse, ApiStream, BodyWriter, streamed_body};
use crate::secret::Secret;
use crate::security_profile;
use crate::wire::{self, IDEMPOTENCY_HEADER};

/// Largest body of a call that is repeated, in bytes.
const REPEATED_BODY: usize = 1024 * 1024;
/// How long a caller may take for a body that is held, or be silent in one that streams.
const BODY_TIME: Duration = Duration::from_secs(20);
/// How much of an answer is held until the rest is looked for.
const MOST_AT_ONCE: usize = 64 * 1024;
/// Pieces of an answer that wait for the caller.
const PIECES: usize = 4;

/// What concerns a connection alone, and what the server says to this device's agent.
const NOT_HANDED_ON: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(super) async fn on(inside: &Inside, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let asked = format!("{} {path}", head.method);
    if !inside.allowed.allows(head.method.as_str(), path) {
        return Err(Refusal::NotAllowed(asked));
    }
    if let Some(profile) = inside.feed.standing().security_profile()
        && security_profile::known(profile).is_some()
        && !security_profile::allows(profile, head.method.as_str(), path)
    {
        let profile = profile.to_owned();
        return Err(Refusal::Profile {
            profile,
            request: asked,
        });
    }
    let target = head
        .uri
        .path_and_query()
        .map_or(path, |whole| whole.as_str());
    let mut call = ApiRequest {
        method: head.method.as_str().to_owned(),
        path: target.trim_start_matches('/').to_owned(),
        body: Vec::new(),
        content_type: text(&head.headers, &CONTENT_TYPE).map(str::to_owned),
        headers: handed_on(&head.headers),
        idempotency_key: None,
        once: false,
        time_limit: None,
        read_timeout: None,
    };
    let key = head
        .headers
        .get(IDEMPOTENCY_HEADER)
        .and_then(|key| key.to_str().ok());
    let is_info = path == format!("/{}", wire::path::INFO);
    if key.is_some() || is_info {
        call.idempotency_key = key.map(|key| Secret::new(key.to_owned()));
        call.body = whole(body).await?;
        let _place = place(inside)?;
        let answered = inside.agent.request(call).await;
        let answered = heard(inside, answered)?;
        let body = match is_info {
            true => without_key(answered.body),
            false => answered.body,
        };
        let body = DoorBody::whole(body);
        return Ok(answer(answered.status, &answered.headers, body));
    }
    let place = place(inside)?;
    let has_body = !http_body::Body::is_end_stream(&body);
    let (writer, streamed) = match has_body {
        true => {
            let length = text(&head.headers, &CONTENT_LENGTH);
            let (writer, streamed) = streamed_body(length.and_then(|length| length.parse().ok()));
            (Some(writer), Some(streamed))
        }
        false => (None, None),
    };
    let awaits_caller = Arc::new(AtomicBool::new(false));
    let sending = writer.map(|writer| tokio::spawn(send(body, writer, Arc::clone(&awaits_caller))));
    let streamed = inside.agent.stream(call, streamed).await;
    if let (Err(_), Some(sending)) = (&streamed, &sending) {
        sending.abort();
        // What did not come in time was the caller's, whatever it looks like from the server's side.
        if awaits_caller.load(Ordering::Relaxed) {
            return Err(Refusal::Body);
        }
    }
    let mut stream = heard(inside, streamed)?;
    let (status, headers) = (stream.status, stream.headers.clone());
    let mut begun = Vec::new();
    if has_come_whole(&mut stream, &mut begun).await? {
        return Ok(answer(status, &headers, DoorBody::whole(begun)));
    }
    let (pieces, body) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        if begun.is_empty() || pieces.send(Ok(begun.into())).await.is_ok() {
            take(stream, pieces).await;
        }
        drop(place);
    });
    Ok(answer(status, &headers, DoorBody::Coming(body)))
}

/// The right to make one of the calls that are made at once.
fn place(inside: &Inside) -> Result<OwnedSemaphorePermit, Refusal> {
    let place = Arc::clone(&inside.calls).try_acquire_owned();
    place.map_err(|_| Refusal::Crowd)
}

/// Notes whether the server was there.
fn heard<T: Answered>(inside: &Inside, result: Result<T, AgentError>) -> Result<T, AgentError> {
    let is_there = match &result {
        Ok(answer) if answer.status() < 500 => true,
        Err(error) if error.is_for_want_of_the_server() => false,
        _ => return result,
    };
    inside.feed.change(|standing| standing.reached(is_there));
    result
}

trait Answered {
    fn status(&self) -> u16;
}

impl Answered for ApiResponse {
    fn status(&self) -> u16 {
        self.status
    }
}

impl Answered for ApiStream {
    fn status(&self) -> u16 {
        self.status
    }
}

/// What a program says that is for the server: nothing that the agent or a connection is in charge of.
fn handed_on(headers: &HeaderMap) -> Vec<(String, String)> {
    let may_be = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        ApiRequest::may_have(name.as_str()).then(|| (name.to_string(), value.to_owned()))
    });
    may_be.collect()
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

async fn whole(body: Incoming) -> Result<Vec<u8>, Refusal> {
    let read = Limited::new(body, REPEATED_BODY).collect();
    let read = tokio::time::timeout(BODY_TIME, read).await;
    let read = read.map_err(|_| Refusal::Body)?;
    Ok(read.map_err(|_| Refusal::Body)?.to_bytes().to_vec())
}

/// Sends a body on as it comes. One that breaks off is not to be taken for the whole.
async fn send(mut body: Incoming, mut writer: BodyWriter, awaits_caller: Arc<AtomicBool>) {
    loop {
        awaits_caller.store(true, Ordering::Relaxed);
        let frame = tokio::time::timeout(BODY_TIME, body.frame()).await;
        let frame = match frame {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                awaits_caller.store(false, Ordering::Relaxed);
                return;
            }
            Err(_silent) => return writer.abort(),
        };
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(piece)) => {
                awaits_caller.store(false, Ordering::Relaxed);
                if !writer.write(piece.to_vec()).await {
                    return;
                }
            }
            Ok(Err(_trailers)) => {}
            Err(_) => return writer.abort(),
        }
    }
}

/// Takes what has come with the head: mostly that is all, and goes on in one piece.
async fn has_come_whole(stream: &mut ApiStream, begun: &mut Vec<u8>) -> Result<bool, AgentError> {
    tokio::task::yield_now().await;
    while begun.len() < MOST_AT_ONCE {
        match at_once(stream.next()) {
            Some(Ok(Some(piece))) => begun.extend_from_slice(&piece),
            Some(Ok(None)) => return Ok(true),
            Some(Err(error)) => return Err(error),
            None => return Ok(false),
        }
    }
    Ok(false)
}

/// What comes without waiting.
fn at_once<F: Future>(future: F) -> Option<F::Output> {
    let future = std::pin::pin!(future);
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

async fn take(mut stream: ApiStream, pieces: mpsc::Sender<Result<Bytes, Broken>>) {
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = pieces.closed() => return,
        };
        let piece = match next {
            Ok(Some(piece)) => Ok(Bytes::from(piece)),
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%error, "an answer broke off");
                Err(Broken)
            }
        };
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

/// What `device/info` tells without the key, be it beside the device or in it.
fn without_key(body: Vec<u8>) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice::<serde_json::Value>(&body) else {
        return body;
    };
    let mut had_one = false;
    for part in ["/device", ""] {
        if let Some(object) = document
            .pointer_mut(part)
            .and_then(|part| part.as_object_mut())
        {
            had_one |= object.remove("api_token").is_some();
        }
    }
    match had_one {
        true => serde_json::to_vec(&document).unwrap_or_default(),
        false => body,
    }
}

fn answer(status: u16, headers: &[(String, String)], body: DoorBody) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value))
            && !NOT_HANDED_ON.contains(&name.as_str())
        {
            answer.headers_mut().append(name, value);
        }
    }
    answer
}
