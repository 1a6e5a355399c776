//! The runtime of all agents, which has a thread of its own. It is made for the first call, and ended when
//! there is nothing to do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::failure::Failure;
use crate::agent;

/// How long connections are kept for an open agent's next call.
const LINGER: Duration = Duration::from_secs(5);

static CONTEXT: Mutex<Context> = Mutex::new(Context {
    runtime: None,
    agents: 0,
    users: 0,
    idle_since: None,
});
/// How often to look whether what was given up has come back from the disk, which may still need the runtime.
const APART_INTERVAL: Duration = Duration::from_millis(20);

/// Tells the runtime that it may be needed no more.
static LEFT: Notify = Notify::const_new();

struct Context {
    runtime: Option<Handle>,
    agents: usize,
    users: usize,
    idle_since: Option<Instant>,
}

fn context() -> MutexGuard<'static, Context> {
    CONTEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    fn runtime(&mut self) -> Result<Handle, Failure> {
        if let Some(runtime) = &self.runtime {
            return Ok(runtime.clone());
        }
        let failed = |error| Failure::of("internal", &error);
        let built = Builder::new_current_thread()
            .thread_name("gatehand")
            .enable_all()
            .build();
        let runtime = built.map_err(failed)?;
        let handle = runtime.handle().clone();
        thread::Builder::new()
            .name("gatehand".to_owned())
            .spawn(move || drive(runtime))
            .map_err(failed)?;
        Ok(self.runtime.insert(handle).clone())
    }

    /// How long the runtime is kept before it is looked at again.
    fn remaining(&self) -> Duration {
        match self.idle_since {
            Some(_) if self.agents == 0 && agent::is_working_apart() => APART_INTERVAL,
            Some(_) if self.agents == 0 => Duration::ZERO,
            Some(since) => LINGER.saturating_sub(since.elapsed()),
            None => LINGER,
        }
    }
}

/// What the runtime's thread does until the runtime ends.
fn drive(runtime: Runtime) {
    runtime.block_on(until_unused());
    // What looks up a name may still be waiting, which nobody else should.
    runtime.shutdown_background();
}

async fn until_unused() {
    while let Some(remaining) = remaining() {
        timeout(remaining, LEFT.notified()).await.ok();
    }
}

/// How long there is to wait yet; if not at all, whoever comes next gets another runtime.
fn remaining() -> Option<Duration> {
    let mut context = context();
    let remaining = context.remaining();
    if remaining.is_zero() {
        context.runtime = None;
        return None;
    }
    Some(remaining)
}

/// An agent is open, so that connections may wait for its next call.
pub(super) struct Resident(());

impl Resident {
    pub(super) fn begin() -> Self {
        context().agents += 1;
        Self(())
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        let mut context = context();
        context.agents = context.agents.saturating_sub(1);
        if context.agents == 0 {
            LEFT.notify_one();
        }
    }
}

/// Keeps the runtime while it lives.
pub(super) struct Use {
    runtime: Handle,
}

impl Use {
    pub(super) fn begin() -> Result<Self, Failure> {
        let mut context = context();
        let runtime = context.runtime()?;
        context.users += 1;
        context.idle_since = None;
        Ok(Self { runtime })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Waits on a thread of Java.
    pub(super) fn wait<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        refuse_own_thread()?;
        Ok(self.runtime.block_on(work))
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut context = context();
        context.users = context.users.saturating_sub(1);
        if context.users == 0 {
            context.idle_since = Some(Instant::now());
            if context.agents == 0 {
                LEFT.notify_one();
            }
        }
    }
}

/// Waiting on a thread of the library would stop all that runs there.
pub(super) fn refuse_own_thread() -> Result<(), Failure> {
    match Handle::try_current() {
        Ok(_) => Err(Failure::new(
            "own_thread",
            "gatehand told the app something on this thread, and waiting here would stop all calls: \
             go on elsewhere, as with Dispatchers.IO",
        )),
        Err(_) => Ok(()),
    }
}
