//! Tells in the log that a limit bites, without a line for each time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines of one kind.
const INTERVAL: Duration = Duration::from_secs(60);

/// A kind of thing that is told at once, and then at most once an interval.
#[derive(Default)]
pub(crate) struct Notice(Mutex<Since>);

#[derive(Default)]
struct Since {
    told: Option<Instant>,
    count: u64,
}

impl Notice {
    /// Counts one more, and has `tell` say how many there were since it was last said, if it is time.
    pub(crate) fn count(&self, tell: impl FnOnce(u64)) {
        let due = {
            let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            since.count += 1;
            let is_due = since.told.is_none_or(|told| told.elapsed() >= INTERVAL);
            is_due.then(|| {
                since.told = Some(Instant::now());
                std::mem::take(&mut since.count)
            })
        };
        if let Some(times) = due {
            tell(times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_those_after_it_together() {
        let notice = Notice::default();
        let mut told = Vec::new();
        for _ in 0..10 {
            notice.count(|times| told.push(times));
        }
        assert_eq!(told, [1]);
        notice.0.lock().unwrap().told = None;
        notice.count(|times| told.push(times));
        assert_eq!(told, [1, 10]);
    }
}
