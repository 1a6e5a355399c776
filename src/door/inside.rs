//! What every visit at a door works with.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::allowed::Allowed;
use super::caller::Caller;
use super::feed::Feed;
use super::refusal::Refusal;
use crate::agent::Agent;

pub(super) struct Inside {
    pub(super) agent: Arc<Agent>,
    pub(super) feed: Arc<Feed>,
    /// It may change while it runs.
    pub(super) allowed: RwLock<Allowed>,
    /// What has to be shown over TCP; a socket's file has its mode.
    pub(super) caller: Option<Caller>,
    /// Calls that may be made at once.
    pub(super) calls: Arc<Semaphore>,
}

impl Inside {
    /// What may pass now.
    pub(super) fn allowed(&self) -> RwLockReadGuard<'_, Allowed> {
        self.allowed.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to make one of the calls that are made at once.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.calls).try_acquire_owned();
        place.map_err(|_| Refusal::Crowd)
    }
}
