//! A token that led to a device of an organizer that is not allowed here: what is kept of it.

use super::replacement::waiting;
use crate::agent::client::Trust;
use crate::agent::error::AgentError;
use crate::agent::record::{BegunEnrolment, Identity, RecordError, ToRevoke, TurnedAway};
use crate::secret::Secret;
use crate::vault::{Change, Vault};

/// A device that this one must not become. Its key is kept for its revocation and nothing else.
pub(super) struct Unwanted {
    identity: Identity,
    to_revoke: Vec<ToRevoke>,
    turned_away: Vec<TurnedAway>,
}

impl Unwanted {
    pub(super) fn of(
        vault: &Vault,
        begun: &BegunEnrolment,
        (identity, key): (Identity, Secret),
        trust: &Trust,
    ) -> Result<Self, AgentError> {
        let mut to_revoke = waiting(vault);
        to_revoke.push(ToRevoke::unwanted(&identity, &key, trust)?);
        let mut turned_away = TurnedAway::all(vault).unwrap_or_else(|error| {
            AgentError::from(error).warn();
            Vec::new()
        });
        turned_away.push(TurnedAway::of(begun, &identity));
        Ok(Self {
            identity,
            to_revoke,
            turned_away,
        })
    }

    /// Part of the transaction that ends the enrolment.
    pub(super) fn store(&self, change: &Change<'_>) -> Result<(), RecordError> {
        ToRevoke::store(&self.to_revoke, change)?;
        TurnedAway::store(self.turned_away.clone(), change)
    }

    pub(super) fn into_error(self) -> AgentError {
        AgentError::OtherOrganizer {
            device: Box::new(self.identity),
            is_revoked: false,
        }
    }
}
