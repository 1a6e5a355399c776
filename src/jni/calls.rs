//! Calls that Java waits for: each told once how it ended, and cancelled at any time.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use jni::objects::{JByteArray, JObject, JValue};
use jni::{Env, JavaVM, jni_sig, jni_str};
use tokio::sync::oneshot;

use super::context::{Counted, Use};
use super::policy::{BridgeError, Failure};
use super::registry::{self, Registry};
use super::streams::{self, Response};
use crate::agent::BodyWriter;

pub(super) static CALLS: Registry<Call> = Registry::new("call");

pub(super) struct Call {
    agent: i64,
    end: Mutex<Option<oneshot::Sender<Failure>>>,
    pub(super) body: tokio::sync::Mutex<Option<BodyWriter>>,
}

/// What a call succeeded with.
#[derive(Default)]
pub(super) struct Success {
    pub(super) result: Vec<u8>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) response: Option<Response>,
}

pub(super) fn start(
    env: &Env<'_>,
    agent: i64,
    completion: &JObject<'_>,
    body: Option<BodyWriter>,
    work: impl Future<Output = Result<Success, Failure>> + Send + 'static,
) -> Result<i64, BridgeError> {
    let completion = Counted::new(env, completion)?;
    let uses = Use::begin()?;
    let id = registry::next_id();
    let (end, ended) = oneshot::channel();
    let call = Call {
        agent,
        end: Mutex::new(Some(end)),
        body: tokio::sync::Mutex::new(body),
    };
    CALLS.put(id, Arc::new(call));
    let handle = uses.handle().clone();
    handle.spawn(async move {
        let mut work = tokio::spawn(work);
        let outcome = tokio::select! {
            biased;
            done = &mut work => match done {
                Ok(outcome) => outcome,
                Err(broken) => Err(match broken.try_into_panic() {
                    Ok(payload) => Failure::panicked(&*payload),
                    Err(_) => Failure::cancelled(),
                }),
            },
            failure = ended => {
                work.abort();
                // Its own end is of no interest any more, but its resources have to be free.
                drop(work.await);
                Err(failure.unwrap_or_else(|_| Failure::cancelled()))
            }
        };
        if let Some(call) = CALLS.take(id)
            && let Some(writer) = call.body.lock().await.take()
        {
            writer.abort();
        }
        tell(completion, agent, outcome);
        drop(uses);
    });
    Ok(id)
}

pub(super) fn end(id: i64, failure: Failure) {
    if let Some(call) = CALLS.find(id) {
        let end = call
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // It may just be done.
        end.map(|end| end.send(failure).ok());
    }
}

pub(super) fn end_all_of(agent: i64) {
    for (id, call) in CALLS.all() {
        if call.agent == agent {
            end(id, Failure::closed());
        }
    }
}

/// Tells the completion and drops it, attached to Java for both.
fn tell(completion: Counted, agent: i64, outcome: Result<Success, Failure>) {
    let told = attached(move |env| {
        let failed = match outcome {
            Ok(success) => {
                let response = success
                    .response
                    .map(|response| streams::keep(agent, response));
                let result = env.byte_array_from_slice(&success.result)?;
                let body = match success.body {
                    Some(body) => env.byte_array_from_slice(&body)?,
                    None => JByteArray::null(),
                };
                env.call_method(
                    completion.object(),
                    jni_str!("succeeded"),
                    jni_sig!("([B[BJ)V"),
                    &[
                        JValue::Object(&result),
                        JValue::Object(&body),
                        JValue::Long(response.unwrap_or(0)),
                    ],
                )
            }
            Err(failure) => {
                let error = env.byte_array_from_slice(&failure.json())?;
                let arguments = [JValue::Object(&error)];
                let (name, signature) = (jni_str!("failed"), jni_sig!("([B)V"));
                env.call_method(completion.object(), name, signature, &arguments)
            }
        };
        drop(completion);
        failed.map(drop)
    });
    if let Err(error) = told {
        tracing::error!("a call's end could not be told: {error}");
    }
}

/// Does something on this thread as one of Java's. An exception that is thrown there ends there.
pub(super) fn attached(
    work: impl FnOnce(&mut Env<'_>) -> jni::errors::Result<()>,
) -> jni::errors::Result<()> {
    JavaVM::singleton()?.attach_current_thread(|env| {
        env.with_local_frame(8, |env| {
            let done = work(env);
            if env.exception_check() {
                env.exception_clear();
            }
            done
        })
    })
}
