//! The operations that were begun: written down before anything is sent, so that they can be finished
//! whatever happens in between.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::client::trust::Trust;
use super::state::Operation;
use super::{AgentError, Identity};
use crate::enrolment::{Enrolment, ServerUrl};
use crate::facts::Overrides;
use crate::secret::{self, Secret};
use crate::vault::{Change, Vault};
use crate::wire::DeviceReport;

/// An enrolment is beside an operation on the identity that is there, which it may replace.
const ENROLMENT: &str = "operation";
const ON_IDENTITY: &str = "operation on identity";
const REDEEMED: &str = "redeemed token";
/// Random bytes in an idempotency key.
const IDEMPOTENCY_KEY_LENGTH: usize = 24;

/// A key under which a server repeats an answer that was lost.
pub(super) fn idempotency_key() -> Result<Secret, AgentError> {
    let mut random = Zeroizing::new([0; IDEMPOTENCY_KEY_LENGTH]);
    getrandom::fill(&mut *random).map_err(AgentError::Random)?;
    Ok(Secret::new(base16ct::lower::encode_string(&*random)))
}

/// A begun `initialize`. Sealed, because token and idempotency key let anyone take the device.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct BegunEnrolment {
    pub(super) server: ServerUrl,
    #[serde(serialize_with = "secret::expose")]
    pub(super) token: Secret,
    #[serde(serialize_with = "secret::expose")]
    pub(super) idempotency_key: Secret,
    pub(super) report: DeviceReport,
    #[serde(default)]
    pub(super) overrides: Overrides,
    /// Whether the device that is there is to be revoked once this one has its place.
    #[serde(default)]
    pub(super) revoke_old: bool,
    /// Whom it trusts, and the device from then on.
    #[serde(default)]
    pub(super) trust: Trust,
}

impl BegunEnrolment {
    /// A new one under a new idempotency key.
    pub(super) fn new(
        enrolment: &Enrolment,
        report: DeviceReport,
        overrides: Overrides,
        trust: Trust,
    ) -> Result<Self, AgentError> {
        Ok(Self {
            server: enrolment.url().clone(),
            token: enrolment.token().clone(),
            idempotency_key: idempotency_key()?,
            report,
            overrides,
            revoke_old: false,
            trust,
        })
    }

    /// Whether it is the redemption of this token at this server.
    pub(super) fn is_for(&self, enrolment: &Enrolment) -> bool {
        self.server == *enrolment.url() && self.token.expose() == enrolment.token().expose()
    }

    pub(super) fn load(vault: &Vault) -> Result<Option<Self>, AgentError> {
        super::device::sealed_entry(vault, ENROLMENT, "")
    }

    pub(super) fn store(&self, change: &Change<'_>) -> Result<(), AgentError> {
        seal(change, ENROLMENT, "", self)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), AgentError> {
        Ok(change.remove(ENROLMENT)?)
    }
}

/// A begun operation on the identity that is there; bound to it like the key.
#[derive(Serialize, Deserialize)]
pub(super) struct BegunOperation {
    #[serde(serialize_with = "secret::expose")]
    pub(super) idempotency_key: Secret,
    pub(super) what: OnIdentity,
}

/// What is to be done to the identity.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnIdentity {
    /// Report this.
    Update {
        report: Box<DeviceReport>,
        overrides: Overrides,
    },
    /// Replace the key.
    Roll,
    /// End the access.
    Revoke,
}

impl OnIdentity {
    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Update { .. } => Operation::Update,
            Self::Roll => Operation::Roll,
            Self::Revoke => Operation::Revoke,
        }
    }
}

impl BegunOperation {
    /// A new one under a new idempotency key.
    pub(super) fn new(what: OnIdentity) -> Result<Self, AgentError> {
        Ok(Self {
            idempotency_key: idempotency_key()?,
            what,
        })
    }

    pub(super) fn load(vault: &Vault, context: &str) -> Result<Option<Self>, AgentError> {
        super::device::sealed_entry(vault, ON_IDENTITY, context)
    }

    pub(super) fn store(&self, change: &Change<'_>, context: &str) -> Result<(), AgentError> {
        seal(change, ON_IDENTITY, context, self)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), AgentError> {
        Ok(change.remove(ON_IDENTITY)?)
    }
}

/// The code that the identity was enrolled with, so that the same one again is known to be done.
pub(super) struct Redeemed;

impl Redeemed {
    pub(super) fn store(
        change: &Change<'_>,
        identity: &Identity,
        begun: &BegunEnrolment,
    ) -> Result<(), AgentError> {
        let token = begun.token.expose().as_bytes();
        Ok(change.put_sealed(REDEEMED, &identity.context(), token)?)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), AgentError> {
        Ok(change.remove(REDEEMED)?)
    }

    /// Whether it was this code. An entry that does not open is that of another identity.
    pub(super) fn is_by(vault: &Vault, identity: &Identity, enrolment: &Enrolment) -> bool {
        let redeemed = vault.sealed(REDEEMED, &identity.context()).ok().flatten();
        identity.server == *enrolment.url()
            && redeemed.is_some_and(|token| *token == enrolment.token().expose().as_bytes())
    }
}

/// Seals a value as JSON.
pub(super) fn seal(
    change: &Change<'_>,
    name: &str,
    context: &str,
    value: &impl Serialize,
) -> Result<(), AgentError> {
    let bytes = serde_json::to_vec(value)
        .map(Zeroizing::new)
        .map_err(AgentError::Encode)?;
    Ok(change.put_sealed(name, context, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys_have_192_random_bits_in_hexadecimal() {
        let [one, other] = [(); 2].map(|()| idempotency_key().ok().unwrap());
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), 48);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
