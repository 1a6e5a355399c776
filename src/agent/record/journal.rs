//! The operations that were begun: written down before anything is sent, so that they can be finished
//! whatever happens in between.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entry;
use super::error::RecordError;
#[cfg(feature = "cli")]
use super::hardware;
#[cfg(feature = "cli")]
use crate::agent::binding::Bound;
use crate::agent::client::Trust;
use crate::agent::clock;
use crate::agent::idempotency_key;
use crate::agent::state::Operation;
use crate::enrolment::{Enrolment, ServerUrl};
use crate::facts::Overrides;
use crate::secret::{self, Secret};
use crate::vault::{Change, Vault};
use crate::wire::DeviceReport;

/// An enrolment is beside an operation on the identity that is there, which it may replace.
const ENROLMENT: &str = "operation";
const ON_IDENTITY: &str = "operation on identity";
/// A begun `initialize`. Sealed, because token and idempotency key let anyone take the device.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::agent) struct BegunEnrolment {
    pub(in crate::agent) server: ServerUrl,
    #[serde(serialize_with = "secret::expose")]
    pub(in crate::agent) token: Secret,
    #[serde(serialize_with = "secret::expose")]
    pub(in crate::agent) idempotency_key: Secret,
    pub(in crate::agent) report: DeviceReport,
    #[serde(default)]
    pub(in crate::agent) overrides: Overrides,
    /// Whether the device that is there is to be revoked once this one has its place.
    #[serde(default)]
    pub(in crate::agent) revoke_old: bool,
    /// Whom it trusts, and the device from then on.
    #[serde(default)]
    pub(in crate::agent) trust: Trust,
    /// When its report was made, by this device's clock; unknown where an older version has begun it.
    #[serde(default)]
    pub(in crate::agent) made_at: Option<Timestamp>,
    /// The slugs of the organizers whose device this may become; without them, of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::agent) allowed_organizers: Option<Vec<String>>,
}

impl BegunEnrolment {
    /// A new one under a new idempotency key.
    pub(in crate::agent) fn new(
        enrolment: &Enrolment,
        report: DeviceReport,
        overrides: Overrides,
        trust: Trust,
    ) -> Result<Self, RecordError> {
        Ok(Self {
            server: enrolment.url().clone(),
            token: enrolment.token().clone(),
            idempotency_key: idempotency_key::make().map_err(RecordError::Random)?,
            report,
            overrides,
            revoke_old: false,
            trust,
            made_at: Some(clock::now()),
            allowed_organizers: None,
        })
    }

    /// Whether this may become a device of this organizer.
    pub(in crate::agent) fn allows(&self, organizer: &str) -> bool {
        let among = |allowed: &Vec<String>| {
            allowed
                .iter()
                .any(|slug| slug.eq_ignore_ascii_case(organizer))
        };
        self.allowed_organizers.as_ref().is_none_or(among)
    }

    /// Whether it is the redemption of this token at this server.
    pub(in crate::agent) fn is_for(&self, enrolment: &Enrolment) -> bool {
        self.server == *enrolment.url() && self.token.expose() == enrolment.token().expose()
    }

    pub(super) fn load(vault: &Vault) -> Result<Option<Self>, RecordError> {
        entry::sealed(vault, ENROLMENT, "")
    }

    pub(in crate::agent) fn store(&self, change: &Change<'_>) -> Result<(), RecordError> {
        entry::seal(change, ENROLMENT, "", self)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
        Ok(change.remove(ENROLMENT)?)
    }
}

/// A begun operation on the identity that is there; bound to it like the key.
#[derive(Serialize, Deserialize)]
pub(in crate::agent) struct BegunOperation {
    #[serde(serialize_with = "secret::expose")]
    pub(in crate::agent) idempotency_key: Secret,
    /// Whether it was written down without a connection to send it over: its server has not seen it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::agent) is_unsent: bool,
    pub(in crate::agent) what: OnIdentity,
    /// The hardware that the vault is bound to as it is begun, if that is to be another.
    #[cfg(feature = "cli")]
    #[serde(skip)]
    pub(in crate::agent) bound: Option<Bound>,
}

/// What is to be done to the identity.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::agent) enum OnIdentity {
    /// Report this.
    Update {
        report: Box<DeviceReport>,
        overrides: Overrides,
        /// When it was made, by this device's clock; unknown where an older version has begun it.
        #[serde(default)]
        made_at: Option<Timestamp>,
    },
    /// Replace the key.
    Roll,
    /// End the access.
    Revoke,
}

impl OnIdentity {
    /// To report what was just found.
    pub(in crate::agent) fn update(report: DeviceReport, overrides: Overrides) -> Self {
        Self::Update {
            report: Box::new(report),
            overrides,
            made_at: Some(clock::now()),
        }
    }

    pub(in crate::agent) fn operation(&self) -> Operation {
        match self {
            Self::Update { .. } => Operation::Update,
            Self::Roll => Operation::Roll,
            Self::Revoke => Operation::Revoke,
        }
    }
}

impl BegunOperation {
    /// A new one under a new idempotency key.
    pub(in crate::agent) fn new(what: OnIdentity) -> Result<Self, RecordError> {
        let key = idempotency_key::make().map_err(RecordError::Random)?;
        Ok(Self::under(key, what))
    }

    /// One that is asked for under this key.
    pub(super) fn under(idempotency_key: Secret, what: OnIdentity) -> Self {
        Self {
            idempotency_key,
            is_unsent: false,
            what,
            #[cfg(feature = "cli")]
            bound: None,
        }
    }

    /// The same for who writes it down and may not come to send it.
    #[cfg(feature = "cli")]
    pub(in crate::agent) fn unsent(what: OnIdentity) -> Result<Self, RecordError> {
        Ok(Self {
            is_unsent: true,
            ..Self::new(what)?
        })
    }

    pub(super) fn load(vault: &Vault, context: &str) -> Result<Option<Self>, RecordError> {
        entry::sealed(vault, ON_IDENTITY, context)
    }

    /// Writes it down as it is.
    #[cfg(feature = "cli")]
    pub(in crate::agent) fn store(
        &self,
        change: &Change<'_>,
        context: &str,
    ) -> Result<(), RecordError> {
        entry::seal(change, ON_IDENTITY, context, self)
    }

    /// Writes down that its server may see it from now on.
    pub(in crate::agent) fn store_as_sent(
        &self,
        change: &Change<'_>,
        context: &str,
    ) -> Result<(), RecordError> {
        #[cfg(feature = "cli")]
        if let Some(bound) = &self.bound {
            hardware::store(bound, change)?;
        }
        #[derive(Serialize)]
        struct AsSent<'a> {
            #[serde(serialize_with = "secret::expose")]
            idempotency_key: &'a Secret,
            what: &'a OnIdentity,
        }
        let sent = AsSent {
            idempotency_key: &self.idempotency_key,
            what: &self.what,
        };
        entry::seal(change, ON_IDENTITY, context, &sent)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
        Ok(change.remove(ON_IDENTITY)?)
    }
}
