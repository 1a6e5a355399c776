//! How often an address may send keys and tokens that nobody has.
//!
//! A key is always looked up, and one that is known is served whatever else comes from its address: a
//! fleet behind one address is never held up by someone else there. So this hinders no guess, which
//! the length of the keys does; it keeps whoever sends nonsense from being answered at once, and tells.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::client::Client;
use crate::seldom::Seldom;
use crate::server::tally::Count;

/// Addresses are spread over so many places by a hash that nobody can foresee, so that memory does not
/// grow: those who meet at one place share what they may.
const PLACES: usize = 16 * 1024;

/// In which so many may come as are allowed, all at once or one after another.
const WINDOW: Duration = Duration::from_secs(60);

/// Counts the unknown keys of each address.
pub(in crate::server) struct UnknownKeys {
    begin: Instant,
    /// Nanoseconds that one of them takes of the window; none if they are not limited.
    each: Option<u64>,
    /// Until when, since the beginning, the window of each place is taken.
    taken: Box<[AtomicU64]>,
    hash: RandomState,
    told: Seldom,
    seen: Count,
}

impl UnknownKeys {
    /// Lets so many of each address come in a minute; any number, if it is 0.
    pub(in crate::server) fn per_minute(count: u32) -> Self {
        let each = nanoseconds(WINDOW).checked_div(u64::from(count));
        let places = each.map_or(0, |_| PLACES);
        Self {
            begin: Instant::now(),
            each,
            taken: (0..places).map(|_| AtomicU64::new(0)).collect(),
            hash: RandomState::new(),
            told: Seldom::new(),
            seen: Count::default(),
        }
    }

    /// Counts a key that nobody has; where too many came, the seconds until the next may come.
    pub(in crate::server) fn too_many(&self, client: &Client) -> Option<u64> {
        self.seen.one();
        let counted = self.count(&client.group(), nanoseconds(self.begin.elapsed()));
        let wait = counted.err()?;
        self.told.count(|times| {
            tracing::warn!(
                client = client.address.map(tracing::field::display),
                times,
                "an address sends many keys that nobody has: they get 429 for a while \
                 (--unknown-keys-per-minute), those that are known are served"
            );
        });
        Some(wait.as_secs() + 1)
    }

    /// How many there were so far.
    pub(super) fn seen(&self) -> u64 {
        self.seen.get()
    }

    /// How many of them got 429.
    pub(super) fn put_off(&self) -> u64 {
        self.told.total()
    }

    /// Counts one; fails with the time until there is room for another.
    fn count(&self, group: &[u8], now: u64) -> Result<(), Duration> {
        let Some(each) = self.each else { return Ok(()) };
        let hash = self.hash.hash_one(group) % PLACES as u64;
        let place = usize::try_from(hash).ok().and_then(|at| self.taken.get(at));
        let Some(place) = place else { return Ok(()) };
        let room_until = now.saturating_add(nanoseconds(WINDOW));
        let next = |taken: u64| taken.max(now).saturating_add(each);
        let counted = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
            Some(next(taken)).filter(|next| *next <= room_until)
        });
        counted
            .map(|_| ())
            .map_err(|taken| Duration::from_nanos(next(taken).saturating_sub(room_until)))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn so_many_come_at_once_and_then_as_many_a_minute() {
        let keys = UnknownKeys::per_minute(30);
        for _ in 0..30 {
            assert_eq!(keys.count(b"a", SECOND), Ok(()));
        }
        assert_eq!(keys.count(b"a", SECOND), Err(Duration::from_secs(2)));
        assert_eq!(keys.count(b"a", 2 * SECOND), Err(Duration::from_secs(1)));
        assert_eq!(keys.count(b"a", 3 * SECOND), Ok(()));
        assert!(keys.count(b"a", 3 * SECOND).is_err());
        for _ in 0..30 {
            assert_eq!(keys.count(b"a", 100 * SECOND), Ok(()));
        }
        assert!(keys.count(b"a", 100 * SECOND).is_err());
    }

    #[test]
    fn without_a_number_there_is_no_limit_and_no_memory() {
        let keys = UnknownKeys::per_minute(0);
        assert!((0..10_000).all(|_| keys.count(b"a", 0).is_ok()));
        assert!(keys.taken.is_empty());
    }

    proptest! {
        #[test]
        fn in_any_minute_there_are_never_more_than_twice_as_many_and_who_waits_as_told_is_let_in(
            per_minute in 1_u32..200,
            pauses in prop::collection::vec(0..3 * SECOND, 1..400),
        ) {
            let keys = UnknownKeys::per_minute(per_minute);
            let (mut now, mut let_in) = (0, Vec::new());
            for pause in pauses {
                now += pause;
                match keys.count(b"a", now) {
                    Ok(()) => let_in.push(now),
                    Err(wait) => {
                        now += nanoseconds(wait);
                        prop_assert_eq!(keys.count(b"a", now), Ok(()));
                        let_in.push(now);
                    }
                }
                let minute = let_in.iter().filter(|at| **at + 60 * SECOND > now);
                prop_assert!(minute.count() <= 2 * per_minute as usize);
            }
        }
    }
}
