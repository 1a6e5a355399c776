//! What the connections of a listener come to, for whoever wants to know.

use std::sync::atomic::AtomicU64;
#[cfg(feature = "server")]
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "server")]
use super::framing;
use super::memory::Memory;
use super::places::Places;
use crate::seldom::Seldom;

/// The connections of a listener, once it is served.
#[derive(Default)]
pub(crate) struct Traffic {
    kept: OnceLock<(Arc<Places>, Arc<Memory>)>,
    pub(super) accepted: AtomicU64,
    pub(super) not_accepted: Seldom,
    pub(super) not_taken: Seldom,
    pub(super) not_opened: AtomicU64,
}

/// What they come to at one time.
#[cfg(feature = "server")]
pub(crate) struct TrafficFigures {
    /// Connections that there are.
    pub(crate) connections: usize,
    /// Those of callers that have shown who they are, or of trusted proxies.
    pub(crate) known: usize,
    /// How many there may be.
    pub(crate) places: usize,
    /// Bytes that bodies hold.
    pub(crate) body_memory: usize,
    /// How many they may.
    pub(crate) body_memory_limit: usize,
    /// Connections that came.
    pub(crate) accepted: u64,
    /// Why something was closed or refused, and how often.
    pub(crate) refused: [(&'static str, u64); 9],
}

impl Traffic {
    pub(super) fn begins(&self, places: &Arc<Places>, memory: &Arc<Memory>) {
        let _ = self.kept.set((Arc::clone(places), Arc::clone(memory)));
    }

    /// What they come to now; nothing before it is served.
    #[cfg(feature = "server")]
    pub(crate) fn figures(&self) -> Option<TrafficFigures> {
        let (places, memory) = self.kept.get()?;
        let (connections, known) = places.taken_and_known();
        let (body_memory, body_memory_limit) = memory.held_and_limit();
        let [pushed_out, turned_away] = places.closed();
        Some(TrafficFigures {
            connections,
            known,
            places: places.capacity(),
            body_memory,
            body_memory_limit,
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: [
                ("place_given_to_another", pushed_out),
                ("no_place", turned_away),
                ("not_accepted", self.not_accepted.total()),
                ("no_tls", self.not_opened.load(Ordering::Relaxed)),
                ("answer_not_taken", self.not_taken.total()),
                ("no_body_memory", memory.refused.total()),
                ("body_of_unknown_too_large", memory.too_large.total()),
                ("doubtful_framing", framing::refused()),
                ("clock_wrong", super::clock::refused()),
            ],
        })
    }
}
