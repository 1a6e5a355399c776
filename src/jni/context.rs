//! The runtime of all agents, which runs on one thread at a time: on one of Java's that waits for a
//! call, else on its own. It is made for the first call, and ended when there is nothing to do.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

use super::policy::Failure;

/// How long connections are kept for an open agent's next call.
const LINGER: Duration = Duration::from_secs(5);

static CONTEXT: Mutex<Context> = Mutex::new(Context {
    runtime: None,
    agents: 0,
    users: 0,
    undriven: 0,
    idle_since: None,
});
/// Wakes the runtime's own thread.
static AWAKE: Condvar = Condvar::new();
/// Tells the same thread that what it drives may be done.
static DRIVEN: Notify = Notify::const_new();

struct Context {
    runtime: Option<Arc<Runtime>>,
    agents: usize,
    users: usize,
    /// Those of the users that no thread of Java drives.
    undriven: usize,
    idle_since: Option<Instant>,
}

fn context() -> MutexGuard<'static, Context> {
    CONTEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    fn runtime(&mut self) -> Result<Arc<Runtime>, Failure> {
        if let Some(runtime) = &self.runtime {
            return Ok(Arc::clone(runtime));
        }
        let failed = |error| Failure::of("internal", &error);
        let built = Builder::new_current_thread()
            .thread_name("gatehand")
            .enable_all()
            .build();
        let runtime = Arc::new(built.map_err(failed)?);
        let drives = Arc::clone(&runtime);
        thread::Builder::new()
            .name("gatehand".to_owned())
            .spawn(move || drive(drives))
            .map_err(failed)?;
        Ok(Arc::clone(self.runtime.insert(runtime)))
    }

    /// How long the runtime is kept before it is looked at again.
    fn remaining(&self) -> Duration {
        match self.idle_since {
            Some(_) if self.agents == 0 => Duration::ZERO,
            Some(since) => LINGER.saturating_sub(since.elapsed()),
            // Nobody tells when that ends, since that would cost each call a change of thread.
            None => LINGER,
        }
    }
}

/// What the runtime's own thread does until the runtime ends.
fn drive(runtime: Arc<Runtime>) {
    let mut context = context();
    loop {
        if context.undriven > 0 {
            drop(context);
            runtime.block_on(until_driven());
            context = self::context();
            continue;
        }
        let remaining = context.remaining();
        if remaining.is_zero() {
            break;
        }
        let waited = AWAKE.wait_timeout(context, remaining);
        context = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    context.runtime = None;
    drop(context);
    // Nobody else has it any more. What looks up a name may still be waiting, which nobody else should.
    if let Some(runtime) = Arc::into_inner(runtime) {
        runtime.shutdown_background();
    }
}

async fn until_driven() {
    while context().undriven > 0 {
        DRIVEN.notified().await;
    }
}

/// Waits until what came while nobody drove the runtime was looked at, so that no connection is taken
/// that the server has closed.
pub(super) async fn catch_up() {
    // A task takes turns with all else that the runtime does; a thread that waits may be ahead of it.
    // The call itself is no task, so that neither holds the other up where another thread drives.
    let turns = tokio::spawn(async {
        // Once for what came to be noticed, and once more for it to be acted on.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    });
    // It fails with the runtime, as does all that waits for it.
    turns.await.ok();
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
            AWAKE.notify_one();
        }
    }
}

/// Who drives the runtime for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// The runtime's own thread.
    Own,
    /// A thread of Java, which waits for the call.
    Java,
}

/// Keeps the runtime while it lives.
pub(super) struct Use {
    handle: Handle,
    driver: Driver,
}

impl Use {
    pub(super) fn begin(driver: Driver) -> Result<Self, Failure> {
        let mut context = context();
        let handle = context.runtime()?.handle().clone();
        context.users += 1;
        context.idle_since = None;
        if driver == Driver::Own {
            context.undriven += 1;
            AWAKE.notify_one();
        }
        Ok(Self { handle, driver })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits on a thread of Java, and drives the runtime meanwhile if nobody else does.
    pub(super) fn wait<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        refuse_own_thread()?;
        let runtime = context().runtime()?;
        Ok(runtime.block_on(work))
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut context = context();
        context.users = context.users.saturating_sub(1);
        if self.driver == Driver::Own {
            context.undriven = context.undriven.saturating_sub(1);
            if context.undriven == 0 {
                DRIVEN.notify_one();
            }
        }
        if context.users == 0 {
            context.idle_since = Some(Instant::now());
            if context.agents == 0 {
                AWAKE.notify_one();
            }
        }
    }
}

/// Waiting on a thread that drives the runtime would stop all that runs there.
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
