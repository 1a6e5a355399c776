//! The operations on a device's identity: what an app, the command line or a bridge asks for.
//!
//! The agent keeps all state in the [vault](crate::vault). An operation that changes the identity is
//! written down there before anything is sent, and is finished there with the server's answer, by
//! whichever process comes next. One state machine decides what an answer leads to.

mod access;
mod advice;
mod answer;
mod client;
mod clock;
mod describe;
mod error;
mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
mod idempotency_key;
mod info;
mod initialize;
mod intent;
mod key_check;
mod media_keys;
mod memory;
mod own_path;
mod perform;
mod record;
mod replaced;
mod replacement;
mod request;
mod state;
mod status;
mod stream;
mod trusting;

use std::sync::Arc;

use crate::facts::Overrides;
use crate::vault::Folder;
use event::Nobody;
use intent::Sent;
use memory::Memory;
use record::Device;
use record::{OnIdentity, media_key};
use trusting::KeptClient;

pub use access::{Done, Resumed};
pub use advice::Advice;
pub use answer::ForeignAnswer;
pub use client::trust::{OwnAuthority, Trust};
pub use client::{
    App, Client, ClientConfig, ClientError, Distrust, Flaw, LastFailure, ProxyRefusal, SendError,
    Signer,
};
pub use describe::{Describe, ThisMachine};
pub use error::AgentError;
pub use event::{Event, Observe};
pub use info::{Current, Info, Selected, SelectedEvent, Suggestion};
pub use initialize::{Course, ExistingIdentity, InitializeOptions, Initialized};
pub use media_keys::{MediaKeyError, MediaKeys};
pub use record::{Identity, Lost, Revoker};
pub use replacement::{Afterlife, Replaced};
pub use request::{ApiRequest, ApiResponse};
pub use state::{Operation, State};
pub use status::{Status, UnfinishedEnrolment};
pub use stream::{ApiStream, BodyWriter, StreamedBody, streamed_body};

/// The agent of one device.
///
/// All of it may be used by several tasks and processes at once: operations wait for each other, and
/// calls go side by side.
pub struct Agent {
    folder: Folder,
    /// As it was given, with the trust it was given with.
    client: Client,
    kept_client: KeptClient,
    describe: Arc<dyn Describe>,
    observer: Arc<dyn Observe>,
    memory: Option<Memory>,
}

impl Agent {
    /// The agent whose vault is in `folder`.
    pub fn new(folder: Folder, client: Client, describe: Arc<dyn Describe>) -> Self {
        Self {
            folder,
            client,
            kept_client: KeptClient::default(),
            describe,
            observer: Arc::new(Nobody),
            memory: None,
        }
    }

    /// The same, with someone who is told what happens.
    pub fn observed_by(self, observer: Arc<dyn Observe>) -> Self {
        Self { observer, ..self }
    }

    /// The same, made for many calls: it keeps the vault open and its key in memory, and reads them
    /// again when they were changed.
    pub fn with_memory(self) -> Self {
        Self {
            memory: Some(Memory::default()),
            ..self
        }
    }

    /// Tells what a step has led to.
    fn tell(
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
        match (&before.identity, identity) {
            (Some(before), Some(after)) if before.is_told_otherwise(after) => {
                self.observer.happened(Event::IdentityChanged {
                    before: Box::new(before.clone()),
                    after: Box::new(after.clone()),
                });
            }
            _ => {}
        }
    }

    /// What the vault says about this device. Changes nothing and waits for nobody.
    pub fn status(&self) -> Result<Status, AgentError> {
        Status::read(&self.folder)
    }

    /// Reports what the device is. `change` makes what people want reported instead of what is found
    /// out of what they wanted before; it holds for all later reports too. With the identity, it is
    /// what the agent does by itself when something has changed.
    pub async fn update(
        &self,
        change: impl FnOnce(Overrides) -> Overrides,
    ) -> Result<Done, AgentError> {
        self.report_again(change, Sent::Never).await
    }

    async fn report_again(
        &self,
        change: impl FnOnce(Overrides) -> Overrides,
        sent: Sent,
    ) -> Result<Done, AgentError> {
        self.operate(Operation::Update, sent, |vault, identity| {
            let overrides = change(identity.overrides.clone());
            let public = media_key::public(vault)?;
            let mut report = describe::report(&*self.describe, &overrides, public)?;
            report.info = self.describe.info();
            Ok(OnIdentity::Update {
                report: Box::new(report),
                overrides,
            })
        })
        .await
    }

    /// Refuses a vault that is gone at the next boot, unless the folder allows it: what [`initialize`],
    /// [`adopt`] and [`roll`] do by themselves, for those who ask a person before.
    ///
    /// [`initialize`]: Self::initialize
    /// [`adopt`]: Self::adopt
    /// [`roll`]: Self::roll
    pub fn refuse_if_volatile(&self) -> Result<(), AgentError> {
        Ok(self.folder.refuse_if_volatile()?)
    }

    /// Replaces the device's key; the server takes the old one no more.
    pub async fn roll(&self) -> Result<Done, AgentError> {
        let device = self.look()?;
        // What was begun is to be finished, wherever it is kept.
        if device.is_some_and(|device| device.situation().pending != Some(Operation::Roll)) {
            self.folder.refuse_if_volatile()?;
        }
        self.operate(Operation::Roll, Sent::Never, |_, _| Ok(OnIdentity::Roll))
            .await
    }

    /// Ends the device's access for good and destroys its key. The identity is kept for the record.
    pub async fn revoke(&self) -> Result<Done, AgentError> {
        self.operate(Operation::Revoke, Sent::Never, |_, _| {
            Ok(OnIdentity::Revoke)
        })
        .await
    }
}
