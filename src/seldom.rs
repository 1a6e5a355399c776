//! What is told at most once a minute, however often it happens: a stranger must not fill the log.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often one thing is told at most.
const INTERVAL: Duration = Duration::from_secs(60);

/// From when times are counted.
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// One thing that is told at most once a minute.
#[derive(Debug, Default)]
pub(crate) struct Seldom {
    /// Until when it is not told again, in milliseconds.
    until: AtomicU64,
    untold: AtomicU64,
    total: AtomicU64,
}

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self {
            until: AtomicU64::new(0),
            untold: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// Counts that it happened, and has `tell` say how often since it was told before, if it is time.
    pub(crate) fn count(&self, tell: impl FnOnce(u64)) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if let Some(untold) = self.at(milliseconds(BEGIN.elapsed())) {
            tell(untold + 1);
        }
    }

    /// How often it happened.
    #[cfg(feature = "server")]
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// If it is to be told now, how often it was not told before.
    fn at(&self, now: u64) -> Option<u64> {
        let until = self.until.load(Ordering::Relaxed);
        let next = now.saturating_add(milliseconds(INTERVAL));
        let is_due = until <= now
            && self
                .until
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_due {
            return Some(self.untold.swap(0, Ordering::Relaxed));
        }
        self.untold.fetch_add(1, Ordering::Relaxed);
        None
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_once_a_minute_with_what_was_left_out() {
        let minute = milliseconds(INTERVAL);
        let seldom = Seldom::new();
        assert_eq!(seldom.at(5), Some(0));
        assert_eq!(seldom.at(5), None);
        assert_eq!(seldom.at(minute), None);
        assert_eq!(seldom.at(minute + 5), Some(2));
        assert_eq!(seldom.at(3 * minute), Some(0));
    }
}
