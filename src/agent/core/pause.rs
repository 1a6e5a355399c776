//! How often this process tries what may be left undone, whatever the clock shows and the disk keeps.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From one try to the next.
const PAUSE: Duration = Duration::from_secs(5 * 60);

/// When it was last tried.
#[derive(Default)]
pub(in crate::agent) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// Whether it may be tried now; the next one who asks has to wait then.
    pub(in crate::agent) fn end(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = last.is_none_or(|last| last.elapsed() >= PAUSE);
        if is_over {
            *last = Some(Instant::now());
        }
        is_over
    }
}
