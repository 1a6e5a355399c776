//! What a running daemon is told from outside.

use tokio::sync::watch;

/// What a running daemon is told from outside.
pub struct Told {
    /// Becomes true when it is to end.
    pub stop: watch::Receiver<bool>,
    /// Changes when it is to look at everything now.
    pub look: watch::Receiver<u64>,
}
