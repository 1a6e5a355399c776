//! What the bridge keeps for all agents: the runtime, and what was looked up in Java.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jni::objects::{JClass, JObject};
use jni::refs::Global;
use jni::{Env, jni_str};
use tokio::runtime::{Builder, Handle, Runtime};

use super::policy::Failure;

const WORKERS: usize = 2;
/// How long threads wait for the next call, with connections open.
const LINGER: Duration = Duration::from_secs(5);

static FAILURES: OnceLock<Global<JClass<'static>>> = OnceLock::new();
static GLOBALS: AtomicI64 = AtomicI64::new(0);
static RUNTIME: Mutex<Kept> = Mutex::new(Kept {
    runtime: None,
    users: 0,
    idle: 0,
});

struct Kept {
    runtime: Option<Runtime>,
    users: usize,
    /// Counts the times that nobody used it.
    idle: u64,
}

/// Looked up on a thread of Java: others may not see the app's classes.
pub(super) fn failures(env: &mut Env<'_>) -> jni::errors::Result<&'static Global<JClass<'static>>> {
    if let Some(class) = FAILURES.get() {
        return Ok(class);
    }
    let class = env.find_class(jni_str!("io/gatehand/internal/Failures"))?;
    let class = env.new_global_ref(class)?;
    Ok(FAILURES.get_or_init(|| class))
}

/// A global reference that is counted.
pub(super) struct Counted(Global<JObject<'static>>);

impl Counted {
    pub(super) fn new(env: &Env<'_>, object: &JObject<'_>) -> jni::errors::Result<Self> {
        let global = env.new_global_ref(object)?;
        GLOBALS.fetch_add(1, Ordering::Relaxed);
        Ok(Self(global))
    }

    pub(super) fn object(&self) -> &JObject<'static> {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        GLOBALS.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn globals() -> i64 {
    GLOBALS.load(Ordering::Relaxed)
}

/// Keeps the runtime's threads while it lives.
pub(super) struct Use(Handle);

impl Use {
    pub(super) fn begin() -> Result<Self, Failure> {
        let mut kept = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
        let handle = match &kept.runtime {
            Some(runtime) => runtime.handle().clone(),
            None => {
                let built = Builder::new_multi_thread()
                    .worker_threads(WORKERS)
                    .thread_name("gatehand")
                    .enable_all()
                    .build();
                let runtime = built.map_err(|error| Failure::of("internal", &error))?;
                kept.runtime.insert(runtime).handle().clone()
            }
        };
        kept.users += 1;
        Ok(Self(handle))
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.0
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut kept = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
        kept.users = kept.users.saturating_sub(1);
        if kept.users == 0 {
            kept.idle += 1;
            let since = kept.idle;
            self.0.spawn(async move {
                tokio::time::sleep(LINGER).await;
                end_if_idle(Some(since));
            });
        }
    }
}

/// Ends the threads if nothing runs, and nothing did since the time it was idle for the `since`th time.
pub(super) fn end_if_idle(since: Option<u64>) {
    let mut kept = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.users == 0
        && since.is_none_or(|since| since == kept.idle)
        && let Some(runtime) = kept.runtime.take()
    {
        runtime.shutdown_background();
    }
}
