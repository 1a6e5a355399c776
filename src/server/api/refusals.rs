//! How often somebody was refused for what it sent, whatever it asked for.

use std::sync::Arc;

use super::admission;
use super::callers::Callers;

/// Where that is counted.
#[derive(Clone)]
pub(in crate::server) struct Refusals(pub(super) Arc<Callers>);

impl Refusals {
    /// Why, and how often so far.
    pub(in crate::server) fn all(&self) -> [(&'static str, u64); 3] {
        [
            ("unknown_key", self.0.unknown_keys.seen()),
            ("many_unknown_keys", self.0.unknown_keys.put_off()),
            ("foreign_host", admission::foreign_hosts()),
        ]
    }
}
