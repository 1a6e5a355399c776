//! What every visit at a door works with.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::allowed::Allowed;
use super::caller::Caller;
use super::feed::Feed;
use crate::agent::Agent;

pub(super) struct Inside {
    pub(super) agent: Arc<Agent>,
    pub(super) feed: Arc<Feed>,
    pub(super) allowed: Allowed,
    /// What has to be shown over TCP; a socket's file has its mode.
    pub(super) caller: Option<Caller>,
    /// Calls that may be made at once.
    pub(super) calls: Arc<Semaphore>,
}
