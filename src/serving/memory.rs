//! The memory that all bodies in flight share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::seldom::Seldom;

/// The memory that all bodies in flight share. Half of it is for callers that are known.
pub(crate) struct Memory {
    all: Part,
    unknown: Part,
    pub(super) refused: Seldom,
    pub(super) too_large: Seldom,
}

/// What is taken of it for one body; given back when dropped.
pub(crate) struct Share {
    memory: Arc<Memory>,
    bytes: usize,
    is_known: bool,
}

struct Part {
    size: usize,
    taken: AtomicUsize,
    /// How much was taken at once at most, since that was last asked.
    highest: AtomicUsize,
}

impl Part {
    fn new(size: usize) -> Self {
        Self {
            size,
            taken: AtomicUsize::new(0),
            highest: AtomicUsize::new(0),
        }
    }

    fn take(&self, bytes: usize) -> bool {
        let add = |taken: usize| taken.checked_add(bytes).filter(|sum| *sum <= self.size);
        let added = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        if let Ok(before) = added {
            self.highest.fetch_max(before + bytes, Ordering::Relaxed);
        }
        added.is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Memory {
    pub(crate) fn new(size: usize) -> Arc<Self> {
        Arc::new(Self {
            all: Part::new(size),
            unknown: Part::new(size / 2),
            refused: Seldom::default(),
            too_large: Seldom::default(),
        })
    }

    /// How much has been taken at once at most since this was last asked, and how much is.
    pub(super) fn highest_and_now(&self) -> (usize, usize) {
        let now = self.all.taken.load(Ordering::Relaxed);
        (self.all.highest.swap(now, Ordering::Relaxed), now)
    }

    /// How much is taken, and how much there is.
    #[cfg(feature = "server")]
    pub(super) fn held_and_limit(&self) -> (usize, usize) {
        (self.all.taken.load(Ordering::Relaxed), self.all.size)
    }

    /// Begins a body of a caller that is not known yet.
    pub(crate) fn share(self: &Arc<Self>) -> Share {
        Share {
            memory: Arc::clone(self),
            bytes: 0,
            is_known: false,
        }
    }
}

impl Share {
    /// Takes more bytes, if there are so many.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        if !self.is_known && !self.memory.unknown.take(bytes) {
            return false;
        }
        let is_taken = self.memory.all.take(bytes);
        match is_taken {
            true => self.bytes += bytes,
            false if !self.is_known => self.memory.unknown.give_back(bytes),
            false => {}
        }
        is_taken
    }

    /// Has it count as one of a known caller.
    pub(crate) fn set_known(&mut self) {
        if !std::mem::replace(&mut self.is_known, true) {
            self.memory.unknown.give_back(self.bytes);
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        self.is_known
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.all.give_back(self.bytes);
        if !self.is_known {
            self.memory.unknown.give_back(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strangers_leave_half_of_it_to_those_that_are_known() {
        let memory = Memory::new(100);
        let mut stranger = memory.share();
        assert!(stranger.take(50));
        assert!(!memory.share().take(1));
        let mut known = memory.share();
        known.set_known();
        assert!(known.take(50));
        assert!(!known.take(1));
        drop(stranger);
        assert!(known.take(50));
    }

    proptest! {
        #[test]
        fn no_more_is_taken_than_there_is_and_all_is_given_back(
            steps in prop::collection::vec((0_usize..4, 0_usize..60, any::<bool>()), 0..200),
        ) {
            let memory = Memory::new(100);
            let mut shares: Vec<Share> = (0..4).map(|_| memory.share()).collect();
            for (at, bytes, ends) in steps {
                if ends {
                    shares[at] = memory.share();
                } else if bytes == 0 {
                    shares[at].set_known();
                } else {
                    shares[at].take(bytes);
                }
                let held = |known: bool| -> usize {
                    let held = shares.iter().filter(|share| known || !share.is_known);
                    held.map(|share| share.bytes).sum()
                };
                prop_assert!(held(true) <= 100 && held(false) <= 50);
                prop_assert_eq!(memory.all.taken.load(Ordering::Relaxed), held(true));
                prop_assert_eq!(memory.unknown.taken.load(Ordering::Relaxed), held(false));
            }
        }
    }
}
