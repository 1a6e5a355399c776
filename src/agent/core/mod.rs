//! What every operation and call works with: the vault's folder, the clients, and who describes the
//! device and is told what happens to it.

mod apart;
mod clients;
mod memory;
mod pause;
mod sent;
#[cfg(feature = "cli")]
mod unfinished_move;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

#[cfg(feature = "cli")]
use super::binding::{CopiedCard, Kinship, OwnHardware};
use super::client::Client;
use super::describe::Describe;
use super::error::AgentError;
use super::event::{Event, Nobody, Observe};
#[cfg(feature = "cli")]
use super::record::hardware;
use super::record::{Device, Identity, RecordError};
use super::state::{Operation, State};
use crate::vault::{self, Change, ChangeLock, Folder, Vault, VaultError};
use clients::Clients;
use memory::Memory;
use pause::Pause;

pub(super) use apart::apart;
pub use apart::is_working_apart;
pub(super) use clients::is_same_server;
pub(super) use memory::{Known, Last, Reported};
pub(super) use sent::Sent;
#[cfg(feature = "cli")]
pub(super) use unfinished_move::finish_move;
#[cfg(feature = "cli")]
pub use unfinished_move::{AFTER_CUT_SHORT, CUT_SHORT};

/// How often to look whether another process that changes the device is done.
const LOCK_INTERVAL: Duration = Duration::from_millis(50);

/// What all that an agent does has in common; a clone is the same agent's.
#[derive(Clone)]
pub(super) struct Core {
    pub(super) folder: Arc<Folder>,
    pub(super) clients: Arc<Clients>,
    pub(super) describe: Arc<dyn Describe>,
    observer: Arc<dyn Observe>,
    pub(super) memory: Option<Arc<Memory>>,
    /// When the time of what is being done is over, if that has begun.
    until: Option<Instant>,
    /// Between two tries to report diagnostics that are old.
    pub(super) pause: Arc<Pause>,
    /// The hardware that this is, where copies of a vault are noticed.
    #[cfg(feature = "cli")]
    pub(super) hardware: Option<Arc<OwnHardware>>,
}

impl Core {
    pub(super) fn new(folder: Folder, client: Client, describe: Arc<dyn Describe>) -> Self {
        Self {
            folder: Arc::new(folder),
            clients: Arc::new(Clients::new(client)),
            describe,
            observer: Arc::new(Nobody),
            memory: None,
            until: None,
            pause: Arc::default(),
            #[cfg(feature = "cli")]
            hardware: None,
        }
    }

    #[cfg(feature = "cli")]
    pub(super) fn on_hardware(self, own: OwnHardware) -> Self {
        let hardware = Some(Arc::new(own));
        Self { hardware, ..self }
    }

    /// Refuses a device whose vault was copied here, before its key is used; told where that is only told.
    pub(super) fn refuse_copied(&self, device: &Device) -> Result<(), AgentError> {
        #[cfg(feature = "cli")]
        if let Some(own) = &self.hardware {
            let kinship = own.kinship(device.hardware.as_ref());
            match (kinship, own.copied_card) {
                (Kinship::Copied(differs), CopiedCard::Refuse) => {
                    return Err(AgentError::OtherHardware { differs });
                }
                (kinship, _) => own.tell_once(&kinship),
            }
        }
        let _ = device;
        Ok(())
    }

    /// Binds a device that is just enrolled to this hardware; part of one transaction.
    pub(super) fn bind_new(&self, change: &Change<'_>) -> Result<(), RecordError> {
        #[cfg(feature = "cli")]
        if let Some(own) = &self.hardware
            && let Some(bound) = own.to_bind(None).map_err(RecordError::Random)?
        {
            hardware::store(&bound, change)?;
        }
        let _ = change;
        Ok(())
    }

    pub(super) fn observed_by(self, observer: Arc<dyn Observe>) -> Self {
        Self { observer, ..self }
    }

    pub(super) fn with_memory(self) -> Self {
        Self {
            memory: Some(Arc::default()),
            ..self
        }
    }

    /// The same for what has to be done by then.
    fn until(&self, until: Instant) -> Self {
        let until = Some(until);
        Self {
            until,
            ..self.clone()
        }
    }

    /// The same with another client.
    pub(super) fn reaching_by(&self, client: Client) -> Self {
        Self {
            clients: Arc::new(Clients::new(client)),
            ..self.clone()
        }
    }

    /// The same for a call that begins now, with all that comes before and after it: together they have
    /// this time, or as much as any call if that is less, and bear this `silence` of a server, or that of any call.
    pub(super) fn for_call(&self, limit: Option<Duration>, silence: Option<Duration>) -> Self {
        Self {
            clients: Arc::new(self.clients.for_call(limit, silence)),
            ..self.clone()
        }
    }

    /// Takes the right to change the device; waits for another process that has it.
    pub(super) async fn lock(&self) -> Result<ChangeLock, AgentError> {
        if let Some(memory) = &self.memory {
            memory.forget();
        }
        let until = self.until;
        let until = until.unwrap_or_else(|| Instant::now() + self.clients.deadline());
        loop {
            match vault::lock(&self.folder) {
                Err(VaultError::Busy { .. }) if Instant::now() < until => {
                    tokio::time::sleep(LOCK_INTERVAL).await;
                }
                result => {
                    let lock = result?;
                    #[cfg(feature = "cli")]
                    unfinished_move::finish_move_under(&self.folder, &lock);
                    return Ok(lock);
                }
            }
        }
    }

    /// What the vault holds; `None` if there is none.
    pub(super) fn look(&self) -> Result<Option<Device>, AgentError> {
        let vault = Vault::look(&self.folder)?;
        Ok(vault.map(|vault| Device::load(&vault)).transpose()?)
    }

    /// What the agent remembers, if it does and that is still so.
    pub(super) fn recall(&self) -> Option<Arc<Known>> {
        self.memory.as_ref()?.recall()
    }

    /// Tells what a step has led to.
    pub(super) fn tell(
        &self,
        before: &Device,
        state: State,
        identity: Option<&Identity>,
        done: Option<Operation>,
    ) {
        if let Some(operation) = done {
            self.observer.happened(Event::Done(operation));
        }
        if state != before.situation().state() {
            self.observer.happened(Event::StateChanged(state));
        }
        if let (Some(before), Some(after)) = (&before.identity, identity) {
            self.tell_identity(before, after);
        }
    }

    /// Tells what is new of the device, if anything is.
    pub(super) fn tell_identity(&self, before: &Identity, after: &Identity) {
        if before.is_told_otherwise(after) {
            self.observer.happened(Event::IdentityChanged {
                before: Box::new(before.clone()),
                after: Box::new(after.clone()),
            });
        }
    }
}
