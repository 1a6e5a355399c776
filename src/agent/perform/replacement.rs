//! A device that another takes the place of here: what is to become of it.

use serde::{Deserialize, Serialize};

use crate::agent::error::AgentError;
use crate::agent::record::{Device, Identity, RecordError, ToRevoke};
use crate::agent::state::State;
use crate::vault::{Change, Vault};

/// What became of a device that was replaced, on its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Afterlife {
    /// It has access still, as far as this device knows.
    Active,
    /// It is to be revoked, which was not done or not confirmed yet.
    ToRevoke,
    /// Its access has ended.
    Revoked,
    /// Its server does not accept the key that was here: another copy of it may have a newer one.
    Rejected,
    /// It can't be told whether it is another device than the new one, and so it is left alone.
    Unclear,
}

/// Whether two identities are of one device.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum Kinship {
    Same,
    Other,
    /// A server may be reached by several addresses, and two servers may give the same serial.
    Unclear,
}

impl Kinship {
    fn of(one: &Identity, other: &Identity) -> Self {
        let told = |text: &str| !text.is_empty();
        let (is_same, is_known) = if told(&one.unique_serial) && told(&other.unique_serial) {
            (one.unique_serial == other.unique_serial, true)
        } else {
            let is_same = (&one.organizer, one.device_id) == (&other.organizer, other.device_id);
            (is_same, one.device_id > 0 && other.device_id > 0)
        };
        match (is_known, is_same, one.server == other.server) {
            (true, true, true) => Self::Same,
            (true, false, _) => Self::Other,
            _ => Self::Unclear,
        }
    }
}

/// A device whose place another took here.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// Who it is.
    pub identity: Identity,
    /// What became of it.
    pub afterlife: Afterlife,
}

/// All of them, as an enrolment leaves them.
pub(in crate::agent) struct Replacement {
    to_revoke: Vec<ToRevoke>,
    is_changed: bool,
}

impl Replacement {
    /// When `new` takes the place of `device`, which then is to be revoked or not. What fails here
    /// is told, and costs the new identity nothing.
    pub(in crate::agent) fn of(
        vault: &Vault,
        device: &Device,
        new: &Identity,
        revoke_old: bool,
    ) -> Self {
        let mut to_revoke = waiting(vault);
        let before = to_revoke.len();
        // What is this device again, or may be, must not lose its access.
        to_revoke.retain(|old| {
            let kinship = Kinship::of(&old.identity, new);
            if kinship == Kinship::Unclear {
                tracing::warn!(
                    "{} may be this device by another address, and so is not revoked any more: look at it on its server",
                    old.identity.in_words()
                );
            }
            kinship == Kinship::Other
        });
        let mut is_changed = to_revoke.len() != before;
        if revoke_old && let Some((old, Kinship::Other)) = left_behind(device, new) {
            match ToRevoke::of(vault, old, &device.trust, device.operation.as_deref()) {
                Ok(old) => {
                    to_revoke.push(old);
                    is_changed = true;
                }
                Err(error) => AgentError::from(error).warn(),
            }
        }
        Self {
            to_revoke,
            is_changed,
        }
    }

    /// The same with those that `new` was to revoke where it comes from.
    #[cfg(feature = "cli")]
    pub(in crate::agent) fn and(mut self, others: Vec<ToRevoke>) -> Self {
        self.is_changed |= !others.is_empty();
        self.to_revoke.extend(others);
        self
    }

    /// Part of the transaction that stores the new identity.
    pub(in crate::agent) fn store(&self, change: &Change<'_>) -> Result<(), RecordError> {
        match self.is_changed {
            true => ToRevoke::store(&self.to_revoke, change),
            false => Ok(()),
        }
    }
}

/// Those that are to be revoked already.
pub(super) fn waiting(vault: &Vault) -> Vec<ToRevoke> {
    ToRevoke::all(vault).unwrap_or_else(|error| {
        AgentError::from(error).warn();
        Vec::new()
    })
}

/// The device that loses its place to `new`, unless it is that one or has no access any more.
pub(in crate::agent) fn left_behind<'a>(
    device: &'a Device,
    new: &Identity,
) -> Option<(&'a Identity, Kinship)> {
    let old = device.identity.as_ref().filter(|_| device.is_keyed)?;
    let kinship = Kinship::of(old, new);
    (device.standing.state != State::Revoked && kinship != Kinship::Same).then_some((old, kinship))
}
