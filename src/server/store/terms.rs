//! What goes with a change besides the change itself.

use jiff::{SignedDuration, Timestamp};

use super::decision::Decision;
use crate::seal::SealError;
use crate::server::installation_keys::KeptId;
use crate::server::model::Expected;

/// An answer to be kept, so that a retry gets it again.
pub struct KeptAnswer {
    /// Sealed: the store can't read it.
    pub sealed: Vec<u8>,
    /// Of refusals only the newest [`REFUSALS_KEPT`] of an address are kept; nothing else is bounded.
    pub refused_to: Option<Vec<u8>>,
    /// The row of the device that it was told to: it goes with the key that it was asked by.
    pub device: Option<i64>,
}

/// How long an answer is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Since when an answer must have been kept to be repeated at `now`.
pub fn oldest_kept(now: Timestamp) -> Timestamp {
    now.checked_sub(KEPT_FOR).unwrap_or(Timestamp::MIN)
}

/// How many refusals are kept for one address.
pub const REFUSALS_KEPT: u64 = 256;

/// Makes an answer out of what a change came to; again, if its transaction has to be done again.
pub type Render<T> = dyn Fn(&T) -> Result<KeptAnswer, SealError> + Send;

/// How to keep the answer to a change, inside its transaction.
pub struct Keep<T> {
    /// Where a retry finds it.
    pub id: KeptId,
    /// Makes the answer.
    pub render: Box<Render<T>>,
}

/// What goes with a change.
pub struct Terms<T> {
    /// By which the caller may give the change up.
    pub decision: Decision,
    /// As what the thing must be found that is to be changed.
    pub expected: Expected,
    /// How to keep the answer, if it is to be kept.
    pub keep: Option<Keep<T>>,
}

impl<T> Default for Terms<T> {
    fn default() -> Self {
        Self {
            decision: Decision::default(),
            expected: Expected::default(),
            keep: None,
        }
    }
}
