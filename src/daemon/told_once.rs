//! Trouble that lasts is told when it begins and when it ends, not each time it is met.

use std::collections::HashSet;

/// How much is remembered: what changes its words all the time is told again.
const MOST: usize = 64;

/// What was told and is still so.
#[derive(Default)]
pub(super) struct ToldOnce(HashSet<String>);

impl ToldOnce {
    /// Tells it in the log, unless it was.
    pub(super) fn tell(&mut self, words: &str) {
        if self.0.len() >= MOST {
            self.0.clear();
        }
        if self.0.insert(words.to_owned()) {
            tracing::warn!("{words}");
        }
    }

    /// It is over; whether there was any.
    pub(super) fn end(&mut self) -> bool {
        !std::mem::take(&mut self.0).is_empty()
    }
}
