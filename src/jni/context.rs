//! The runtime of all agents. A thread of Java that waits drives it meanwhile, so that its call changes no
//! thread; else the library's own thread does. It is made for the first call, and ended when there is nothing
//! to do.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::failure::Failure;
use crate::agent;

/// How long connections are kept for an open agent's next call.
const LINGER: Duration = Duration::from_secs(5);
/// How long after a thread of Java has waited the library's own drives on, unless something needs it sooner:
/// the next one would have to wait for it to leave.
const TAKE_OVER: Duration = Duration::from_millis(100);

static CONTEXT: Mutex<Context> = Mutex::new(Context {
    runtime: None,
    agents: 0,
    users: 0,
    tasks: 0,
    waiting: 0,
    waited: None,
    is_driving: false,
    idle_since: None,
});
/// How often to look whether what was given up has come back from the disk, which may still need the runtime.
const APART_INTERVAL: Duration = Duration::from_millis(20);

/// Tells the library's thread, which drives, that it may be needed no more.
static LEFT: Notify = Notify::const_new();
/// Tells it, which does not, that it may be needed.
static NEEDED: Condvar = Condvar::new();

struct Context {
    runtime: Option<Arc<Runtime>>,
    agents: usize,
    users: usize,
    /// Calls that no thread of Java drives.
    tasks: usize,
    /// Threads of Java that drive the runtime, or wait for the one that does.
    waiting: usize,
    /// When the last of them was done.
    waited: Option<Instant>,
    /// Whether the library's thread does.
    is_driving: bool,
    idle_since: Option<Instant>,
}

fn context() -> MutexGuard<'static, Context> {
    CONTEXT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    fn runtime(&mut self) -> Result<&Arc<Runtime>, Failure> {
        let runtime = match self.runtime.take() {
            Some(runtime) => runtime,
            None => {
                let failed = |error| Failure::of("internal", &error);
                let built = Builder::new_current_thread()
                    .thread_name("gatehand")
                    .enable_all()
                    .build();
                let runtime = Arc::new(built.map_err(failed)?);
                let driven = Arc::clone(&runtime);
                thread::Builder::new()
                    .name("gatehand".to_owned())
                    .spawn(move || drive(driven))
                    .map_err(failed)?;
                // Whoever it is made for is about to say what drives it.
                self.waited = Some(Instant::now());
                runtime
            }
        };
        Ok(self.runtime.insert(runtime))
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

    fn needs_own_thread(&self) -> bool {
        let nobody_comes = self.agents == 0
            || self
                .waited
                .is_none_or(|waited| waited.elapsed() >= TAKE_OVER);
        self.tasks > 0 || (self.waiting == 0 && nobody_comes)
    }

    /// Has the library's thread look what there is to do.
    fn wake_own_thread(&self) {
        match self.is_driving {
            true => LEFT.notify_one(),
            false => NEEDED.notify_one(),
        }
    }
}

/// What the library's thread does until the runtime ends.
fn drive(runtime: Arc<Runtime>) {
    while is_needed() {
        runtime.block_on(until_not_needed());
    }
    // What looks up a name may still be waiting, which nobody else should.
    if let Some(runtime) = Arc::into_inner(runtime) {
        runtime.shutdown_background();
    }
}

/// Waits until the library's thread is needed; `false` if the runtime is not, and whoever comes next gets
/// another one.
fn is_needed() -> bool {
    let mut context = context();
    loop {
        if context.remaining().is_zero() {
            context.runtime = None;
            return false;
        }
        if context.needs_own_thread() {
            context.is_driving = true;
            return true;
        }
        let waited = NEEDED.wait_timeout(context, TAKE_OVER);
        context = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

async fn until_not_needed() {
    while let Some(remaining) = remaining() {
        timeout(remaining, LEFT.notified()).await.ok();
    }
}

/// How long the library's thread is needed yet, if at all.
fn remaining() -> Option<Duration> {
    let mut context = context();
    let remaining = context.remaining();
    if remaining.is_zero() || (context.tasks == 0 && context.waiting > 0) {
        context.is_driving = false;
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
            context.wake_own_thread();
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
        let runtime = context.runtime()?.handle().clone();
        context.users += 1;
        context.idle_since = None;
        Ok(Self { runtime })
    }

    /// Waits on a thread of Java, which drives the runtime meanwhile unless another one does.
    pub(super) fn wait<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        refuse_own_thread()?;
        let waiting = Waiting::begin()?;
        Ok(waiting.runtime.block_on(work))
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut context = context();
        context.users = context.users.saturating_sub(1);
        if context.users == 0 {
            context.idle_since = Some(Instant::now());
            if context.agents == 0 {
                context.wake_own_thread();
            }
        }
    }
}

/// What goes on by itself on the runtime.
pub(super) struct Task {
    uses: Use,
}

impl Task {
    pub(super) fn begin() -> Result<Self, Failure> {
        let uses = Use::begin()?;
        let mut context = context();
        context.tasks += 1;
        if !context.is_driving {
            context.wake_own_thread();
        }
        Ok(Self { uses })
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.uses.runtime
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let mut context = context();
        context.tasks = context.tasks.saturating_sub(1);
    }
}

/// A thread of Java that waits. The runtime outlives it, as who waits uses it.
struct Waiting {
    runtime: Arc<Runtime>,
}

impl Waiting {
    fn begin() -> Result<Self, Failure> {
        let mut context = context();
        let runtime = Arc::clone(context.runtime()?);
        context.waiting += 1;
        if context.is_driving && context.tasks == 0 {
            context.wake_own_thread();
        }
        Ok(Self { runtime })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut context = context();
        context.waiting = context.waiting.saturating_sub(1);
        context.waited = Some(Instant::now());
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// There is one context for all, and these look who drives it.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    async fn driver() -> thread::ThreadId {
        let driver = tokio::spawn(async { thread::current().id() });
        driver.await.unwrap()
    }

    fn alone() -> MutexGuard<'static, ()> {
        ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn until(mut is_so: impl FnMut() -> bool) {
        while !is_so() {
            thread::yield_now();
        }
    }

    #[test]
    fn who_waits_drives_again_after_the_own_thread_took_over() {
        let _alone = alone();
        let _resident = Resident::begin();
        let uses = Use::begin().unwrap();
        let own = thread::current().id();
        for _ in 0..2 {
            uses.wait(async {}).unwrap();
            until(|| context().is_driving);
            // It leaves when it hears that somebody waits.
            until(|| uses.wait(driver()).unwrap() == own);
            assert_eq!(uses.wait(driver()).unwrap(), own);
        }
    }

    #[test]
    fn what_nobody_waits_for_goes_on_whoever_comes_and_goes() {
        let _alone = alone();
        let task = Task::begin().unwrap();
        let (send, receive) = mpsc::channel();
        let (go_on, gone_on) = tokio::sync::oneshot::channel();
        let _working = task.runtime().spawn(async move {
            gone_on.await.unwrap();
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_millis(1)).await;
                send.send(()).unwrap();
            }
        });
        let uses = Use::begin().unwrap();
        uses.wait(async { go_on.send(()).unwrap() }).unwrap();
        for number in 0..20 {
            if number % 2 == 0 {
                uses.wait(async { tokio::time::sleep(Duration::from_millis(1)).await })
                    .unwrap();
            }
            receive.recv_timeout(Duration::from_secs(60)).unwrap();
        }
    }

    #[test]
    fn many_wait_at_once_and_none_is_left_behind() {
        let _alone = alone();
        let waiting: Vec<_> = (0..8)
            .map(|_| {
                thread::spawn(|| {
                    for _ in 0..200 {
                        let uses = Use::begin().unwrap();
                        uses.wait(driver()).unwrap();
                    }
                })
            })
            .collect();
        for thread in waiting {
            thread.join().unwrap();
        }
    }

    #[test]
    fn it_ends_with_its_last_user_where_no_agent_is_open() {
        let _alone = alone();
        let uses = Use::begin().unwrap();
        uses.wait(async {}).unwrap();
        let runtime = Arc::downgrade(context().runtime().unwrap());
        drop(uses);
        until(|| runtime.strong_count() == 0);
        assert!(context().runtime.is_none());
    }
}
