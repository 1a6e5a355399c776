//! Calls that Java waits for: each told once how it ended, and cancelled at any time.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use jni::Env;
use jni::objects::{JByteArray, JThrowable};
use jni::refs::Global;
use tokio::sync::oneshot;
use tokio::{task, time};
use zeroize::Zeroizing;

use super::agents::AGENTS;
use super::context::Use;
use super::failure::{BridgeError, Failure};
use super::java::{self, Completion, Counted, Waiter, attached};
use super::registry::{self, Registry};
use super::streams::{self, RequestBody, Response};

/// How long a body may still be written once the answer has begun.
const LATE_BODY: Duration = Duration::from_secs(10);
/// How often a thread that waits for a call looks whether the call is wanted still.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

pub(super) static CALLS: Registry<Call> = Registry::new("call");

pub(super) struct Call {
    agent: i64,
    end: Mutex<Option<oneshot::Sender<Failure>>>,
    pub(super) body: Option<RequestBody>,
}

/// What a call succeeded with.
#[derive(Default)]
pub(super) struct Success {
    /// Wiped once it was told, since it may hold keys.
    pub(super) result: Zeroizing<Vec<u8>>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) response: Option<Response>,
    /// Status of a streamed answer.
    pub(super) status: Option<u16>,
}

impl Success {
    /// Whether the server takes what is sent. Some begin to answer before they have read all, and would wait
    /// for the rest.
    fn takes_the_body(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

type Waiting = (Global<Completion<'static>>, Counted);

/// Notes a call that begins, and returns by what it hears that it is to end.
fn begin(agent: i64, body: Option<RequestBody>) -> (i64, oneshot::Receiver<Failure>) {
    let id = registry::next_id();
    let (end, ended) = oneshot::channel();
    let call = Arc::new(Call {
        agent,
        end: Mutex::new(Some(end)),
        body,
    });
    CALLS.put(id, call);
    (id, ended)
}

pub(super) fn start<'l>(
    env: &Env<'l>,
    agent: i64,
    completion: &Completion<'l>,
    body: Option<RequestBody>,
    work: impl Future<Output = Result<Success, Failure>> + Send + 'static,
) -> Result<i64, BridgeError> {
    let waiting = java::keep(env, "a completion", completion)?;
    let uses = Use::begin()?;
    let (id, mut ended) = begin(agent, body);
    let runtime = uses.runtime().clone();
    runtime.spawn(async move {
        // So that what the network has brought by now is known, as that a server has ended a connection.
        task::yield_now().await;
        let mut outcome = tokio::select! {
            biased;
            outcome = caught(work) => outcome,
            failure = &mut ended => Err(failure.unwrap_or_else(|_| Failure::cancelled())),
        };
        if let Some(call) = CALLS.find(id)
            && let Some(body) = &call.body
        {
            if outcome.as_ref().is_ok_and(Success::takes_the_body) {
                tokio::select! {
                    biased;
                    () = body.finished() => {}
                    failure = ended => outcome = Err(failure.unwrap_or_else(|_| Failure::cancelled())),
                    () = time::sleep(LATE_BODY) => {}
                }
            }
            let unwritten = body.end().await;
            if let Ok(Success {
                response: Some(response),
                ..
            }) = &mut outcome
            {
                response.unwritten = unwritten;
            }
        }
        CALLS.take(id);
        look_anew_if_due(agent, &outcome);
        tell(waiting, agent, outcome);
        drop(uses);
    });
    end_if_closed(id, agent);
    Ok(id)
}

/// Makes a call while this thread waits, and tells the waiter of the answer.
pub(super) fn wait<'l>(
    env: &mut Env<'l>,
    agent: i64,
    waiter: &Waiter<'l>,
    work: impl Future<Output = Result<Success, Failure>> + Send + 'static,
) -> Result<(), BridgeError> {
    let uses = Use::begin()?;
    let (id, mut ended) = begin(agent, None);
    end_if_closed(id, agent);
    let mut thrown = None;
    let outcome = uses.wait(async {
        // A task, since waking what is waited for itself costs a system call each time.
        let mut task = task::spawn(async move {
            // As where a call starts.
            task::yield_now().await;
            caught(work).await
        });
        let end = tokio::select! {
            biased;
            outcome = &mut task => return outcome.unwrap_or_else(|_| Err(Failure::cancelled())),
            failure = &mut ended => failure.unwrap_or_else(|_| Failure::cancelled()),
            () = unwanted(env, waiter, &mut thrown) => Failure::cancelled(),
        };
        // Until it was dropped, so that what it holds is free when the caller hears of the end.
        task.abort();
        task.await.ok();
        Err(end)
    });
    CALLS.take(id);
    if let Some(thrown) = thrown {
        env.throw(&thrown)?;
    }
    let outcome = outcome?;
    look_anew_if_due(agent, &outcome);
    let success = outcome?;
    let (result, body) = arrays(env, &success)?;
    let response = kept(agent, success.response);
    let told = waiter.answered(env, &result, &body, response);
    if told.is_err() {
        streams::close(response);
    }
    Ok(told?)
}

/// Waits until the call is not wanted any more, or until an exception was `thrown` instead. It is not left pending
/// here, as this thread has the call's end to tell yet.
async fn unwanted<'l>(env: &mut Env<'l>, waiter: &Waiter<'l>, thrown: &mut Option<JThrowable<'l>>) {
    loop {
        time::sleep(BETWEEN_LOOKS).await;
        match waiter.is_wanted(env) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => {
                *thrown = env.exception_occurred();
                env.exception_clear();
                return;
            }
        }
    }
}

/// Has the state looked at anew if the vault is not as it was.
fn look_anew_if_due(agent: i64, outcome: &Result<Success, Failure>) {
    if let Err(failure) = outcome
        && failure.is_about_the_vault()
        && let Some(open) = AGENTS.find(agent)
    {
        open.app.met_another_state();
    }
}

/// The same work, with a panic as its failure.
async fn caught(work: impl Future<Output = Result<Success, Failure>>) -> Result<Success, Failure> {
    let mut work = pin!(work);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(progress) => progress,
            Err(payload) => Poll::Ready(Err(Failure::panicked(&*payload))),
        },
    )
    .await
}

/// An agent that is being closed has ended its calls, but perhaps not the one that was just begun.
fn end_if_closed(id: i64, agent: i64) {
    if AGENTS.find(agent).is_none() {
        end(id, Failure::closed());
    }
}

pub(super) fn end(id: i64, failure: Failure) {
    if let Some(call) = CALLS.find(id) {
        // It may just be done.
        let end = call
            .end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
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
fn tell((completion, counted): Waiting, agent: i64, outcome: Result<Success, Failure>) {
    let told = attached(move |env| {
        let told = match outcome {
            Ok(success) => succeeded(env, &completion, agent, success),
            Err(failure) => failed(env, &completion, &failure),
        };
        drop(completion);
        drop(counted);
        told
    });
    if let Err(error) = told {
        tracing::error!("a call's end could not be told: {error}");
    }
}

fn arrays<'l>(
    env: &mut Env<'l>,
    success: &Success,
) -> Result<(JByteArray<'l>, JByteArray<'l>), Failure> {
    let arrays = (|| {
        let result = env.byte_array_from_slice(&success.result)?;
        let body = match &success.body {
            Some(body) => env.byte_array_from_slice(body)?,
            None => JByteArray::null(),
        };
        Ok((result, body))
    })();
    // Java has no room for the answer, but whoever waits has to know.
    arrays.map_err(|error: jni::errors::Error| {
        env.exception_clear();
        let words = "the app's memory has no room for the answer: read it as a stream";
        Failure::new("answer_too_large", words).caused_by(&error)
    })
}

/// The id of a response that Java reads on, or 0.
fn kept(agent: i64, response: Option<Response>) -> i64 {
    response.map_or(0, |response| streams::keep(agent, response))
}

fn succeeded(
    env: &mut Env<'_>,
    completion: &Completion<'_>,
    agent: i64,
    success: Success,
) -> jni::errors::Result<()> {
    match arrays(env, &success) {
        Ok((result, body)) => {
            let response = kept(agent, success.response);
            completion.succeeded(env, &result, &body, response)
        }
        Err(failure) => failed(env, completion, &failure),
    }
}

fn failed(
    env: &mut Env<'_>,
    completion: &Completion<'_>,
    failure: &Failure,
) -> jni::errors::Result<()> {
    let error = env.byte_array_from_slice(&failure.json())?;
    completion.failed(env, &error)
}
