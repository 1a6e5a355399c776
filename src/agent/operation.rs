//! An enrolment that was begun: written down before the token is sent, so that it can be finished
//! whatever happens in between.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::AgentError;
use crate::enrolment::{Enrolment, ServerUrl};
use crate::secret::{self, Secret};
use crate::vault::{Change, Vault};
use crate::wire::DeviceReport;

const OPERATION: &str = "operation";
/// Random bytes in an idempotency key.
const IDEMPOTENCY_KEY_LENGTH: usize = 24;

/// A begun `initialize`. Sealed, because token and idempotency key let anyone take the device.
#[derive(Serialize, Deserialize)]
pub(super) struct Begun {
    pub(super) server: ServerUrl,
    #[serde(serialize_with = "secret::expose")]
    pub(super) token: Secret,
    /// Under this key the server repeats an answer that was lost.
    #[serde(serialize_with = "secret::expose")]
    pub(super) idempotency_key: Secret,
    pub(super) report: DeviceReport,
}

impl Begun {
    /// A new operation under a new idempotency key.
    pub(super) fn new(enrolment: &Enrolment, report: &DeviceReport) -> Result<Self, AgentError> {
        let mut random = Zeroizing::new([0; IDEMPOTENCY_KEY_LENGTH]);
        getrandom::fill(&mut *random).map_err(AgentError::Random)?;
        let key = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            server: enrolment.url().clone(),
            token: enrolment.token().clone(),
            idempotency_key: Secret::new(key),
            report: report.clone(),
        })
    }

    /// Whether it is the redemption of this token at this server.
    pub(super) fn is_for(&self, enrolment: &Enrolment) -> bool {
        self.server == *enrolment.url() && self.token.expose() == enrolment.token().expose()
    }

    pub(super) fn load(vault: &Vault) -> Result<Option<Self>, AgentError> {
        let Some(bytes) = vault.sealed(OPERATION, "")? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|source| AgentError::Entry {
                path: vault.path(),
                entry: OPERATION,
                source,
            })
    }

    pub(super) fn store(&self, change: &Change<'_>) -> Result<(), AgentError> {
        let bytes = serde_json::to_vec(self)
            .map(Zeroizing::new)
            .map_err(AgentError::Encode)?;
        Ok(change.put_sealed(OPERATION, "", &bytes)?)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), AgentError> {
        Ok(change.remove(OPERATION)?)
    }
}
