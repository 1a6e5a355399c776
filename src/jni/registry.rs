//! What Java holds: ids that are never used twice, and what they stand for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::failure::Failure;

static LAST_ID: AtomicI64 = AtomicI64::new(0);

pub(super) fn next_id() -> i64 {
    LAST_ID.fetch_add(1, Ordering::Relaxed) + 1
}

/// Whether an id was given out, be it gone or not.
pub(super) fn was_given(id: i64) -> bool {
    id > 0 && id <= LAST_ID.load(Ordering::Relaxed)
}

pub(super) struct Registry<T> {
    what: &'static str,
    entries: LazyLock<Mutex<HashMap<i64, Arc<T>>>>,
}

impl<T> Registry<T> {
    pub(super) const fn new(what: &'static str) -> Self {
        Self {
            what,
            entries: LazyLock::new(Default::default),
        }
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<i64, Arc<T>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, id: i64, entry: Arc<T>) {
        self.entries().insert(id, entry);
    }

    pub(super) fn find(&self, id: i64) -> Option<Arc<T>> {
        self.entries().get(&id).cloned()
    }

    pub(super) fn get(&self, id: i64) -> Result<Arc<T>, Failure> {
        self.find(id).ok_or_else(|| {
            let words = format!(
                "this {} is closed, or was never opened: open another one",
                self.what
            );
            Failure::new("closed", words)
        })
    }

    pub(super) fn take(&self, id: i64) -> Option<Arc<T>> {
        self.entries().remove(&id)
    }

    pub(super) fn all(&self) -> Vec<(i64, Arc<T>)> {
        let entries = self.entries();
        entries
            .iter()
            .map(|(id, entry)| (*id, Arc::clone(entry)))
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.entries().len()
    }
}
