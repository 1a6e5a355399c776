//! Bodies that cross piece by piece. The Java thread that reads or writes waits here.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use super::calls::CALLS;
use super::context::Use;
use super::policy::Failure;
use super::registry::{self, Registry};
use crate::agent::ApiStream;

pub(super) static RESPONSES: Registry<Open> = Registry::new("response");

/// A body to be read, and what it needs.
pub(super) struct Response {
    pub(super) stream: ApiStream,
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
    id
}

/// At most `length` bytes; none at the end.
pub(super) fn read(id: i64, length: usize) -> Result<Vec<u8>, Failure> {
    let open = RESPONSES.get(id)?;
    let uses = Use::begin()?;
    let mut closed = open.closed.subscribe();
    uses.handle().block_on(async {
        let reading = async {
            let mut body = open.body.lock().await;
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
    })
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

/// Whether more is wanted.
pub(super) fn write(call: i64, piece: Vec<u8>) -> Result<bool, Failure> {
    let Some(found) = CALLS.find(call) else {
        return gone(call);
    };
    let uses = Use::begin()?;
    uses.handle().block_on(async {
        match found.body.lock().await.as_mut() {
            Some(writer) => Ok(writer.write(piece).await),
            None => Ok(false),
        }
    })
}

pub(super) fn finish(call: i64) -> Result<(), Failure> {
    let Some(found) = CALLS.find(call) else {
        return gone(call).map(drop);
    };
    let uses = Use::begin()?;
    uses.handle()
        .block_on(async { drop(found.body.lock().await.take()) });
    Ok(())
}

fn gone(call: i64) -> Result<bool, Failure> {
    if registry::was_given(call) {
        Ok(false)
    } else {
        Err(Failure::new("closed", "there was never such a call"))
    }
}
