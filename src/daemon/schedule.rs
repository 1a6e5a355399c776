//! When the server is asked next: regularly while it answers, ever more seldom while it does not.

use std::time::Duration;

use tokio::time::Instant;

/// After the first failure in a row.
const FIRST_RETRY: Duration = Duration::from_secs(5);
/// By how much of it a wait may be shorter or longer, so that kiosks that were switched on at once do not ask at once.
const JITTER: f64 = 0.1;

/// When one question is asked.
#[derive(Debug)]
pub(super) struct Schedule {
    every: Duration,
    failures: u32,
    next: Instant,
}

impl Schedule {
    /// For a question that is asked now, and then regularly.
    pub(super) fn new(every: Duration, now: Instant) -> Self {
        Self {
            every,
            failures: 0,
            next: now,
        }
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next <= now
    }

    /// `chance`: of 0 to 1, anew each time.
    pub(super) fn answered(&mut self, now: Instant, chance: f64) {
        self.failures = 0;
        self.next = now + spread(self.every, chance);
    }

    /// The wait doubles, up to the regular one.
    pub(super) fn failed(&mut self, now: Instant, chance: f64) {
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.next = now + spread(doubled.min(self.every), chance);
    }

    /// What was in the way may be gone.
    pub(super) fn hope(&mut self, now: Instant) {
        if self.failures > 0 {
            self.failures = 0;
            self.next = now;
        }
    }

    /// Somebody wants to know now.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.next = now;
    }
}

fn spread(wait: Duration, chance: f64) -> Duration {
    wait.mul_f64(1.0 + JITTER * (2.0 * chance.clamp(0.0, 1.0) - 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVERY: Duration = Duration::from_secs(300);

    #[test]
    fn it_is_asked_regularly_but_not_by_all_at_once() {
        let now = Instant::now();
        let mut schedule = Schedule::new(EVERY, now);
        assert!(schedule.is_due(now));
        for (chance, expected) in [(0.0, 270), (0.5, 300), (1.0, 330), (7.0, 330)] {
            schedule.answered(now, chance);
            assert_eq!(schedule.next(), now + Duration::from_secs(expected));
            assert!(!schedule.is_due(now));
        }
    }

    #[test]
    fn a_server_that_is_away_for_days_is_asked_ever_more_seldom_and_at_once_when_the_network_is_back()
     {
        let mut now = Instant::now();
        let mut schedule = Schedule::new(EVERY, now);
        let mut waits = Vec::new();
        for _ in 0..1000 {
            schedule.failed(now, 0.5);
            waits.push((schedule.next() - now).as_secs());
            now = schedule.next();
        }
        assert_eq!(waits[..8], [5, 10, 20, 40, 80, 160, 300, 300]);
        assert!(waits[6..].iter().all(|&wait| wait == 300));
        schedule.failed(now, 0.5);
        schedule.hope(now);
        assert!(schedule.is_due(now));
        schedule.failed(now, 0.5);
        assert_eq!((schedule.next() - now).as_secs(), 5);
        schedule.answered(now, 0.5);
        schedule.hope(now);
        assert!(
            !schedule.is_due(now),
            "a network that was there is no reason to ask"
        );
    }

    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    /// The longest that may pass between two tries.
    const PATIENCE: Duration = Duration::from_secs(330);

    proptest! {
        #[test]
        fn a_week_of_a_network_that_comes_and_goes_leaves_it_neither_asleep_nor_a_burden(
            spans in prop::collection::vec(1u64..50_000, 2..400),
            is_told_of_networks in any::<bool>(),
            chances in prop::collection::vec(0.0..1.0f64, 1..50),
        ) {
            let mut chances = chances.into_iter().cycle();
            let begin = Instant::now();
            let mut schedule = Schedule::new(EVERY, begin);
            let (mut is_up, mut since, mut changes, mut tries) = (true, begin, 0u64, 0u64);
            let (mut last, mut has_failed) = (begin, false);
            for span in spans.into_iter().cycle() {
                if since - begin > WEEK {
                    break;
                }
                if is_up && is_told_of_networks {
                    schedule.hope(since);
                    prop_assert!(!has_failed || schedule.next() == since, "it asks at once");
                }
                since += Duration::from_secs(span);
                while schedule.next() <= since {
                    let now = schedule.next();
                    prop_assert!(now - last <= PATIENCE);
                    (last, has_failed) = (now, !is_up);
                    let chance = chances.next().unwrap();
                    match is_up {
                        true => schedule.answered(now, chance),
                        false => schedule.failed(now, chance),
                    }
                    tries += 1;
                }
                (is_up, changes) = (!is_up, changes + 1);
            }
            // A heartbeat at least every 270 seconds, and for each time the network goes six more tries until it is as seldom.
            let most = (since - begin).as_secs() / 270 + 7 * (changes + 1);
            prop_assert!(tries <= most, "{tries} of {most}");
        }
    }
}
