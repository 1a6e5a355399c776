//! A device that another took the place of here. If it was asked for, its key is kept until its server
//! has ended its access, beside the new identity and never in its way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::{Device, sealed_entry};
use super::journal::{self, BegunOperation, OnIdentity};
use super::state::{State, Word};
use super::{Agent, AgentError, Identity};
use crate::failpoint;
use crate::secret::{self, Secret};
use crate::vault::{self, Change, ChangeLock, Vault};

const ENTRY: &str = "replaced devices";

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
}

/// A device whose place another took here.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// Who it is.
    pub identity: Identity,
    /// What became of it.
    pub afterlife: Afterlife,
}

/// A replaced device whose access is to end. It is sealed, as its key is in it.
#[derive(Serialize, Deserialize)]
pub(super) struct ToRevoke {
    identity: Identity,
    #[serde(serialize_with = "secret::expose")]
    key: Secret,
    begun: BegunOperation,
}

/// All of them, as an enrolment leaves them.
pub(super) struct Replacement {
    to_revoke: Vec<ToRevoke>,
    is_changed: bool,
}

impl ToRevoke {
    /// All that the vault has.
    fn all(vault: &Vault) -> Result<Vec<Self>, AgentError> {
        Ok(sealed_entry(vault, ENTRY, "")?.unwrap_or_default())
    }

    fn of(vault: &Vault, identity: &Identity) -> Result<Self, AgentError> {
        Ok(Self {
            identity: identity.clone(),
            key: identity.key(vault)?,
            begun: BegunOperation::new(OnIdentity::Revoke)?,
        })
    }

    fn store(all: &[Self], change: &Change<'_>) -> Result<(), AgentError> {
        match all.is_empty() {
            true => Ok(change.remove(ENTRY)?),
            false => journal::seal(change, ENTRY, "", &all),
        }
    }
}

impl Replacement {
    /// When `new` takes the place of `device`, which then is to be revoked or not. What fails here
    /// is told, and costs the new identity nothing.
    pub(super) fn of(vault: &Vault, device: &Device, new: &Identity, revoke_old: bool) -> Self {
        let mut to_revoke = ToRevoke::all(vault).unwrap_or_else(|error| {
            error.warn();
            Vec::new()
        });
        let before = to_revoke.len();
        // What is this device again must not lose its access.
        to_revoke.retain(|old| old.identity.unique_serial != new.unique_serial);
        let mut is_changed = to_revoke.len() != before;
        if revoke_old && let Some(old) = left_behind(device, new) {
            match ToRevoke::of(vault, old) {
                Ok(old) => {
                    to_revoke.push(old);
                    is_changed = true;
                }
                Err(error) => error.warn(),
            }
        }
        Self {
            to_revoke,
            is_changed,
        }
    }

    /// Part of the transaction that stores the new identity.
    pub(super) fn store(&self, change: &Change<'_>) -> Result<(), AgentError> {
        match self.is_changed {
            true => ToRevoke::store(&self.to_revoke, change),
            false => Ok(()),
        }
    }
}

/// The device that loses its place to `new`, if it is another one and may have access still.
fn left_behind<'a>(device: &'a Device, new: &Identity) -> Option<&'a Identity> {
    let old = device.identity.as_ref().filter(|_| device.is_keyed)?;
    let may_be_active = device.standing.state != State::Revoked;
    // By whatever address: serials are unique on a server.
    (may_be_active && old.unique_serial != new.unique_serial).then_some(old)
}

/// The replaced devices that are still to be revoked.
pub(super) fn to_revoke(vault: &Vault) -> Result<Vec<Identity>, AgentError> {
    let all = ToRevoke::all(vault)?;
    Ok(all.into_iter().map(|old| old.identity).collect())
}

impl Agent {
    /// What became of the device that `new` took the place of, after another attempt to revoke it
    /// if that was asked for.
    pub(super) async fn settle_replaced(
        &self,
        lock: &ChangeLock,
        device: &Device,
        new: &Identity,
    ) -> Option<Replaced> {
        let revoked = self.revoke_replaced(lock, None).await;
        let identity = left_behind(device, new)?.clone();
        let is_among = |all: &[Identity]| {
            all.iter()
                .any(|one| one.unique_serial == identity.unique_serial)
        };
        let still_to_revoke = Vault::look(&self.folder)
            .ok()
            .flatten()
            .and_then(|vault| to_revoke(&vault).ok());
        let afterlife = if is_among(&revoked) {
            Afterlife::Revoked
        } else if is_among(&still_to_revoke.unwrap_or_default()) {
            Afterlife::ToRevoke
        } else {
            Afterlife::Active
        };
        Some(Replaced {
            identity,
            afterlife,
        })
    }

    /// Goes on with what an earlier command could not end, if nobody else is about to.
    pub(super) async fn revoke_replaced_in_passing(&self) {
        let is_due = match Vault::look(&self.folder) {
            Ok(Some(vault)) => to_revoke(&vault).is_ok_and(|all| !all.is_empty()),
            _ => false,
        };
        if is_due && let Ok(lock) = vault::lock(&self.folder) {
            self.revoke_replaced(&lock, Some(self.patience())).await;
        }
    }

    /// Revokes the replaced devices that are to be. What fails is told, and stays for a later command.
    /// Returns those whose access has surely ended.
    pub(super) async fn revoke_replaced(
        &self,
        _lock: &ChangeLock,
        patience: Option<Duration>,
    ) -> Vec<Identity> {
        let mut revoked = Vec::new();
        let all = Vault::look(&self.folder)
            .map_err(AgentError::from)
            .and_then(|vault| vault.map_or(Ok(Vec::new()), |vault| ToRevoke::all(&vault)));
        let all = all.unwrap_or_else(|error| {
            error.warn();
            Vec::new()
        });
        for old in all {
            let which = old.identity.in_words();
            failpoint::reach("replaced: before sending");
            let (word, error) = self
                .ask_to_revoke(&old.identity, &old.key, &old.begun, patience)
                .await;
            failpoint::reach("replaced: answer read");
            match word {
                Word::Done | Word::Revoked => revoked.push(old.identity.clone()),
                Word::KeyRejected => tracing::warn!(
                    "the device that was here before, {which}, can't be revoked from here, as its server does not accept its key: revoke it there"
                ),
                _ => {
                    tracing::warn!(
                        "the device that was here before, {which}, is not revoked yet; a later command goes on with it"
                    );
                    if let Some(error) = error {
                        error.warn();
                    }
                    continue;
                }
            }
            if let Err(error) = self.forget_replaced(&old.identity) {
                error.warn();
            }
        }
        revoked
    }

    fn forget_replaced(&self, identity: &Identity) -> Result<(), AgentError> {
        let mut vault = Vault::open(&self.folder)?;
        let mut all = ToRevoke::all(&vault)?;
        all.retain(|old| old.identity.unique_serial != identity.unique_serial);
        vault.change(|change| ToRevoke::store(&all, change))?;
        failpoint::reach("replaced: stored");
        // Its key is in it.
        vault.wipe_log();
        Ok(())
    }
}
