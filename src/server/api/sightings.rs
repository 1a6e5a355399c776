//! When devices were last seen: noted with each call in memory, and stored now and then, so that no call writes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

use crate::server::model::EnrolledDevice;
use crate::server::store::{Sighting, Store, StoreError};
use crate::server::tally::Count;

/// Stored in one transaction.
const PIECE: usize = 1000;

/// The devices that were seen since they were last stored.
pub(in crate::server) struct Sightings {
    noted: Mutex<HashMap<i64, Sighting>>,
    stored: Count,
    heard_since: Mutex<Instant>,
}

impl Default for Sightings {
    fn default() -> Self {
        Self {
            noted: Mutex::default(),
            stored: Count::default(),
            heard_since: Mutex::new(Instant::now()),
        }
    }
}

impl Sightings {
    /// Notes that a device has shown its key.
    pub(super) fn note(&self, device: &EnrolledDevice) {
        let sighting = Sighting {
            device: device.id,
            organizer: device.organizer.id,
            seen: Timestamp::now(),
        };
        self.noted().insert(device.id, sighting);
    }

    /// Stores them. Those that can't be stored now are kept for the next time.
    pub(in crate::server) async fn store(&self, store: &dyn Store) -> Result<(), StoreError> {
        let noted = std::mem::take(&mut *self.noted());
        let mut sightings: Vec<Sighting> = noted.into_values().collect();
        sightings.sort_unstable_by_key(|sighting| sighting.device);
        let mut stored = 0;
        while let Some(left) = sightings.get(stored..).filter(|left| !left.is_empty()) {
            let piece: Vec<Sighting> = left.iter().take(PIECE).copied().collect();
            let count = piece.len();
            if let Err(error) = store.note_seen(piece).await {
                *self.heard() = Instant::now();
                let mut noted = self.noted();
                for sighting in left {
                    // What was noted meanwhile is later.
                    noted.entry(sighting.device).or_insert(*sighting);
                }
                return Err(error);
            }
            stored += count;
            self.stored.add(count as u64);
        }
        Ok(())
    }

    /// Since when whoever was seen has been stored: what was not seen since then was silent.
    pub(in crate::server) fn heard_since(&self) -> Instant {
        *self.heard()
    }

    fn heard(&self) -> MutexGuard<'_, Instant> {
        self.heard_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many wait to be stored, and how many were.
    pub(in crate::server) fn waiting_and_stored(&self) -> (usize, u64) {
        (self.noted().len(), self.stored.get())
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<i64, Sighting>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
