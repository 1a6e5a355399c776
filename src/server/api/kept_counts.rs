//! How many answers were kept, and given again.

use crate::server::tally::Count;

/// How many answers were kept, and given again.
#[derive(Default)]
pub(in crate::server) struct KeptCounts {
    pub(in crate::server) kept: Count,
    pub(in crate::server) repeated: Count,
}
