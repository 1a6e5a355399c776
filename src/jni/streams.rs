//! Bodies that cross piece by piece, of requests and of answers.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use super::agents::AGENTS;
use super::context::Use;
use super::failure::Failure;
use super::registry::{self, Registry};
use crate::agent::{ApiStream, BodyWriter};

pub(super) static RESPONSES: Registry<Open> = Registry::new("response");

/// A body to be read, and what it needs.
pub(super) struct Response {
    pub(super) stream: ApiStream,
    /// What of the request was not written when the answer came. It breaks the connection off, so
    /// not before the answer was read.
    pub(super) unwritten: Option<Unwritten>,
    /// Its connection lives on the runtime.
    pub(super) _uses: Use,
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
