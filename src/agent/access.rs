//! What comes before every call: what was begun is finished, the report is kept true, and the key is
//! read from the vault.

use std::time::Duration;

use tokio::time::Instant;

use super::describe;
use super::device::Device;
use super::journal::{BegunOperation, OnIdentity};
use super::key_check::Asked;
use super::media_keys::MediaKey;
use super::state::{Operation, State};
use super::{Agent, AgentError, Identity};
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::{self, ChangeLock, Vault, VaultError};
use crate::wire::DeviceReport;

/// How long to wait for another process that changes the device: as long as most of its calls take.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether it is done.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// Who the device is, and its key.
pub(super) struct Access {
    pub(super) identity: Identity,
    pub(super) key: Secret,
    pub(super) state: State,
    /// In PEM, if the device has an RSA key.
    rsa_pubkey: Option<String>,
}

/// What the vault held when it was looked into.
enum Seen {
    Ready(Box<Access>),
    Unfinished { has_key: bool },
}

impl Access {
    fn load(vault: &Vault, device: Device) -> Result<Self, AgentError> {
        if !device.has_key() {
            return Err(device.unusable());
        }
        let state = device.standing.state;
        let identity = device.identity.ok_or(AgentError::NotEnrolled)?;
        Ok(Self {
            key: identity.key(vault)?,
            rsa_pubkey: MediaKey::public(vault)?,
            identity,
            state,
        })
    }
}

/// An operation was finished that had been begun before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed(pub Operation);

impl Agent {
    /// Takes the right to change the device; waits a while for another process that has it.
    pub(super) async fn lock(&self) -> Result<ChangeLock, AgentError> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            match vault::lock(&self.folder) {
                Err(VaultError::Busy { .. }) if Instant::now() < deadline => {
                    tokio::time::sleep(LOCK_INTERVAL).await;
                }
                result => return Ok(result?),
            }
        }
    }

    /// Finishes what was begun before and cut short, under its old idempotency key.
    pub async fn resume(&self) -> Result<Option<Resumed>, AgentError> {
        let Some(device) = self.look()? else {
            return Ok(None);
        };
        if device.situation().unfinished().is_none() {
            return Ok(None);
        }
        let _lock = self.lock().await?;
        let mut vault = Vault::open(&self.folder)?;
        // Read again: the process that had the lock may have finished it.
        let device = Device::load(&vault)?;
        let mut resumed = None;
        if device.operation.is_some() {
            resumed = self.resume_operation(&mut vault, &device).await?;
        }
        if let Some(begun) = &device.enrolment {
            let device = Device::load(&vault)?;
            self.finish_enrolment(&mut vault, &device, begun, true)
                .await?;
            resumed = Some(Resumed(Operation::Initialize));
        }
        Ok(resumed)
    }

    /// Finishes a pending operation on the identity. That the server refuses it ends it too.
    pub(super) async fn resume_operation(
        &self,
        vault: &mut Vault,
        device: &Device,
    ) -> Result<Option<Resumed>, AgentError> {
        let (Some(identity), Some(begun)) = (&device.identity, &device.operation) else {
            return Ok(None);
        };
        let operation = begun.what.operation();
        match self
            .finish_operation(vault, device, identity, begun, true)
            .await
        {
            Ok(_) => Ok(Some(Resumed(operation))),
            Err(error @ AgentError::Refused { .. }) if Device::load(vault)?.operation.is_none() => {
                tracing::warn!("{error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What the vault holds; `None` if there is none.
    pub(super) fn look(&self) -> Result<Option<Device>, AgentError> {
        Vault::look(&self.folder)?
            .map(|vault| Device::load(&vault))
            .transpose()
    }

    /// Who the device is and its key, after what is due was done.
    pub(super) async fn access(&self) -> Result<Access, AgentError> {
        let mut access = match self.read()? {
            Seen::Ready(access) => *access,
            seen => {
                self.resume_beside(&seen).await?;
                self.read_access()?
            }
        };
        if access.state == State::AnswerLost {
            self.try_lost_key(&access).await?;
            access = self.read_access()?;
        }
        if access.identity.is_outdated(&self.report(&access)?) {
            match self.update(None).await {
                Ok(_) => {}
                Err(error @ AgentError::Refused { .. }) => tracing::warn!("{error}"),
                Err(error) => return Err(error),
            }
            access = self.read_access()?;
        }
        Ok(access)
    }

    /// Finishes what was begun. An enrolment elsewhere that can't be finished now does not stop the
    /// device that is here.
    async fn resume_beside(&self, seen: &Seen) -> Result<(), AgentError> {
        match self.resume().await {
            Err(error)
                if error.operation() == Some(Operation::Initialize)
                    && matches!(seen, Seen::Unfinished { has_key: true }) =>
            {
                tracing::warn!("{error}");
                Ok(())
            }
            resumed => resumed.map(drop),
        }
    }

    /// Reads identity and key as they are, if there are any.
    fn read_access(&self) -> Result<Access, AgentError> {
        let vault = Vault::look(&self.folder)?.ok_or(AgentError::NotEnrolled)?;
        Access::load(&vault, Device::load(&vault)?)
    }

    /// The same, unless something was begun that has to be finished first.
    fn read(&self) -> Result<Seen, AgentError> {
        let vault = Vault::look(&self.folder)?.ok_or(AgentError::NotEnrolled)?;
        let device = Device::load(&vault)?;
        if device.situation().unfinished().is_some() {
            return Ok(Seen::Unfinished {
                has_key: device.has_key(),
            });
        }
        Access::load(&vault, device).map(Box::new).map(Seen::Ready)
    }

    /// The old key may work after all, if the lost answer was none.
    async fn try_lost_key(&self, access: &Access) -> Result<(), AgentError> {
        let identity = &access.identity;
        match self
            .ask_info(&identity.server, &access.key, |device| identity.is(device))
            .await
        {
            Asked::Info(info) => self.hear_info(access, &info).await.map(drop),
            Asked::Unauthorized(problem) => self.doubt(&access.key, &problem).await.map(drop),
            Asked::Unclear(error) => Err(error),
        }
    }

    /// What the device would report now, without diagnostics.
    fn report(&self, access: &Access) -> Result<DeviceReport, AgentError> {
        let overrides = &access.identity.overrides;
        Ok(describe::report(
            &*self.describe,
            overrides,
            access.rsa_pubkey.clone(),
        )?)
    }

    /// Begins an operation on the identity and finishes it. One of the same kind that was begun
    /// before is what was asked for.
    pub(super) async fn operate(
        &self,
        operation: Operation,
        make: impl FnOnce(&Vault, &Identity) -> Result<OnIdentity, AgentError>,
    ) -> Result<Identity, AgentError> {
        if self.look()?.is_none() {
            return Err(AgentError::NotEnrolled);
        }
        let _lock = self.lock().await?;
        let mut vault = Vault::open(&self.folder)?;
        let mut device = Device::load(&vault)?;
        if device.operation.is_some() {
            let resumed = self.resume_operation(&mut vault, &device).await?;
            device = Device::load(&vault)?;
            if resumed == Some(Resumed(operation)) && operation != Operation::Update {
                return device.identity.ok_or(AgentError::NotEnrolled);
            }
        }
        if device.situation().begin(operation, false).is_err() {
            return Err(device.unusable());
        }
        let Some(identity) = device.identity.clone() else {
            return Err(AgentError::NotEnrolled);
        };
        let begun = BegunOperation::new(make(&vault, &identity)?)?;
        vault.begin(|change| begun.store(change, &identity.context()))?;
        failpoint::reach("operation: begun");
        self.finish_operation(&mut vault, &device, &identity, &begun, false)
            .await
    }
}
