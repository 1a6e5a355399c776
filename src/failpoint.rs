//! Places where a test kills the process, to see what a crash there leaves behind.
//!
//! Without the feature `failpoints`, which is for tests only, they are nothing. With it,
//! `GATEHAND_KILL_AT=N` ends the process at the N-th place it reaches, `GATEHAND_PANIC_AT=NAME`
//! panics when a place is reached for the first time, and `GATEHAND_FAILPOINTS_TRACE=FILE` adds the
//! name of each to a file, a line each.

/// Marks a step that a crash may follow; the name is the same in all of the program's life.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) fn reach(_name: &'static str) {}

#[cfg(feature = "failpoints")]
pub(crate) use armed::reach;

#[cfg(feature = "failpoints")]
mod armed {
    use std::env;
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    static REACHED: AtomicUsize = AtomicUsize::new(0);
    static PANICKED: AtomicBool = AtomicBool::new(false);

    /// Marks a step that a crash may follow, and crashes there if it is the chosen one.
    #[allow(
        clippy::panic,
        reason = "a test asks for it, to see what becomes of a panic"
    )]
    pub(crate) fn reach(name: &'static str) {
        let number = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
        // A trace that can't be written is missed by the test that asked for it.
        if let Some(trace) = env::var_os("GATEHAND_FAILPOINTS_TRACE")
            && let Ok(mut trace) = OpenOptions::new().append(true).create(true).open(trace)
        {
            let _ = trace.write_all(format!("{name}\n").as_bytes());
        }
        if env::var("GATEHAND_PANIC_AT").is_ok_and(|chosen| chosen == name)
            && !PANICKED.swap(true, Ordering::SeqCst)
        {
            panic!("reached {name:?}");
        }
        let chosen = env::var("GATEHAND_KILL_AT").ok();
        if chosen.and_then(|chosen| chosen.parse().ok()) == Some(number) {
            let _ = kill_process(getpid(), Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }
}
