//! What whoever answers a request tells of its connection, and takes of the memory that all share.

use std::sync::Arc;

use super::memory::{Memory, Share};
use super::places::Occupant;

/// The connection that a request came over, among the extensions of the request.
#[derive(Clone)]
pub(crate) struct Standing {
    pub(super) occupant: Arc<Occupant>,
    pub(super) memory: Arc<Memory>,
    pub(super) unknown_body: usize,
}

impl Standing {
    /// Whoever is at the other end has shown who it is: it keeps its place before others.
    pub(crate) fn set_known(&self) {
        self.occupant.set_known();
    }

    /// What it showed is no good: it is one of the strangers again.
    pub(crate) fn set_unknown(&self) {
        self.occupant.set_unknown();
    }

    /// The request is there as a whole: its connection is kept until it is answered.
    pub(crate) fn set_received(&self) {
        self.occupant.set_working();
    }

    /// Begins a body, of a caller that is not known yet.
    pub(crate) fn share(&self) -> Share {
        self.memory.share()
    }

    /// Largest body of one that is not known.
    pub(crate) fn unknown_body(&self) -> usize {
        self.unknown_body
    }

    /// A body found no room.
    pub(crate) fn tell_of_no_room(&self) {
        self.memory.refused.count(|times| {
            tracing::warn!(
                times,
                advice = "see who sends so much, or allow more with --body-memory",
                "the memory for request bodies is taken; a request was refused with 503"
            );
        });
    }

    /// A body of a stranger was too large.
    pub(crate) fn tell_of_large_body(&self) {
        self.memory.too_large.count(|times| {
            tracing::warn!(
                times,
                bytes = self.unknown_body,
                advice = "allow more with --unknown-body if these are devices' own",
                "a body without valid credentials was too large; its request was refused with 413"
            );
        });
    }
}
