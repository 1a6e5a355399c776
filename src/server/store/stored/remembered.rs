//! What was read of a database, as long as that is in the same state.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::server::store::driver::State;

/// Values that were read, each with the state of the database before it was.
pub(super) struct Remembered<K, V> {
    limit: usize,
    entries: Mutex<HashMap<K, (State, Arc<V>)>>,
}

impl<K: Eq + Hash, V> Remembered<K, V> {
    /// Remembers so many values at most.
    pub(super) fn up_to(limit: usize) -> Self {
        Self {
            limit,
            entries: Mutex::default(),
        }
    }

    /// What was read of this in a database that is still in this state.
    pub(super) fn recall(&self, state: State, key: &K) -> Option<Arc<V>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_in, value) = entries.get(key)?;
        (*read_in == state).then(|| Arc::clone(value))
    }

    /// Remembers what was read after the database was in this state.
    pub(super) fn keep(&self, state: State, key: K, value: Arc<V>) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        // Most of what is there is of an older state.
        let outdated = match entries.len() >= self.limit && !entries.contains_key(&key) {
            true => std::mem::take(&mut *entries),
            false => HashMap::new(),
        };
        let before = entries.insert(key, (state, value));
        drop(entries);
        drop((outdated, before));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 4;

    proptest! {
        #[test]
        fn what_is_recalled_was_kept_last_in_the_same_state_and_there_is_never_too_much(
            steps in prop::collection::vec((0_u8..8, 0_u64..3, any::<Option<u8>>()), 0..100),
        ) {
            let remembered = Remembered::up_to(LIMIT);
            let mut kept = HashMap::new();
            for (key, version, value) in steps {
                let state = State { watch: 0, version };
                if let Some(value) = value {
                    remembered.keep(state, key, Arc::new(value));
                    kept.insert(key, (version, value));
                    prop_assert_eq!(remembered.recall(state, &key), Some(Arc::new(value)));
                }
                if let Some(recalled) = remembered.recall(state, &key) {
                    prop_assert_eq!(kept.get(&key), Some(&(version, *recalled)));
                }
                let other = State { watch: 1, version };
                prop_assert!(remembered.recall(other, &key).is_none());
                prop_assert!(remembered.entries.lock().unwrap().len() <= LIMIT);
            }
        }
    }
}
