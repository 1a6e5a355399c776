//! The devices whose access is to end: those that were here before, and those that are not wanted here.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::entry;
use super::error::RecordError;
use super::identity::Identity;
use super::journal::{BegunOperation, OnIdentity};
use crate::agent::client::Trust;
use crate::agent::clock;
use crate::agent::state::Operation;
use crate::secret::{self, Secret};
use crate::vault::{Change, Vault};

const ENTRY: &str = "replaced devices";

/// A device whose access is to end. It is sealed, as its key is in it.
#[derive(Serialize, Deserialize)]
pub(in crate::agent) struct ToRevoke {
    pub(in crate::agent) identity: Identity,
    #[serde(serialize_with = "secret::expose")]
    pub(in crate::agent) key: Secret,
    /// Whom it trusted.
    #[serde(default)]
    pub(in crate::agent) trust: Trust,
    /// A roll that was begun and may have replaced the key.
    pub(in crate::agent) roll: Option<BegunOperation>,
    pub(in crate::agent) revoke: BegunOperation,
    /// How often it was tried in vain, and when it may be tried again beside something else.
    #[serde(default)]
    pub(in crate::agent) tries: u32,
    #[serde(default)]
    pub(in crate::agent) not_before: Option<Timestamp>,
}

/// Tries in vain after which none is made for a while.
const FREE_TRIES: u32 = 4;
/// After the next one, and at most; it doubles with each.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

impl ToRevoke {
    /// All that the vault has.
    pub(in crate::agent) fn all(vault: &Vault) -> Result<Vec<Self>, RecordError> {
        Ok(entry::sealed(vault, ENTRY, "")?.unwrap_or_default())
    }

    /// With what was begun on it that may have been done.
    pub(in crate::agent) fn of(
        vault: &Vault,
        identity: &Identity,
        trust: &Trust,
        begun: Option<&BegunOperation>,
    ) -> Result<Self, RecordError> {
        let begun = |operation| {
            let same = begun.filter(|begun| begun.what.operation() == operation)?;
            Some(same.idempotency_key.clone())
        };
        let roll = begun(Operation::Roll)
            .map(|idempotency_key| BegunOperation::under(idempotency_key, OnIdentity::Roll));
        let revoke = match begun(Operation::Revoke) {
            Some(idempotency_key) => BegunOperation::under(idempotency_key, OnIdentity::Revoke),
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

    /// A device that was never this one, on which nothing was begun.
    pub(in crate::agent) fn unwanted(
        identity: &Identity,
        key: &Secret,
        trust: &Trust,
    ) -> Result<Self, RecordError> {
        Ok(Self {
            identity: identity.clone(),
            key: key.clone(),
            trust: trust.clone(),
            roll: None,
            revoke: BegunOperation::new(OnIdentity::Revoke)?,
            tries: 0,
            not_before: None,
        })
    }

    pub(in crate::agent) fn is(&self, other: &Self) -> bool {
        self.revoke.idempotency_key.expose() == other.revoke.idempotency_key.expose()
    }

    /// Whether it may be tried beside something else. A clock that was set back makes nobody wait long.
    pub(in crate::agent) fn is_due(&self) -> bool {
        let now = clock::now();
        let is_over = |time: Timestamp| time <= now || time.duration_since(now) > LONGEST_PAUSE;
        self.not_before.is_none_or(is_over)
    }

    pub(in crate::agent) fn was_tried_in_vain(&mut self) {
        // What failed a few times is tried by the next command: mostly it was the network for a moment.
        if let Some(doublings) = self.tries.checked_sub(FREE_TRIES) {
            let pause = FIRST_PAUSE * 2_i32.pow(doublings.min(11));
            self.not_before = clock::now().checked_add(pause.min(LONGEST_PAUSE)).ok();
        }
        self.tries = self.tries.saturating_add(1);
    }

    pub(in crate::agent) fn store(all: &[Self], change: &Change<'_>) -> Result<(), RecordError> {
        match all.is_empty() {
            true => Ok(change.remove(ENTRY)?),
            false => entry::seal(change, ENTRY, "", &all),
        }
    }
}
