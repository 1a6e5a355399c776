//! Bodies that cross piece by piece. The Java thread that reads or writes waits here.

use std::sync::Arc;

use jni::Env;
use jni::objects::{JByteArray, JClass};
use jni::sys::{jboolean, jint, jlong};
use tokio::sync::{Mutex, watch};

use super::agents::AGENTS;
use super::calls::CALLS;
use super::context::{Driver, Use};
use super::policy::Failure;
use super::registry::{self, Registry};
use super::{Answer, exports};
use crate::agent::{ApiStream, BodyWriter};

exports! {
    (body_write(call: jlong, bytes: jbyte[], offset: jint, length: jint) -> jboolean),
    (body_finish(call: jlong)),
    (response_read(response: jlong, buffer: jbyte[], offset: jint, length: jint) -> jint),
    (response_close(response: jlong)),
}

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

/// At most `length` bytes; none at the end.
fn read(id: i64, length: usize) -> Result<Vec<u8>, Failure> {
    let open = RESPONSES.get(id)?;
    let uses = Use::begin(Driver::Java)?;
    let mut closed = open.closed.subscribe();
    uses.wait(async {
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
    })?
}

fn close(id: i64) {
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
    ended: watch::Sender<bool>,
}

impl RequestBody {
    pub(super) fn new(writer: BodyWriter) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
            ended: watch::Sender::new(false),
        }
    }

    /// Ends it with the call, and wakes whoever waits to write.
    pub(super) async fn end(&self) -> Option<Unwritten> {
        self.ended.send_replace(true);
        let writer = self.writer.lock().await.take();
        writer.map(|writer| Unwritten(Some(writer)))
    }

    /// Whether more is wanted.
    async fn write(&self, piece: Vec<u8>) -> bool {
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

/// Whether more is wanted.
fn write(call: i64, piece: Vec<u8>) -> Result<bool, Failure> {
    let Some(found) = CALLS.find(call) else {
        return gone(call);
    };
    let Some(body) = &found.body else {
        return Ok(false);
    };
    let uses = Use::begin(Driver::Java)?;
    uses.wait(body.write(piece))
}

fn finish(call: i64) -> Result<(), Failure> {
    let Some(found) = CALLS.find(call) else {
        return gone(call).map(drop);
    };
    if let Some(body) = &found.body {
        let uses = Use::begin(Driver::Java)?;
        drop(uses.wait(body.writer.lock())?.take());
    }
    Ok(())
}

fn gone(call: i64) -> Result<bool, Failure> {
    if registry::was_given(call) {
        Ok(false)
    } else {
        Err(Failure::new("closed", "there was never such a call"))
    }
}

/// Offset and length, if they are within the array.
fn range(
    env: &Env<'_>,
    array: &JByteArray<'_>,
    offset: jint,
    length: jint,
) -> Answer<(jint, usize)> {
    let outside = || {
        Failure::new(
            "argument_invalid",
            "offset and length are outside of the array",
        )
    };
    if array.is_null() {
        return Err(outside().into());
    }
    let start = usize::try_from(offset).map_err(|_| outside())?;
    let length = usize::try_from(length).map_err(|_| outside())?;
    if start.saturating_add(length) > array.len(env)? {
        return Err(outside().into());
    }
    Ok((offset, length))
}

fn body_write<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    call: jlong,
    array: JByteArray<'l>,
    offset: jint,
    length: jint,
) -> Answer<jboolean> {
    let (from, length) = range(env, &array, offset, length)?;
    let mut piece = vec![0_i8; length];
    array.get_region(env, from, &mut piece)?;
    let piece = piece.into_iter().map(i8::cast_unsigned).collect();
    Ok(write(call, piece)?)
}

fn body_finish<'l>(_: &mut Env<'l>, _: JClass<'l>, call: jlong) -> Answer<()> {
    Ok(finish(call)?)
}

fn response_read<'l>(
    env: &mut Env<'l>,
    _: JClass<'l>,
    response: jlong,
    buffer: JByteArray<'l>,
    offset: jint,
    length: jint,
) -> Answer<jint> {
    let (to, length) = range(env, &buffer, offset, length)?;
    let piece = read(response, length)?;
    let piece: Vec<i8> = piece.into_iter().map(u8::cast_signed).collect();
    if piece.is_empty() && length > 0 {
        return Ok(-1);
    }
    buffer.set_region(env, to, &piece)?;
    Ok(jint::try_from(piece.len()).unwrap_or(jint::MAX))
}

fn response_close<'l>(_: &mut Env<'l>, _: JClass<'l>, response: jlong) -> Answer<()> {
    close(response);
    Ok(())
}
