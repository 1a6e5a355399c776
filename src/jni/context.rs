//! The runtime of all agents: made for the first call, and ended when there is nothing to do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use super::policy::Failure;

const WORKERS: usize = 2;
/// How long an open agent's threads wait for the next call, with connections open.
const LINGER: Duration = Duration::from_secs(5);

static CONTEXT: Mutex<Context> = Mutex::new(Context {
    runtime: None,
    agents: 0,
    users: 0,
    idle: 0,
});

struct Context {
    runtime: Option<Runtime>,
    agents: usize,
    users: usize,
    /// Counts the times that nobody used it.
    idle: u64,
}

fn context() -> MutexGuard<'static, Context> {
    CONTEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    /// Ends the threads unless they have something to do.
    fn end_if_idle(&mut self) {
        if self.users == 0
            && let Some(runtime) = self.runtime.take()
        {
            runtime.shutdown_background();
        }
    }
}

/// An agent is open, so that threads may wait for its next call.
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
            context.end_if_idle();
        }
    }
}

/// Keeps the runtime's threads while it lives.
pub(super) struct Use(Handle);

impl Use {
    pub(super) fn begin() -> Result<Self, Failure> {
        let mut context = context();
        let handle = match &context.runtime {
            Some(runtime) => runtime.handle().clone(),
            None => {
                let built = Builder::new_multi_thread()
                    .worker_threads(WORKERS)
                    .thread_name("gatehand")
                    .enable_all()
                    .build();
                let runtime = built.map_err(|error| Failure::of("internal", &error))?;
                context.runtime.insert(runtime).handle().clone()
            }
        };
        context.users += 1;
        Ok(Self(handle))
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.0
    }

    /// Waits on a thread of Java, or on one of ours from which Java was told something.
    pub(super) fn wait<F: Future>(&self, work: F) -> F::Output {
        match Handle::try_current() {
            Ok(_) => tokio::task::block_in_place(|| self.0.block_on(work)),
            Err(_) => self.0.block_on(work),
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut context = context();
        context.users = context.users.saturating_sub(1);
        if context.users > 0 {
            return;
        }
        if context.agents == 0 {
            context.end_if_idle();
            return;
        }
        context.idle += 1;
        let since = context.idle;
        self.0.spawn(async move {
            tokio::time::sleep(LINGER).await;
            let mut context = self::context();
            if context.idle == since {
                context.end_if_idle();
            }
        });
    }
}
