//! `GET /v1/events`: what happens to the device, as server-sent events.
//!
//! A program begins with the whole, as an event `status`, or with what it has missed if it says what it had
//! last (`Last-Event-ID`) and that can still be told.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Response};
use tokio::sync::mpsc;

use super::answer::{Answer, DoorBody};
use super::feed::Feed;

/// How often a line is sent without news, so that a caller that has gone is noticed.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Pieces that wait for the caller.
const PIECES: usize = 4;

pub(super) fn answer(feed: &Arc<Feed>, headers: &HeaderMap) -> Answer {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let last = last.and_then(|id| feed.number(id));
    let (pieces, body) = mpsc::channel(PIECES);
    tokio::spawn(tell(Arc::clone(feed), last, pieces));
    let mut answer = Response::new(DoorBody::coming(body, None));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Tells until the caller has gone, or the feed ends.
async fn tell<E>(feed: Arc<Feed>, last: Option<u64>, pieces: mpsc::Sender<Result<Bytes, E>>) {
    let mut latest = feed.watch();
    let mut told = match last {
        Some(last) => last,
        None => {
            let (number, standing) = feed.now();
            let whole = serde_json::to_string(&standing).unwrap_or_default();
            if pieces
                .send(Ok(event(&feed.id(number), "status", &whole)))
                .await
                .is_err()
            {
                return;
            }
            number
        }
    };
    loop {
        latest.borrow_and_update();
        for happened in feed.after(told) {
            let piece = event(&feed.id(happened.number), happened.what, &happened.now);
            if pieces.send(Ok(piece)).await.is_err() {
                return;
            }
            told = happened.number;
        }
        tokio::select! {
            changed = latest.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(SIGN_OF_LIFE) => {
                if pieces.send(Ok(Bytes::from_static(b":\n\n"))).await.is_err() {
                    return;
                }
            }
            () = pieces.closed() => return,
            () = feed.ended() => return,
        }
    }
}

/// JSON has no line ends of its own.
fn event(id: &str, what: &str, data: &str) -> Bytes {
    format!("id: {id}\nevent: {what}\ndata: {data}\n\n").into()
}
