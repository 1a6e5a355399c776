//! Sessions whose use is being noted: each once at a time, however many pages it asks for.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::server::installation_keys::KeyHash;

/// Sessions whose use is being noted.
#[derive(Clone, Default)]
pub(super) struct Noting(Arc<Mutex<HashSet<KeyHash>>>);

/// One of them, until it is dropped.
pub(super) struct Noted {
    all: Noting,
    session: KeyHash,
}

impl Noting {
    /// Takes a session, unless it is taken.
    pub(super) fn begin(&self, session: KeyHash) -> Option<Noted> {
        let is_new = self.sessions().insert(session);
        is_new.then(|| Noted {
            all: self.clone(),
            session,
        })
    }

    fn sessions(&self) -> MutexGuard<'_, HashSet<KeyHash>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        self.all.sessions().remove(&self.session);
    }
}
