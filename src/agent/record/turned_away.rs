//! The codes that led to a device of an organizer that is not allowed here.

use serde::{Deserialize, Serialize};

use super::entry;
use super::error::RecordError;
use super::identity::Identity;
use super::journal::BegunEnrolment;
use crate::enrolment::{Enrolment, ServerUrl};
use crate::secret::{self, Secret};
use crate::vault::{Change, Vault};

const ENTRY: &str = "turned away";

/// How many are known; the oldest are forgotten first, and then the server refuses them in its words.
const KEPT: usize = 16;

/// A code that was redeemed in vain. Its list or medium may still be there, so that it may come again.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::agent) struct TurnedAway {
    server: ServerUrl,
    #[serde(serialize_with = "secret::expose")]
    token: Secret,
    /// The device that it led to.
    pub(in crate::agent) identity: Identity,
}

impl TurnedAway {
    pub(in crate::agent) fn of(begun: &BegunEnrolment, identity: &Identity) -> Self {
        Self {
            server: begun.server.clone(),
            token: begun.token.clone(),
            identity: identity.clone(),
        }
    }

    /// All that the vault has, the oldest first.
    pub(in crate::agent) fn all(vault: &Vault) -> Result<Vec<Self>, RecordError> {
        Ok(entry::sealed(vault, ENTRY, "")?.unwrap_or_default())
    }

    pub(in crate::agent) fn is_for(&self, enrolment: &Enrolment) -> bool {
        self.server == *enrolment.url() && self.token.expose() == enrolment.token().expose()
    }

    pub(in crate::agent) fn store(
        mut all: Vec<Self>,
        change: &Change<'_>,
    ) -> Result<(), RecordError> {
        all.drain(..all.len().saturating_sub(KEPT));
        entry::seal(change, ENTRY, "", &all)
    }
}
