//! The store over any database: how an operation is done, and its answer kept with it. Each trait has a file.

mod administration;
mod api;
mod fleet_page;
mod remembered;

use std::hash::Hash;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::driver::Driver;
use super::operations::{Context, kept_answers};
use super::session::Session;
use crate::server::installation_keys::InstallationKeys;
use crate::server::model::{DevicePage, EnrolledDevice, TeamCaller};
use crate::server::store::api::Actor;
use crate::server::store::decision::Decision;
use crate::server::store::error::StoreError;
use crate::server::store::measures::{Asked, Measures};
use crate::server::store::terms::Terms;

use remembered::Remembered;

/// A database with the keys of the installation that it belongs to.
pub(super) struct Stored<D> {
    driver: D,
    keys: Arc<InstallationKeys>,
    pages: Remembered<Page, DevicePage>,
    /// By organizer.
    counts: Remembered<i64, u64>,
    /// By the hashes of their keys.
    enrolled: Remembered<[u8; 32], EnrolledDevice>,
    /// By the hashes of their tokens.
    teams: Remembered<[u8; 32], TeamCaller>,
    measures: Measures,
}

/// A page of devices: of an organizer, after so many, so many.
type Page = (i64, u64, u64);

/// Pages that are remembered, and devices on one at most.
const PAGES: usize = 256;
const PAGE_SIZE: u64 = 50;
/// Devices that are remembered by their keys at most.
const ENROLLED: usize = 16 * 1024;
/// The longest public key that is remembered, in bytes: one of 2,048 bits has 451, and what a device sends around it is
/// kept, too.
const PUBLIC_KEY: usize = 1024;
/// Organizers whose devices were counted, and teams, at most.
const ORGANIZERS: usize = 1024;
const TEAMS: usize = 1024;

impl<D: Driver> Stored<D> {
    pub(super) fn new(driver: D, keys: Arc<InstallationKeys>) -> Self {
        Self {
            driver,
            keys,
            pages: Remembered::up_to(PAGES),
            counts: Remembered::up_to(ORGANIZERS),
            enrolled: Remembered::up_to(ENROLLED),
            teams: Remembered::up_to(TEAMS),
            measures: Measures::default(),
        }
    }

    fn keys(&self) -> Arc<InstallationKeys> {
        Arc::clone(&self.keys)
    }

    /// What is remembered of this, else what is read, if there is something; that is remembered if it is small.
    async fn remembered<K: Eq + Hash, V>(
        &self,
        memory: &Remembered<K, V>,
        is_small: impl Fn(&V) -> bool,
        key: K,
        read: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<Arc<V>>, StoreError> {
        // Asked for before it is read: what is changed in between is read anew.
        let state = self.driver.state();
        if let Some(value) = state.and_then(|state| memory.recall(state, &key)) {
            return Ok(Some(value));
        }
        let value = read.await?.map(Arc::new);
        let small = value.as_ref().filter(|value| is_small(value));
        if let (Some(state), Some(value)) = (state, small) {
            memory.keep(state, key, Arc::clone(value));
        }
        Ok(value)
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let done = self.driver.read(work).await;
        self.measures.ended(Asked::Read, begun, &done);
        done
    }

    /// Reads by one statement.
    async fn look<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let done = self.driver.look(work).await;
        self.measures.ended(Asked::Look, begun, &done);
        done
    }

    /// Does a change that nobody gives up.
    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.decide(&Decision::default(), work).await
    }

    async fn decide<T: Send + 'static>(
        &self,
        decision: &Decision,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let done = self.driver.write(decision, work).await;
        self.measures.ended(Asked::Write, begun, &done);
        done
    }

    /// Does a change and keeps the answer to it in the same transaction.
    async fn change<T: Send + 'static>(
        &self,
        actor: Actor,
        terms: Terms<T>,
        work: impl Fn(&mut dyn Session, &Context<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let keys = self.keys();
        let Terms {
            decision,
            expected,
            keep,
        } = terms;
        let with_answer = move |session: &mut dyn Session| {
            let now = Timestamp::now();
            if let Some(keep) = &keep {
                kept_answers::refuse_if_kept(session, &keep.id, now)?;
            }
            let context = Context {
                actor,
                now,
                keys: &keys,
                expected: &expected,
            };
            let done = match (work(session, &context), &keep) {
                // Perhaps this was done meanwhile, by another server under the same key.
                (Err(StoreError::Outdated), Some(keep)) => {
                    kept_answers::refuse_if_kept(session, &keep.id, now)?;
                    return Err(StoreError::Outdated);
                }
                (done, _) => done?,
            };
            if let Some(keep) = &keep {
                let answer = (keep.render)(&done)?;
                kept_answers::keep(session, &keep.id, &answer, now)?;
            }
            Ok(done)
        };
        self.decide(&decision, with_answer).await
    }
}
