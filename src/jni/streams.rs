//! Bodies that cross piece by piece, of requests and of answers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{Mutex, watch};
use tokio::task;

use super::agents::AGENTS;
use super::context::Use;
use super::failure::Failure;
use super::registry::{self, Registry};
use crate::agent::{ApiStream, BodyWriter};

/// Of a body that is there already this much is handed over with the head, and the rest of a piece, in bytes.
const AT_ONCE: usize = 64 * 1024;

pub(super) static RESPONSES: Registry<Open> = Registry::new("response");

/// A body to be read, and what it needs.
pub(super) struct Response {
    stream: ApiStream,
    /// Why it ended too soon, if that is known already.
    failure: Option<Failure>,
    /// What of the request was not written when the answer came. It breaks the connection off, so
    /// not before the answer was read.
    pub(super) unwritten: Option<Unwritten>,
    /// Its connection lives on the runtime.
    _uses: Use,
}

/// What there is of a body without waiting for the network, and what the rest is read from, if there may be one.
/// Most answers are small, and come as a whole with their head.
pub(super) async fn begin(mut stream: ApiStream) -> Result<(Vec<u8>, Option<Response>), Failure> {
    let mut begun = Vec::new();
    let mut failure = None;
    while begun.len() < AT_ONCE {
        match at_hand(stream.next()).await {
            Some(Ok(Some(piece))) if begun.is_empty() => begun = piece,
            Some(Ok(Some(piece))) => begun.extend_from_slice(&piece),
            Some(Ok(None)) => return Ok((begun, None)),
            Some(Err(error)) => {
                failure = Some(error.into());
                break;
            }
            None => break,
        }
    }
    let rest = Response {
        stream,
        failure,
        unwritten: None,
        _uses: Use::begin()?,
    };
    Ok((begun, Some(rest)))
}

/// What comes of `work` without waiting for more than what the network has brought by now. It can be dropped at
/// any time.
async fn at_hand<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    for is_last in [false, true] {
        let done = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => Poll::Ready(None),
        });
        match done.await {
            None if !is_last => task::yield_now().await,
            done => return done,
        }
    }
    None
}

pub(super) struct Open {
    agent: i64,
    body: Mutex<(Response, Vec<u8>)>,
    closed: watch::Sender<bool>,
}

pub(super) fn keep(agent: i64, response: Response) -> i64 {
    let id = registry::next_id();
    let open = Open {
        agent,
        body: Mutex::new((response, Vec::new())),
        closed: watch::Sender::new(false),
    };
    RESPONSES.put(id, Arc::new(open));
    // An agent that is being closed has closed its responses, but perhaps not this one.
    if AGENTS.find(agent).is_none() {
        close(id);
    }
    id
}

impl Open {
    /// At most `length` bytes; none at the end.
    pub(super) async fn read(&self, length: usize) -> Result<Vec<u8>, Failure> {
        let mut closed = self.closed.subscribe();
        let reading = async {
            let mut body = self.body.lock().await;
            let body = &mut *body;
            if let (true, Some(failure)) = (body.1.is_empty(), &body.0.failure) {
                return Err(failure.clone());
            }
            if body.1.is_empty() {
                body.1 = body.0.stream.next().await?.unwrap_or_default();
            }
            let rest = body.1.split_off(length.min(body.1.len()));
            Ok(std::mem::replace(&mut body.1, rest))
        };
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => {
                Err(Failure::new("closed", "this response was closed"))
            }
            read = reading => read,
        }
    }
}

pub(super) fn close(id: i64) {
    if let Some(open) = RESPONSES.take(id) {
        open.closed.send_replace(true);
    }
}

pub(super) fn close_all_of(agent: i64) {
    for (id, open) in RESPONSES.all() {
        if open.agent == agent {
            close(id);
        }
    }
}

/// A request's body that was not written to its end. Dropping it breaks the request off, so that the
/// server does not take what it has for the whole.
pub(super) struct Unwritten(Option<BodyWriter>);

impl Drop for Unwritten {
    fn drop(&mut self) {
        if let Some(writer) = self.0.take() {
            writer.abort();
        }
    }
}

/// A request's body while its call goes on.
pub(super) struct RequestBody {
    writer: Mutex<Option<BodyWriter>>,
    finished: watch::Sender<bool>,
    ended: watch::Sender<bool>,
}

impl RequestBody {
    pub(super) fn new(writer: BodyWriter) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
            finished: watch::Sender::new(false),
            ended: watch::Sender::new(false),
        }
    }

    /// Ends it with the call, and wakes whoever waits to write.
    pub(super) async fn end(&self) -> Option<Unwritten> {
        self.ended.send_replace(true);
        let writer = self.writer.lock().await.take();
        writer.map(|writer| Unwritten(Some(writer)))
    }

    /// It has all that it is to have.
    pub(super) async fn finish(&self) {
        drop(self.writer.lock().await.take());
        self.finished.send_replace(true);
    }

    /// Waits until it has all.
    pub(super) async fn finished(&self) {
        self.finished
            .subscribe()
            .wait_for(|finished| *finished)
            .await
            .ok();
    }

    /// Whether more is wanted.
    pub(super) async fn write(&self, piece: Vec<u8>) -> bool {
        let mut ended = self.ended.subscribe();
        let writing = async {
            match self.writer.lock().await.as_mut() {
                Some(writer) => writer.write(piece).await,
                None => false,
            }
        };
        tokio::select! {
            biased;
            _ = ended.wait_for(|ended| *ended) => false,
            is_wanted = writing => is_wanted,
        }
    }
}
