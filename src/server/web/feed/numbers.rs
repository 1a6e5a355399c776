//! Which entries of the devices' log were told, by their numbers.
//!
//! Entries count up, but in a database where many write at once one may be there before another that is less: the one
//! who drew the lesser number has not ended its transaction yet, or never will. So what is missing below the last
//! number is looked for again, less and less often, until it is given up.

use std::time::{Duration, Instant};

use crate::server::store::LogRange;

/// How long a missing entry is looked for: as long as the longest transaction may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// After this long it is looked for again the first time.
const SOON: Duration = Duration::from_secs(1);

/// Gaps that are looked into at once, at most, and gaps that are remembered.
const AT_ONCE: usize = 64;
const REMEMBERED: usize = 1024;

/// What was told of the log.
pub(super) struct Numbers {
    last: i64,
    /// By their numbers.
    gaps: Vec<Gap>,
}

/// Numbers below the last that were not there.
#[derive(Clone, Copy)]
struct Gap {
    range: LogRange,
    noticed: Instant,
    next: Instant,
}

impl Numbers {
    /// Begins behind this number: only what comes is told.
    pub(super) fn behind(last: i64) -> Self {
        Self {
            last,
            gaps: Vec::new(),
        }
    }

    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// What is to be read now, where this is the last number that is there.
    pub(super) fn to_read(&self, last: i64, now: Instant) -> Vec<LogRange> {
        let due = self.gaps.iter().filter(|gap| gap.next <= now);
        let mut ranges: Vec<LogRange> = due.take(AT_ONCE).map(|gap| gap.range).collect();
        if last > self.last {
            ranges.push((self.last, i64::MAX));
        }
        ranges
    }

    /// Takes that this entry was found; whether it is a new one.
    pub(super) fn found(&mut self, id: i64, now: Instant) -> bool {
        if id > self.last {
            if id - self.last > 1 {
                self.gaps.push(Gap {
                    range: (self.last, id - 1),
                    noticed: now,
                    next: now + SOON,
                });
                let too_many = self.gaps.len().saturating_sub(REMEMBERED);
                self.gaps.drain(..too_many);
            }
            self.last = id;
            return true;
        }
        let within = |gap: &Gap| gap.range.0 < id && id <= gap.range.1;
        let Some(place) = self.gaps.iter().position(within) else {
            return false;
        };
        let gap = self.gaps.remove(place);
        // Others of its transaction are there as well: they are looked for at once.
        let parts = [(gap.range.0, id - 1), (id, gap.range.1)];
        let parts = parts.into_iter().filter(|(after, last)| after < last);
        let parts = parts.map(|range| Gap {
            range,
            next: now,
            ..gap
        });
        self.gaps.splice(place..place, parts);
        true
    }

    /// Takes that these were read and told as far as they were there.
    pub(super) fn have_read(&mut self, ranges: &[LogRange], now: Instant) {
        for gap in &mut self.gaps {
            if ranges.contains(&gap.range) {
                gap.next = now + (now - gap.noticed).max(SOON);
            }
        }
        self.gaps.retain(|gap| now - gap.noticed < PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Reads what is to be read out of these; what is new of it.
    fn read(numbers: &mut Numbers, there: &BTreeSet<i64>, now: Instant) -> Vec<i64> {
        let ranges = numbers.to_read(there.last().copied().unwrap_or_default(), now);
        let mut new = Vec::new();
        for (after, last) in &ranges {
            for id in there.range(after + 1..=*last) {
                if numbers.found(*id, now) {
                    new.push(*id);
                }
            }
        }
        numbers.have_read(&ranges, now);
        new
    }

    #[test]
    fn an_entry_that_is_there_later_than_one_behind_it_is_told_once() {
        let begin = Instant::now();
        let mut numbers = Numbers::behind(10);
        let mut there = BTreeSet::from([5, 12, 14]);
        assert_eq!(read(&mut numbers, &there, begin), [12, 14]);
        there.extend([11, 13]);
        let later = begin + SOON;
        assert_eq!(read(&mut numbers, &there, later), [11, 13]);
        for seconds in 2..9 {
            let now = begin + Duration::from_secs(seconds);
            assert_eq!(read(&mut numbers, &there, now), [0; 0]);
        }
    }

    #[test]
    fn what_never_comes_is_looked_for_less_and_less_often_and_given_up() {
        let begin = Instant::now();
        let mut numbers = Numbers::behind(0);
        numbers.found(5, begin);
        let mut looks = 0;
        for seconds in 0..=PATIENCE.as_secs() {
            let now = begin + Duration::from_secs(seconds);
            let ranges = numbers.to_read(5, now);
            looks += ranges.len();
            numbers.have_read(&ranges, now);
        }
        assert!((5..20).contains(&looks), "{looks}");
        assert!(numbers.gaps.is_empty());
    }

    proptest! {
        #[test]
        fn each_entry_is_told_exactly_once_in_whichever_order_they_come(
            order in Just((1_i64..60).collect::<Vec<_>>()).prop_shuffle(),
            at_once in 1_usize..9,
        ) {
            let begin = Instant::now();
            let mut numbers = Numbers::behind(0);
            let (mut there, mut told) = (BTreeSet::new(), Vec::new());
            let mut seconds = 0;
            for some in order.chunks(at_once) {
                there.extend(some);
                seconds += 1;
                told.extend(read(&mut numbers, &there, begin + Duration::from_secs(seconds)));
            }
            for _ in 0..200 {
                seconds += 1;
                told.extend(read(&mut numbers, &there, begin + Duration::from_secs(seconds)));
            }
            told.sort_unstable();
            prop_assert_eq!(told, (1..60).collect::<Vec<_>>());
        }
    }
}
