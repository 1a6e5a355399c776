//! All that the vault holds of a device, read together.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::client::trust::Trust;
use super::journal::{BegunEnrolment, BegunOperation, Redeemed};
use super::media_keys::MediaKey;
use super::state::{Operation, Secrets, Situation, State, Step};
use super::{AgentError, Identity, clock};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::vault::{Change, Vault};

const STANDING: &str = "standing";

/// A device as its vault has it.
pub(super) struct Device {
    pub(super) identity: Option<Identity>,
    pub(super) standing: Standing,
    /// Whom the device trusts at its server.
    pub(super) trust: Trust,
    /// Whether there is a key, be it one that works or not.
    pub(super) is_keyed: bool,
    pub(super) enrolment: Option<Arc<BegunEnrolment>>,
    pub(super) operation: Option<Arc<BegunOperation>>,
}

/// How the device stands with its server, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing {
    pub(super) state: State,
    /// By this device's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// The operation whose answer was lost, and its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lost: Option<Lost>,
    /// Who ended the access, once that was done and as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revoked_by: Option<Revoker>,
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
    pub(super) fn load(vault: &Vault) -> Result<Self, AgentError> {
        let identity = Identity::load(vault)?;
        let standing = entry(vault, STANDING, vault.plain(STANDING)?)?;
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
            Some(identity) => Trust::load(vault, identity)?,
            None => Trust::default(),
        };
        Ok(Self {
            enrolment: BegunEnrolment::load(vault)?.map(Arc::new),
            is_keyed: Identity::has_key(vault)?,
            trust,
            identity,
            standing,
            operation,
        })
    }

    /// One of which nothing is known.
    pub(super) fn none() -> Self {
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
        }
    }

    pub(super) fn situation(&self) -> Situation {
        Situation {
            standing: self.standing.state,
            enrolling: self.enrolment.is_some(),
            pending: self.operation.as_ref().map(|begun| begun.what.operation()),
        }
    }

    /// The error that says why a device in this state can make no calls.
    pub(super) fn unusable(&self) -> AgentError {
        match (
            self.situation().state(),
            &self.identity,
            &self.standing.lost,
            &self.enrolment,
        ) {
            (State::Revoked, Some(identity), ..) => {
                let identity = Box::new(identity.clone());
                match self.standing.revoked_by {
                    Some(Revoker::Device) => AgentError::RevokedHere(identity),
                    Some(Revoker::Server) | None => AgentError::Revoked(identity),
                }
            }
            (State::AnswerLost, _, Some(lost), _) => AgentError::AnswerLost {
                operation: lost.operation,
                server: lost.server.to_string(),
            },
            (State::Enrolling, _, _, Some(begun)) => AgentError::Enrolling {
                server: begun.server.to_string(),
            },
            _ => AgentError::NotEnrolled,
        }
    }

    /// Whether there are an identity and a key that may work.
    pub(super) fn has_key(&self) -> bool {
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
pub(super) struct Newcomer<'a> {
    pub(super) identity: &'a Identity,
    pub(super) key: &'a Secret,
    pub(super) trust: &'a Trust,
}

/// What a step stores beside the end of its operation.
pub(super) struct Outcome<'a> {
    /// What an enrolment that was done has led to.
    pub(super) new: Option<Newcomer<'a>>,
    pub(super) lost: Option<Lost>,
    /// Who ended the access, where the step does.
    pub(super) revoked_by: Revoker,
}

impl Standing {
    /// Writes what a step leads to, together with the end of the operation; part of one transaction.
    pub(super) fn store(
        &self,
        change: &Change<'_>,
        operation: Option<Operation>,
        step: Step,
        outcome: Outcome<'_>,
    ) -> Result<(), AgentError> {
        match operation {
            Some(Operation::Initialize) if step.ends => BegunEnrolment::remove(change)?,
            Some(_) | None if step.ends => BegunOperation::remove(change)?,
            _ => {}
        }
        if let Some(new) = &outcome.new {
            // Nothing of an identity that was there is of use to the new one.
            BegunOperation::remove(change)?;
            MediaKey::remove(change)?;
            Redeemed::remove(change)?;
            new.identity.store(change)?;
            new.identity.store_key(change, new.key)?;
            new.trust.store(change, new.identity)?;
        }
        if step.secrets == Secrets::Destroy {
            Identity::remove_key(change)?;
            MediaKey::remove(change)?;
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
        let text = serde_json::to_string(&standing).map_err(AgentError::Encode)?;
        Ok(change.put(STANDING, &text)?)
    }
}

/// Reads an entry that this program wrote as JSON.
pub(super) fn entry<T: DeserializeOwned>(
    vault: &Vault,
    name: &'static str,
    text: Option<String>,
) -> Result<Option<T>, AgentError> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|source| AgentError::Entry {
            path: vault.path(),
            entry: name,
            source,
        })
}

pub(super) fn sealed_entry<T: DeserializeOwned>(
    vault: &Vault,
    name: &'static str,
    context: &str,
) -> Result<Option<T>, AgentError> {
    vault
        .sealed(name, context)?
        .map(|bytes| serde_json::from_slice(&bytes))
        .transpose()
        .map_err(|source| AgentError::Entry {
            path: vault.path(),
            entry: name,
            source,
        })
}
