//! A call that streams both ways, of which nothing is held.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming};
use tokio::sync::mpsc;

use super::answered::{Head, heard};
use super::call::Asked;
use crate::agent::{AgentError, ApiRequest, ApiStream, BodyWriter, streamed_body};
use crate::door::answer::{Answer, Broken, DoorBody};
use crate::door::inside::Inside;
use crate::door::refusal::Refusal;

/// How long a caller may be silent in its body.
const BODY_TIME: Duration = Duration::from_secs(20);
/// How much of an answer is held until the rest is looked for.
const MOST_AT_ONCE: usize = 64 * 1024;
/// Pieces of an answer that wait for the caller; the client makes them as large as 400 KiB.
const PIECES: usize = 1;

/// `length`: of the body, as far as the caller told it.
pub(super) async fn pass(
    inside: &Inside,
    call: ApiRequest,
    asked: Asked,
    body: Incoming,
    length: Option<u64>,
) -> Result<Answer, Refusal> {
    let place = inside.place()?;
    let streamed = match body.is_end_stream() {
        true => inside.agent.stream(call, None).await,
        false => with_body(inside, call, body, length).await?,
    };
    let mut stream = heard(inside, streamed)?;
    let head = Head {
        status: stream.status,
        headers: std::mem::take(&mut stream.headers),
    };
    let mut begun = Vec::new();
    if has_come_whole(&mut stream, &mut begun).await? {
        return Ok(head.with(DoorBody::whole(begun), asked));
    }
    let (pieces, coming) = mpsc::channel(PIECES);
    let body = DoorBody::coming(coming, head.length());
    tokio::spawn(async move {
        if begun.is_empty() || pieces.send(Ok(begun.into())).await.is_ok() {
            take(stream, pieces).await;
        }
        drop(place);
    });
    Ok(head.with(body, asked))
}

/// Makes the call while the caller's body comes.
async fn with_body(
    inside: &Inside,
    call: ApiRequest,
    body: Incoming,
    length: Option<u64>,
) -> Result<Result<ApiStream, AgentError>, Refusal> {
    let (writer, streamed) = streamed_body(length);
    let awaits_caller = Arc::new(AtomicBool::new(false));
    let sending = tokio::spawn(send(body, writer, Arc::clone(&awaits_caller)));
    let answered = inside.agent.stream(call, Some(streamed)).await;
    if answered.is_err() {
        sending.abort();
        // What did not come in time was the caller's, whatever it looks like from the server's side.
        if awaits_caller.load(Ordering::Relaxed) {
            return Err(Refusal::Body);
        }
    }
    Ok(answered)
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
        match frame.map(Frame::into_data) {
            Ok(Ok(piece)) => {
                awaits_caller.store(false, Ordering::Relaxed);
                if !writer.write(piece).await {
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
    let mut has_waited = false;
    while begun.len() < MOST_AT_ONCE {
        match at_once(stream.next()) {
            Some(Ok(Some(piece))) if begun.is_empty() => *begun = piece,
            Some(Ok(Some(piece))) => begun.extend_from_slice(&piece),
            Some(Ok(None)) => return Ok(true),
            Some(Err(error)) => return Err(error),
            None if has_waited => return Ok(false),
            None => {
                // What was read with it is handed over by another task.
                tokio::task::yield_now().await;
                has_waited = true;
            }
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
