//! The operations of the domain, each written once for all databases.

pub(super) mod access;
pub(super) mod batch;
pub(super) mod callers;
pub(super) mod checkin_lists;
pub(super) mod consistency;
mod contradictions;
pub(super) mod device_states;
pub(super) mod devices;
pub(super) mod events;
pub(super) mod export;
pub(super) mod filtered_devices;
pub(super) mod found;
pub(super) mod import;
mod import_devices;
pub(super) mod initialization_tokens;
pub(super) mod kept_answers;
mod known_devices;
pub(super) mod last_seen;
pub(super) mod log;
pub(super) mod made_together;
mod numbers;
pub(super) mod organizers;
pub(super) mod reconnection;
pub(super) mod restoration;
pub(super) mod samples;
pub(super) mod silences;
pub(super) mod tables;
pub(super) mod teams;
pub(super) mod web_sessions;

use jiff::Timestamp;

use super::api::Actor;
use crate::server::installation_keys::InstallationKeys;
use crate::server::model::Expected;

/// What goes with a change: who makes it, when, and the keys it seals with.
pub(super) struct Context<'a> {
    pub(super) actor: Actor,
    pub(super) now: Timestamp,
    pub(super) keys: &'a InstallationKeys,
    /// As what the thing must be found that is changed.
    pub(super) expected: &'a Expected,
}
