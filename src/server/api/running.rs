//! The requests with an idempotency key that are being done now.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::server::installation_keys::KeptId;

/// What is running, which only this process knows.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<KeptId>>>);

/// Marks a request as running until it is dropped.
pub(super) struct Mark {
    running: Running,
    id: KeptId,
}

impl Running {
    /// Marks a request as running, unless it is already.
    pub(super) fn begin(&self, id: KeptId) -> Option<Mark> {
        let begun = self.lock().insert(id);
        begun.then(|| Mark {
            running: self.clone(),
            id,
        })
    }

    pub(super) fn contains(&self, id: &KeptId) -> bool {
        self.lock().contains(id)
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<KeptId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
    }
}
