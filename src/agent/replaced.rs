//! A device that another took the place of here. If it was asked for, its key is kept until its server
//! has ended its access, beside the new identity and never in its way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::{Device, sealed_entry};
use super::journal::{self, BegunOperation, OnIdentity};
use super::state::{Operation, State, Word};
use super::{Agent, AgentError, Identity};
use crate::failpoint;
use crate::secret::{self, Secret};
use crate::vault::{self, Change, ChangeLock, Vault};
use crate::wire::DeviceIdentity;

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
    /// Its server does not accept the key that was here: another copy of it may have a newer one.
    Rejected,
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
    /// A roll that was begun and may have replaced the key.
    roll: Option<BegunOperation>,
    revoke: BegunOperation,
}

/// How a revocation ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Revoked,
    /// Its server does not accept the key.
    InVain,
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

    fn of(
        vault: &Vault,
        identity: &Identity,
        begun: Option<&BegunOperation>,
    ) -> Result<Self, AgentError> {
        let begun = |operation| {
            let same = begun.filter(|begun| begun.what.operation() == operation)?;
            Some(same.idempotency_key.clone())
        };
        let roll = begun(Operation::Roll).map(|idempotency_key| BegunOperation {
            idempotency_key,
            what: OnIdentity::Roll,
        });
        let revoke = match begun(Operation::Revoke) {
            Some(idempotency_key) => BegunOperation {
                idempotency_key,
                what: OnIdentity::Revoke,
            },
            None => BegunOperation::new(OnIdentity::Revoke)?,
        };
        Ok(Self {
            identity: identity.clone(),
            key: identity.key(vault)?,
            roll,
            revoke,
        })
    }

    fn is(&self, identity: &Identity) -> bool {
        self.identity.unique_serial == identity.unique_serial
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
        to_revoke.retain(|old| !old.is(new));
        let mut is_changed = to_revoke.len() != before;
        if revoke_old && let Some(old) = left_behind(device, new) {
            match ToRevoke::of(vault, old, device.operation.as_deref()) {
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
        patience: Option<Duration>,
    ) -> Option<Replaced> {
        let tried = self.revoke_replaced(lock, patience).await;
        let identity = left_behind(device, new)?.clone();
        let is_it = |one: &Identity| one.unique_serial == identity.unique_serial;
        let still_to_revoke = Vault::look(&self.folder)
            .ok()
            .flatten()
            .and_then(|vault| to_revoke(&vault).ok());
        let afterlife = match tried.iter().find(|(one, _)| is_it(one)) {
            Some((_, Ended::Revoked)) => Afterlife::Revoked,
            Some((_, Ended::InVain)) => Afterlife::Rejected,
            None if still_to_revoke.unwrap_or_default().iter().any(is_it) => Afterlife::ToRevoke,
            None if device.standing.state == State::Rejected => Afterlife::Rejected,
            None => Afterlife::Active,
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
    /// Returns those with which it is over, and how.
    pub(super) async fn revoke_replaced(
        &self,
        _lock: &ChangeLock,
        patience: Option<Duration>,
    ) -> Vec<(Identity, Ended)> {
        let mut over = Vec::new();
        let all = Vault::look(&self.folder)
            .map_err(AgentError::from)
            .and_then(|vault| vault.map_or(Ok(Vec::new()), |vault| ToRevoke::all(&vault)));
        let all = all.unwrap_or_else(|error| {
            error.warn();
            Vec::new()
        });
        for mut old in all {
            let which = old.identity.in_words();
            match self.revoke_one(&mut old, patience).await {
                Ok(ended) => {
                    if ended == Ended::InVain {
                        tracing::warn!(
                            "the device that was here before, {which}, can't be revoked from here, as its server does not accept its key"
                        );
                    }
                    over.push((old.identity.clone(), ended));
                }
                Err(error) => {
                    tracing::warn!(
                        "the device that was here before, {which}, is not revoked yet; a later command goes on with it"
                    );
                    error.warn();
                    continue;
                }
            }
            let forgotten = self.change_replaced(|all| all.retain(|one| !one.is(&old.identity)));
            if let Err(error) = forgotten {
                error.warn();
            }
        }
        over
    }

    async fn revoke_one(
        &self,
        old: &mut ToRevoke,
        patience: Option<Duration>,
    ) -> Result<Ended, AgentError> {
        if let Some(roll) = &old.roll {
            failpoint::reach("replaced: before rolling");
            let (word, answer) = self
                .ask_for_replaced(&old.identity, &old.key, roll, patience)
                .await;
            match (word, answer) {
                (Word::Done, Ok(answer)) => self.has_rolled(old, answer.api_token),
                (Word::NotDone, _) => old.roll = None,
                (word, answer) => return ended(word, answer),
            }
        }
        failpoint::reach("replaced: before sending");
        let (word, answer) = self
            .ask_for_replaced(&old.identity, &old.key, &old.revoke, patience)
            .await;
        failpoint::reach("replaced: answer read");
        ended(word, answer)
    }

    /// The key is good for the revocation whether it can be stored or not.
    fn has_rolled(&self, old: &mut ToRevoke, key: Secret) {
        old.key = key;
        old.roll = None;
        let stored = self.change_replaced(|all| {
            for one in all.iter_mut().filter(|one| one.is(&old.identity)) {
                one.key.clone_from(&old.key);
                one.roll = None;
            }
        });
        if let Err(error) = stored {
            error.warn();
        }
    }

    fn change_replaced(&self, work: impl FnOnce(&mut Vec<ToRevoke>)) -> Result<(), AgentError> {
        let mut vault = Vault::open(&self.folder)?;
        let mut all = ToRevoke::all(&vault)?;
        work(&mut all);
        vault.change(|change| ToRevoke::store(&all, change))?;
        failpoint::reach("replaced: stored");
        // A key was in it.
        vault.wipe_log();
        Ok(())
    }
}

fn ended(word: Word, answer: Result<DeviceIdentity, AgentError>) -> Result<Ended, AgentError> {
    match (word, answer) {
        (Word::Done | Word::Revoked, _) => Ok(Ended::Revoked),
        (Word::KeyRejected, _) => Ok(Ended::InVain),
        (_, answer) => Err(answer.err().unwrap_or(AgentError::NotEnrolled)),
    }
}
