//! What a running daemon is told from outside.

use std::sync::Arc;

use tokio::sync::watch;

use super::adjustable::Adjustable;

/// What a running daemon is told from outside.
pub struct Told {
    /// Becomes true when it is to end.
    pub stop: watch::Receiver<bool>,
    /// Changes when it is to look at everything now.
    pub look: watch::Receiver<u64>,
    /// What holds now of what may change. It is to look at everything after a change, too.
    pub settings: watch::Receiver<Arc<Adjustable>>,
}

impl Told {
    /// What holds of the settings now, which is no news after that.
    pub(super) fn now(&mut self) -> Arc<Adjustable> {
        Arc::clone(&self.settings.borrow_and_update())
    }
}
