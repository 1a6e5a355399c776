//! All that the vault holds of a device, read together.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::RecordError;
#[cfg(feature = "cli")]
use super::hardware;
use super::identity::Identity;
use super::journal::{BegunEnrolment, BegunOperation};
use super::redeemed::Redeemed;
use super::{entry, kept_trust, key_sets, media_key};
#[cfg(feature = "cli")]
use crate::agent::binding::Bound;
use crate::agent::client::Trust;
use crate::agent::clock;
use crate::agent::state::{Operation, Secrets, Situation, State, Step};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::vault::{Change, Vault};

const STANDING: &str = "standing";

/// A device as its vault has it.
pub(in crate::agent) struct Device {
    pub(in crate::agent) identity: Option<Identity>,
    pub(in crate::agent) standing: Standing,
    /// Whom the device trusts at its server.
    pub(in crate::agent) trust: Trust,
    /// Whether there is a key, be it one that works or not.
    pub(in crate::agent) is_keyed: bool,
    pub(in crate::agent) enrolment: Option<Arc<BegunEnrolment>>,
    pub(in crate::agent) operation: Option<Arc<BegunOperation>>,
    /// The hardware that it is bound to.
    #[cfg(feature = "cli")]
    pub(in crate::agent) hardware: Option<Bound>,
}

/// How the device stands with its server, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::agent) struct Standing {
    pub(in crate::agent) state: State,
    /// By this device's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::agent) since: Option<Timestamp>,
    /// The operation whose answer was lost, and its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::agent) lost: Option<Lost>,
    /// Who ended the access, once that was done and as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::agent) revoked_by: Option<Revoker>,
}

/// Who ended a device's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revoker {
    /// The device itself.
    Device,
    /// Someone on the server.
    Server,
}

/// An operation whose answer will never be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// What was asked for.
    pub operation: Operation,
    /// Who was asked.
    pub server: ServerUrl,
}

impl Device {
    pub(in crate::agent) fn load(vault: &Vault) -> Result<Self, RecordError> {
        let identity = Identity::load(vault)?;
        let standing = entry::plain(vault, STANDING, vault.plain(STANDING)?)?;
        let standing = standing.unwrap_or(Standing {
            state: match identity {
                Some(_) => State::Enrolled,
                None => State::NotEnrolled,
            },
            since: None,
            lost: None,
            revoked_by: None,
        });
        let operation = match &identity {
            Some(identity) => BegunOperation::load(vault, &identity.context())?.map(Arc::new),
            None => None,
        };
        let trust = match &identity {
            Some(identity) => kept_trust::load(vault, identity)?,
            None => Trust::default(),
        };
        Ok(Self {
            #[cfg(feature = "cli")]
            hardware: hardware::load(vault)?,
            enrolment: BegunEnrolment::load(vault)?.map(Arc::new),
            is_keyed: Identity::has_key(vault)?,
            trust,
            identity,
            standing,
            operation,
        })
    }

    /// One of which nothing is known.
    pub(in crate::agent) fn none() -> Self {
        Self {
            identity: None,
            standing: Standing {
                state: State::NotEnrolled,
                since: None,
                lost: None,
                revoked_by: None,
            },
            trust: Trust::default(),
            is_keyed: false,
            enrolment: None,
            operation: None,
            #[cfg(feature = "cli")]
            hardware: None,
        }
    }

    pub(in crate::agent) fn situation(&self) -> Situation {
        Situation {
            standing: self.standing.state,
            enrolling: self.enrolment.is_some(),
            pending: self.operation.as_ref().map(|begun| begun.what.operation()),
        }
    }

    /// Whether there are an identity and a key that may work.
    pub(in crate::agent) fn has_key(&self) -> bool {
        let may_work = match self.standing.state {
            // Its absence is an error there, which the reading of the key tells.
            State::Enrolled | State::Rejected => true,
            State::AnswerLost => self.is_keyed,
            State::NotEnrolled | State::Enrolling | State::Revoked => false,
        };
        may_work && self.identity.is_some()
    }
}

/// A device that was just enrolled.
#[derive(Clone, Copy)]
pub(in crate::agent) struct Newcomer<'a> {
    pub(in crate::agent) identity: &'a Identity,
    pub(in crate::agent) key: &'a Secret,
    pub(in crate::agent) trust: &'a Trust,
}

/// What a step stores beside the end of its operation.
pub(in crate::agent) struct Outcome<'a> {
    /// What an enrolment that was done has led to.
    pub(in crate::agent) new: Option<Newcomer<'a>>,
    pub(in crate::agent) lost: Option<Lost>,
    /// Who ended the access, where the step does.
    pub(in crate::agent) revoked_by: Revoker,
}

impl Standing {
    /// Writes what a step leads to, together with the end of the operation; part of one transaction.
    pub(in crate::agent) fn store(
        &self,
        change: &Change<'_>,
        operation: Option<Operation>,
        step: Step,
        outcome: Outcome<'_>,
    ) -> Result<(), RecordError> {
        match operation {
            Some(Operation::Initialize) if step.ends => BegunEnrolment::remove(change)?,
            Some(_) | None if step.ends => BegunOperation::remove(change)?,
            _ => {}
        }
        if let Some(new) = &outcome.new {
            // Nothing of an identity that was there is of use to the new one.
            #[cfg(feature = "cli")]
            hardware::remove(change)?;
            BegunOperation::remove(change)?;
            media_key::remove(change)?;
            key_sets::remove(change)?;
            Redeemed::remove(change)?;
            new.identity.store(change)?;
            new.identity.store_key(change, new.key)?;
            kept_trust::store(new.trust, change, new.identity)?;
        }
        if step.secrets == Secrets::Destroy {
            Identity::remove_key(change)?;
            media_key::remove(change)?;
            key_sets::remove(change)?;
            Redeemed::remove(change)?;
            BegunOperation::remove(change)?;
        }
        let is_new = outcome.new.is_some();
        if step.standing == self.state && outcome.lost == self.lost && !is_new {
            return Ok(());
        }
        let standing = Self {
            state: step.standing,
            since: Some(clock::now()),
            lost: outcome.lost.filter(|_| step.standing == State::AnswerLost),
            revoked_by: (step.standing == State::Revoked).then_some(outcome.revoked_by),
        };
        let text = serde_json::to_string(&standing).map_err(RecordError::Encode)?;
        Ok(change.put(STANDING, &text)?)
    }
}
