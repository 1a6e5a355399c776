//! What comes before every call: what was begun is finished, the report is kept true, and the key is
//! read from the vault.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::describe;
use super::intent::Sent;
use super::key_check::Asked;
use super::memory::Known;
use super::record::media_key;
use super::record::{BegunOperation, Device, OnIdentity};
use super::replacement::{Afterlife, Replaced};
use super::state::{Operation, State};
use super::{Agent, AgentError, Identity};
use crate::vault::{self, ChangeLock, Vault, VaultError, Watch};
use crate::wire::DeviceReport;

/// How often to look whether another process that changes the device is done.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// What a call is made with.
pub(super) struct Access {
    known: Arc<Known>,
    /// Why something that was begun is not finished; it may be about to replace the key.
    pub(super) unfinished: Option<AgentError>,
}

impl Deref for Access {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

/// What the vault held when it was looked into.
enum Seen {
    Ready(Box<Access>),
    Unfinished { has_key: bool },
}

impl Access {
    fn load(vault: &Vault, device: Device) -> Result<Self, AgentError> {
        if !device.has_key() {
            return Err(AgentError::unusable(&device));
        }
        let state = device.standing.state;
        let identity = device.identity.ok_or(AgentError::NotEnrolled)?;
        let known = Known {
            key: identity.key(vault)?,
            rsa_pubkey: media_key::public(vault)?,
            identity,
            state,
            trust: device.trust,
        };
        Ok(Self {
            known: Arc::new(known),
            unfinished: None,
        })
    }
}

/// An operation was finished that had been begun before.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// Which.
    pub operation: Operation,
    /// The device that lost its place by it.
    pub replaced: Option<Replaced>,
}

/// An operation on the identity was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Who the device is.
    pub identity: Identity,
    /// Whether it was begun before, and this has finished it.
    pub went_on: bool,
}

impl Resumed {
    /// Tells in the log what was done beside what was asked for.
    fn tell(&self) {
        tracing::info!("finished what was begun before: {}", self.operation.name());
        if let Some(Replaced {
            identity,
            afterlife: Afterlife::Active,
        }) = &self.replaced
        {
            tracing::warn!(
                "the device that was here before, {}, is still active on its server: revoke it there",
                identity.in_words()
            );
        }
    }
}

impl Agent {
    /// Takes the right to change the device; waits for another process that has it.
    pub(super) async fn lock(&self) -> Result<ChangeLock, AgentError> {
        if let Some(memory) = &self.memory {
            memory.forget();
        }
        let deadline = Instant::now() + self.client.deadline();
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
        let lock = self.lock().await?;
        self.resume_under(lock, Sent::Before).await
    }

    async fn resume_under(
        &self,
        lock: ChangeLock,
        sent: Sent,
    ) -> Result<Option<Resumed>, AgentError> {
        let mut vault = Vault::open(&self.folder)?;
        // Read again: the process that had the lock may have finished it.
        let mut device = Device::load(&vault)?;
        let mut failed = None;
        // The enrolment first: once it is done, what was begun on an identity before it is void.
        if let Some(begun) = device.enrolment.take() {
            let situation = Device::load(&vault)?;
            match self
                .finish_enrolment(&mut vault, &situation, &begun, sent)
                .await
            {
                Ok(identity) => {
                    let replaced = self
                        .settle_replaced(&lock, &situation, &identity, self.patience_for(sent))
                        .await;
                    return Ok(Some(Resumed {
                        operation: Operation::Initialize,
                        replaced,
                    }));
                }
                Err(error) => failed = Some(error),
            }
            device = Device::load(&vault)?;
        }
        let resumed = self.resume_operation(&mut vault, &device, sent).await?;
        match failed {
            Some(error) => Err(error),
            None => Ok(resumed),
        }
    }

    /// Finishes a pending operation on the identity. That the server refuses it ends it too.
    pub(super) async fn resume_operation(
        &self,
        vault: &mut Vault,
        device: &Device,
        sent: Sent,
    ) -> Result<Option<Resumed>, AgentError> {
        let (Some(identity), Some(begun)) = (&device.identity, &device.operation) else {
            return Ok(None);
        };
        let operation = begun.what.operation();
        match self
            .finish_operation(vault, device, identity, begun, sent)
            .await
        {
            Ok(_) => Ok(Some(Resumed {
                operation,
                replaced: None,
            })),
            Err(error @ AgentError::Refused { .. }) if Device::load(vault)?.operation.is_none() => {
                error.warn();
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// What the vault holds; `None` if there is none.
    pub(super) fn look(&self) -> Result<Option<Device>, AgentError> {
        let vault = Vault::look(&self.folder)?;
        Ok(vault.map(|vault| Device::load(&vault)).transpose()?)
    }

    /// Who the device is and its key, after what is due was done.
    ///
    /// What can't be done now does not keep a key that is there from being used: a report that some
    /// server does not take must not stop a gate.
    pub(super) async fn access(&self) -> Result<Access, AgentError> {
        self.access_with(self.recall()).await
    }

    /// The same with what was just recalled.
    pub(super) async fn access_with(
        &self,
        known: Option<Arc<Known>>,
    ) -> Result<Access, AgentError> {
        let mut access = match self.read(known)? {
            Seen::Ready(access) => *access,
            Seen::Unfinished { has_key } => {
                let unfinished = self.resume_in_passing(has_key).await?;
                let mut access = self.read_access()?;
                access.unfinished = unfinished;
                access
            }
        };
        if access.state == State::AnswerLost {
            self.try_lost_key(&access).await?;
            access = self.read_access()?;
        }
        if access.unfinished.is_none() && access.identity.is_outdated(&self.report(&access)?) {
            let reported = self.report_again(|overrides| overrides, Sent::NeverInPassing);
            match reported.await {
                Err(error) if !error.is_in_the_way() => error.warn(),
                reported => drop(reported?),
            }
            access = self.read_access()?;
        }
        Ok(access)
    }

    /// Finishes what was begun, if that is possible now; else the error, if the device can do without.
    async fn resume_in_passing(&self, has_key: bool) -> Result<Option<AgentError>, AgentError> {
        if !has_key {
            if let Some(resumed) = self.resume().await? {
                resumed.tell();
            }
            return Ok(None);
        }
        let resumed = match vault::lock(&self.folder) {
            Ok(lock) => self.resume_under(lock, Sent::BeforeInPassing).await,
            // Whoever has the lock is about to finish what was begun.
            Err(error) => Err(error.into()),
        };
        match resumed {
            Err(error) if !error.is_in_the_way() => {
                error.warn();
                Ok(Some(error))
            }
            resumed => {
                if let Some(resumed) = resumed? {
                    resumed.tell();
                }
                Ok(None)
            }
        }
    }

    /// Reads identity and key as they are, if there are any.
    fn read_access(&self) -> Result<Access, AgentError> {
        let vault = Vault::look(&self.folder)?.ok_or(AgentError::NotEnrolled)?;
        Access::load(&vault, Device::load(&vault)?)
    }

    /// What the agent remembers, if it does and that is still so.
    pub(super) fn recall(&self) -> Option<Arc<Known>> {
        self.memory.as_ref()?.recall(&self.folder)
    }

    /// The same, unless something was begun that has to be finished first.
    fn read(&self, known: Option<Arc<Known>>) -> Result<Seen, AgentError> {
        if let Some(known) = known {
            let unfinished = None;
            return Ok(Seen::Ready(Box::new(Access { known, unfinished })));
        }
        let watch = match self.memory {
            Some(_) => Watch::begin(&self.folder)?,
            None => None,
        };
        let vault = Vault::look(&self.folder)?.ok_or(AgentError::NotEnrolled)?;
        let device = Device::load(&vault)?;
        if device.situation().unfinished().is_some() {
            return Ok(Seen::Unfinished {
                has_key: device.has_key(),
            });
        }
        let access = Access::load(&vault, device)?;
        if let (Some(memory), Some(watch)) = (&self.memory, watch) {
            memory.remember(watch, &access.known);
        }
        Ok(Seen::Ready(Box::new(access)))
    }

    /// The old key may work after all, if the lost answer was none.
    async fn try_lost_key(&self, access: &Access) -> Result<(), AgentError> {
        let identity = &access.identity;
        let client = self.client_at(&access.trust)?;
        match self
            .ask_info(&client, &identity.server, &access.key, |device| {
                identity.is(device)
            })
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

    /// Does an operation on the identity. One of the same kind that was begun
    /// before is what was asked for.
    pub(super) async fn operate(
        &self,
        operation: Operation,
        sent: Sent,
        make: impl FnOnce(&Vault, &Identity) -> Result<OnIdentity, AgentError>,
    ) -> Result<Done, AgentError> {
        let device = self.look()?.ok_or(AgentError::NotEnrolled)?;
        if device.situation().state() == State::Enrolling
            && let Some(resumed) = self.resume().await?
        {
            resumed.tell();
        }
        let lock = self.lock().await?;
        let mut vault = Vault::open(&self.folder)?;
        let mut device = Device::load(&vault)?;
        let pending = device.situation().pending;
        if pending.is_some() && pending != Some(Operation::Update) {
            let resumed = self
                .resume_operation(&mut vault, &device, Sent::Before)
                .await?;
            device = Device::load(&vault)?;
            if resumed.is_some_and(|resumed| resumed.operation == operation) {
                return Ok(Done {
                    identity: device.identity.ok_or(AgentError::NotEnrolled)?,
                    went_on: true,
                });
            }
        }
        if device.situation().begin(operation, false).is_err() {
            return Err(AgentError::unusable(&device));
        }
        let Some(identity) = device.identity.clone() else {
            return Err(AgentError::NotEnrolled);
        };
        let begun = Arc::new(BegunOperation::new(make(&vault, &identity)?)?);
        if let OnIdentity::Update { overrides, .. } = &begun.what
            && *overrides != identity.overrides
        {
            // What people want is kept whatever becomes of the report.
            vault.change(|change| {
                identity.edit(change, |known| known.overrides.clone_from(overrides))
            })?;
        }
        let identity = self
            .finish_operation(&mut vault, &device, &identity, &begun, sent)
            .await?;
        if sent == Sent::Never {
            self.revoke_replaced(&lock, Some(self.patience())).await;
        }
        Ok(Done {
            identity,
            went_on: false,
        })
    }
}
