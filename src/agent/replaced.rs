//! A device that another took the place of here. If it was asked for, its key is kept until its server
//! has ended its access, beside the new identity and never in its way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::client::trust::Trust;
use super::device::{Device, sealed_entry};
use super::journal::{self, BegunOperation, OnIdentity};
use super::state::{Operation, State, Word};
use super::trusting::is_same_server;
use super::{Agent, AgentError, Client, Identity, clock};
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
    /// It can't be told whether it is another device than the new one, and so it is left alone.
    Unclear,
}

/// Whether two identities are of one device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinship {
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

/// A replaced device whose access is to end. It is sealed, as its key is in it.
#[derive(Serialize, Deserialize)]
pub(super) struct ToRevoke {
    identity: Identity,
    #[serde(serialize_with = "secret::expose")]
    key: Secret,
    /// Whom it trusted.
    #[serde(default)]
    trust: Trust,
    /// A roll that was begun and may have replaced the key.
    roll: Option<BegunOperation>,
    revoke: BegunOperation,
    /// How often it was tried in vain, and when it may be tried again beside something else.
    #[serde(default)]
    tries: u32,
    #[serde(default)]
    not_before: Option<Timestamp>,
}

/// Tries in vain after which none is made for a while.
const FREE_TRIES: u32 = 4;
/// After the next one, and at most; it doubles with each.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

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
        trust: &Trust,
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
            trust: trust.clone(),
            roll,
            revoke,
            tries: 0,
            not_before: None,
        })
    }

    fn is(&self, other: &Self) -> bool {
        self.revoke.idempotency_key.expose() == other.revoke.idempotency_key.expose()
    }

    /// Whether it may be tried beside something else. A clock that was set back makes nobody wait long.
    fn is_due(&self) -> bool {
        let now = clock::now();
        let is_over = |time: Timestamp| time <= now || time.duration_since(now) > LONGEST_PAUSE;
        self.not_before.is_none_or(is_over)
    }

    fn was_tried_in_vain(&mut self) {
        // What failed a few times is tried by the next command: mostly it was the network for a moment.
        if let Some(doublings) = self.tries.checked_sub(FREE_TRIES) {
            let pause = FIRST_PAUSE * 2_i32.pow(doublings.min(11));
            self.not_before = clock::now().checked_add(pause.min(LONGEST_PAUSE)).ok();
        }
        self.tries = self.tries.saturating_add(1);
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

/// The device that loses its place to `new`, unless it is that one or has no access any more.
fn left_behind<'a>(device: &'a Device, new: &Identity) -> Option<(&'a Identity, Kinship)> {
    let old = device.identity.as_ref().filter(|_| device.is_keyed)?;
    let kinship = Kinship::of(old, new);
    (device.standing.state != State::Revoked && kinship != Kinship::Same).then_some((old, kinship))
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
        let (identity, kinship) = left_behind(device, new)?;
        let is_it = |one: &Identity| one.context() == identity.context();
        let still_to_revoke = Vault::look(&self.folder)
            .ok()
            .flatten()
            .and_then(|vault| to_revoke(&vault).ok());
        let afterlife = match tried.iter().find(|(one, _)| is_it(one)) {
            _ if kinship == Kinship::Unclear => Afterlife::Unclear,
            Some((_, Ended::Revoked)) => Afterlife::Revoked,
            Some((_, Ended::InVain)) => Afterlife::Rejected,
            None if still_to_revoke.unwrap_or_default().iter().any(is_it) => Afterlife::ToRevoke,
            None if device.standing.state == State::Rejected => Afterlife::Rejected,
            None => Afterlife::Active,
        };
        Some(Replaced {
            identity: identity.clone(),
            afterlife,
        })
    }

    /// Goes on with what an earlier command could not end, if nobody else is about to.
    pub(super) async fn revoke_replaced_in_passing(&self) {
        let is_due = match Vault::look(&self.folder) {
            Ok(Some(vault)) => {
                ToRevoke::all(&vault).is_ok_and(|all| all.iter().any(ToRevoke::is_due))
            }
            _ => false,
        };
        if is_due && let Ok(lock) = vault::lock(&self.folder) {
            self.revoke_replaced(&lock, Some(self.patience())).await;
        }
    }

    /// Revokes the replaced devices that are to be: all of them, or with `patience`, which is for all
    /// together, those that are due. What fails is told, and stays for a later command.
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
        let device = self.look().ok().flatten();
        let begun = Instant::now();
        for mut old in all {
            let left = patience.map(|patience| patience.saturating_sub(begun.elapsed()));
            if left.is_some_and(|left| left.is_zero() || !old.is_due()) {
                continue;
            }
            let which = old.identity.in_words();
            match self.revoke_one(&mut old, device.as_ref(), left).await {
                Ok(ended) => {
                    if ended == Ended::InVain {
                        tracing::warn!(
                            "the device that was here before, {which}, can't be revoked from here, as its server does not accept its key"
                        );
                    }
                    over.push((old.identity.clone(), ended));
                }
                Err(error) => {
                    let why = error.reason();
                    tracing::warn!(
                        "the device that was here before, {which}, is not revoked yet, and a later command goes on with it: {why}"
                    );
                    old.was_tried_in_vain();
                }
            }
            let is_over = over.last().is_some_and(|(one, _)| *one == old.identity);
            let stored = self.change_replaced(|all| {
                all.retain(|one| !is_over || !one.is(&old));
                for one in all.iter_mut().filter(|one| one.is(&old)) {
                    (one.tries, one.not_before) = (old.tries, old.not_before);
                }
            });
            if let Err(error) = stored {
                error.warn();
            }
        }
        over
    }

    async fn revoke_one(
        &self,
        old: &mut ToRevoke,
        device: Option<&Device>,
        patience: Option<Duration>,
    ) -> Result<Ended, AgentError> {
        let client = self.client_for(old, device)?;
        if let Some(roll) = &old.roll {
            failpoint::reach("replaced: before sending");
            let (word, answer) = self
                .ask_for_replaced(&client, &old.identity, &old.key, roll, patience)
                .await;
            match (word, answer) {
                (Word::Done, Ok(answer)) => self.has_rolled(old, answer.api_token),
                (Word::NotDone, _) => old.roll = None,
                (word, answer) => return ended(word, answer),
            }
        }
        failpoint::reach("replaced: before sending");
        let (word, answer) = self
            .ask_for_replaced(&client, &old.identity, &old.key, &old.revoke, patience)
            .await;
        failpoint::reach("replaced: answer read");
        ended(word, answer)
    }

    /// The server of both may have another certificate by now. At one of its own, what the old device
    /// trusted counts: what is given now is given for the new device's server.
    fn client_for(&self, old: &ToRevoke, device: Option<&Device>) -> Result<Client, AgentError> {
        let here = device.and_then(|device| Some((device.identity.as_ref()?, &device.trust)));
        match here {
            Some((identity, trust)) if is_same_server(&identity.server, &old.identity.server) => {
                self.client_at(trust)
            }
            _ => self.trusting(&old.trust),
        }
    }

    /// The key is good for the revocation whether it can be stored or not.
    fn has_rolled(&self, old: &mut ToRevoke, key: Secret) {
        old.key = key;
        old.roll = None;
        let stored = self.change_replaced(|all| {
            for one in all.iter_mut().filter(|one| one.is(old)) {
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
