//! Who decides what becomes of a change: its caller, who may give it up, or the writer, who commits it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const OPEN: u8 = 0;
const TAKEN: u8 = 1;
const GIVEN_UP: u8 = 2;

/// What a caller and its change share. The first of both to decide has decided for good: a change
/// that was given up is never done, and one that was taken is told, however long that takes.
#[derive(Clone, Debug, Default)]
pub struct Decision(Arc<AtomicU8>);

impl Decision {
    /// For the caller, whose time is up or who has gone: whether the change is surely not done, now
    /// and later. If not, only the database knows, and its answer has to be waited for.
    pub fn give_up(&self) -> bool {
        self.decide(GIVEN_UP)
    }

    /// For the writer, just before it commits: whether the change may be done.
    pub fn take(&self) -> bool {
        self.decide(TAKEN)
    }

    /// Whether the caller has given the change up.
    pub fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Acquire) == GIVEN_UP
    }

    /// Whether the change may have been done.
    pub fn is_taken(&self) -> bool {
        self.0.load(Ordering::Acquire) == TAKEN
    }

    fn decide(&self, wanted: u8) -> bool {
        let decided = self
            .0
            .compare_exchange(OPEN, wanted, Ordering::AcqRel, Ordering::Acquire);
        decided.is_ok() || decided == Err(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_caller_and_writer_exactly_one_decides() {
        for _ in 0..1000 {
            let decision = Decision::default();
            let (given_up, taken) = std::thread::scope(|threads| {
                let caller = threads.spawn(|| decision.give_up());
                let writer = threads.spawn(|| decision.take());
                (caller.join().unwrap(), writer.join().unwrap())
            });
            assert_ne!(given_up, taken);
            assert_eq!(
                (decision.is_given_up(), decision.is_taken()),
                (given_up, taken)
            );
            assert_eq!((decision.give_up(), decision.take()), (given_up, taken));
        }
    }
}
