//! How fast characters come: a person types, a scanner or a paste does not.

use std::time::{Duration, Instant};

/// What comes without such a pause is one scan.
pub(super) const SILENCE: Duration = Duration::from_millis(300);
/// Longest time for which a scan's repetitions are taken.
pub(super) const REPETITIONS: Duration = Duration::from_secs(2);
/// Nobody types as many characters as fast as this, but scanners and pasting do.
const BURST: u32 = 8;
const BURST_PACE: Duration = Duration::from_millis(50);

/// Characters that came without a silence between them.
#[derive(Default)]
pub(super) struct Run {
    begun: Option<Instant>,
    pub(super) last: Option<Instant>,
    count: u32,
    /// How many of them were not shown yet.
    pub(super) unseen: u32,
}

impl Run {
    pub(super) fn add(&mut self, now: Instant) {
        if self.silence(now) >= SILENCE {
            *self = Self::default();
        }
        self.begun.get_or_insert(now);
        self.last = Some(now);
        self.count += 1;
        self.unseen += 1;
    }

    pub(super) fn silence(&self, now: Instant) -> Duration {
        self.last
            .map_or(Duration::ZERO, |last| now.duration_since(last))
    }

    pub(super) fn is_burst(&self) -> bool {
        let lasted = self.begun.zip(self.last);
        let lasted = lasted.map_or(Duration::MAX, |(begun, last)| last.duration_since(begun));
        self.count >= BURST && lasted < BURST_PACE * self.count
    }
}
