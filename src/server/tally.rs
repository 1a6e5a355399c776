//! How often something was done and how long it took: atomics, so that counting costs next to nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Up to how many microseconds those of each place took; all that took longer have the place behind them.
const BOUNDS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000, 30_000_000,
];

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long things took.
#[derive(Debug, Default)]
pub(super) struct Durations {
    places: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

/// What they were when somebody looked.
pub(super) struct Seen {
    /// In seconds.
    pub(super) sum: f64,
    pub(super) count: u64,
    /// Up to how many seconds, and how many took so long but not less.
    pub(super) places: Vec<(f64, u64)>,
}

impl Durations {
    pub(super) fn add(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|bound| *bound < took);
        if let Some(place) = self.places.get(place) {
            place.fetch_add(1, Ordering::Relaxed);
        }
        self.microseconds.fetch_add(took, Ordering::Relaxed);
    }

    pub(super) fn since(&self, begun: Instant) {
        self.add(begun.elapsed());
    }

    pub(super) fn seen(&self) -> Seen {
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e6);
        let bounds = bounds.chain([f64::INFINITY]);
        let counts = self
            .places
            .iter()
            .map(|place| place.load(Ordering::Relaxed));
        let places: Vec<(f64, u64)> = bounds.zip(counts).collect();
        Seen {
            sum: self.microseconds.load(Ordering::Relaxed) as f64 / 1e6,
            // Of the same look, so that it is what the places add up to.
            count: places.iter().map(|(_, count)| count).sum(),
            places,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_first_place_that_it_fits_into() {
        let durations = Durations::default();
        for microseconds in [0, 250, 251, 1_000_000, 40_000_000] {
            durations.add(Duration::from_micros(microseconds));
        }
        let seen = durations.seen();
        assert_eq!(seen.count, 5);
        assert_eq!(seen.sum, 41.000_501);
        let taken: Vec<(f64, u64)> = seen
            .places
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect();
        assert_eq!(
            taken,
            [(0.00025, 2), (0.0005, 1), (1.0, 1), (f64::INFINITY, 1)]
        );
    }
}
