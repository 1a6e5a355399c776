//! The operations on a device's identity: what an app, the command line or a bridge asks for.
//!
//! The agent keeps all state in the [vault](crate::vault). An operation that changes the identity is
//! written down there before anything is sent, and is finished there with the server's answer, by
//! whichever process comes next. One state machine decides what an answer leads to.
//!
//! [`Agent`] hands on only. Who does what, and who may ask whom, is in docs/ARCHITECTURE.md under "Rooms
//! of the agent".

mod access;
mod advice;
mod answer;
#[cfg(feature = "cli")]
mod binding;
mod calls;
mod client;
mod clock;
mod core;
mod describe;
mod device_api;
mod error;
mod event;
#[cfg(fuzzing)]
pub mod fuzzing;
mod idempotency_key;
#[cfg(feature = "cli")]
mod inspect;
mod learn;
mod media_keys;
mod operate;
mod perform;
mod record;
mod state;
mod status;
mod warning;

use std::sync::Arc;

use self::core::{Core, Sent, apart};
use crate::enrolment::Enrolment;
#[cfg(feature = "cli")]
use crate::enrolment::ServerUrl;
use crate::facts::Overrides;
use crate::vault::Folder;
use crate::wire::MediumKeySet;

pub use self::core::is_working_apart;
#[cfg(feature = "cli")]
pub use self::core::{AFTER_CUT_SHORT, CUT_SHORT};
pub use advice::Advice;
pub use answer::ForeignAnswer;
#[cfg(all(feature = "cli", feature = "server"))]
pub(crate) use answer::{Reply, read as read_answer};
#[cfg(feature = "cli")]
pub use binding::{CopiedCard, Kinship, OwnHardware};
pub use calls::{
    ApiRequest, ApiResponse, ApiStream, BodyWriter, Current, Info, MediaKeySets, Selected,
    SelectedEvent, StreamedBody, Suggestion, streamed_body,
};
#[cfg(all(feature = "cli", feature = "server"))]
pub(crate) use client::{Answer, Repeat, idempotency_header, team_authorization};
pub use client::{
    App, Client, ClientConfig, ClientError, Distrust, Flaw, LastFailure, OwnAuthority, ProxyChoice,
    ProxyRefusal, SendError, Signer, Trust,
};
#[cfg(feature = "cli")]
pub use client::{Looked, ProxyOnTheWay, ShownCertificate};
pub use clock::can_be_right as can_clock_be_right;
pub use describe::{Describe, SameMachine, ThisMachine};
pub use error::{AgentError, ErrorKind};
pub use event::{Event, Observe};
#[cfg(all(feature = "cli", feature = "server"))]
pub(crate) use idempotency_key::make as new_idempotency_key;
pub use media_keys::{GivenMediaKey, MediaKeyError, MediaKeys};
pub use operate::{Course, Done, ExistingIdentity, InitializeOptions, Initialized, Resumed};
#[cfg(feature = "cli")]
pub use operate::{Imported, NewKey, rekey};
pub use perform::{Afterlife, Replaced};
#[cfg(feature = "cli")]
pub use record::MovedDevice;
pub use record::{Identity, Lost, Revoker};
pub use state::{Operation, State};
pub use status::{Status, UnfinishedEnrolment};
pub use warning::Warning;

/// The agent of one device.
///
/// All of it may be used by several tasks and processes at once: operations wait for each other, and
/// calls go side by side. What is asynchronous runs on a Tokio runtime with I/O and time. Dropping it ends
/// the work where it next waits for something else than the disk; what was begun is finished later.
pub struct Agent {
    core: Core,
}

impl Agent {
    /// The agent whose vault is in `folder`.
    pub fn new(folder: Folder, client: Client, describe: Arc<dyn Describe>) -> Self {
        Self {
            core: Core::new(folder, client, describe),
        }
    }

    /// The same, with someone who is told what happens.
    pub fn observed_by(self, observer: Arc<dyn Observe>) -> Self {
        Self {
            core: self.core.observed_by(observer),
        }
    }

    /// The same on this hardware, where a vault that was copied from other is noticed.
    #[cfg(feature = "cli")]
    pub fn on_hardware(self, own: OwnHardware) -> Self {
        Self {
            core: self.core.on_hardware(own),
        }
    }

    /// Binds a vault that is bound to no hardware yet to this, and ends a move of it to another key that was cut short.
    /// Waits for the disk, and for nobody else.
    #[cfg(feature = "cli")]
    pub fn bind_hardware(&self) -> Result<(), AgentError> {
        core::finish_move(&self.core.folder)?;
        operate::bind(&self.core)
    }

    /// Binds the vault to this hardware, and replaces the device's key: any other copy of it stops working.
    #[cfg(feature = "cli")]
    pub async fn adopt_hardware(&self) -> Result<Done, AgentError> {
        apart(&self.core, |core| async move {
            operate::adopt_hardware(&core).await
        })
        .await
    }

    /// The same, made for many calls: it keeps the vault open and its key in memory, and reads them
    /// again when they were changed. It keeps no thread of its caller's runtime waiting for the disk: that is
    /// done on threads of its own, of which a process has 32 at most.
    pub fn with_memory(self) -> Self {
        Self {
            core: self.core.with_memory(),
        }
    }

    /// The same agent with another client, for what is asked from now on: as when the network has another proxy.
    /// What is under way goes on with the one that it began with.
    pub fn reaching_by(&self, client: Client) -> Self {
        Self {
            core: self.core.reaching_by(client),
        }
    }

    /// What the vault says about this device. Changes nothing and waits for nobody.
    pub fn status(&self) -> Result<Status, AgentError> {
        Status::read(&self.core.folder)
    }

    /// The same, for who must not wait for the disk: with memory it is read on another thread.
    pub async fn status_read_apart(&self) -> Result<Status, AgentError> {
        apart(&self.core, |core| async move { Status::read(&core.folder) }).await
    }

    /// What somebody should see to of a device that stands like this, though it works: as that its vault was copied from
    /// other hardware.
    pub fn warning_of(&self, status: &Result<Status, AgentError>) -> Option<Warning> {
        #[cfg(feature = "cli")]
        if let (Some(own), Ok(status)) = (&self.core.hardware, status) {
            return own.to_tell(&status.kinship(own));
        }
        let _ = status;
        None
    }

    /// Refuses a vault that is gone at the next boot, unless the folder allows it: what [`initialize`],
    /// [`adopt`] and [`roll`] do by themselves, for those who ask a person before.
    ///
    /// [`initialize`]: Self::initialize
    /// [`adopt`]: Self::adopt
    /// [`roll`]: Self::roll
    pub fn refuse_if_volatile(&self) -> Result<(), AgentError> {
        Ok(self.core.folder.refuse_if_volatile()?)
    }

    /// Redeems the token of `enrolment` and keeps the identity and key it gets.
    ///
    /// The operation and its idempotency key are in the vault before the token is sent, and not before
    /// there is a connection to send it over. If no answer of the API comes, they stay there: enrolling
    /// again with the same token at the same server goes on under the same key, and the server repeats
    /// its answer. The key is never sent anywhere else, since for a day it is worth as much as the
    /// device's own.
    pub async fn initialize(
        &self,
        enrolment: &Enrolment,
        options: &InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        let (enrolment, options) = (enrolment.clone(), options.clone());
        apart(&self.core, |core| async move {
            operate::initialize(&core, &enrolment, &options).await
        })
        .await
    }

    /// Redeems the first of these that the server knows, where it can't be told which one is meant: a token
    /// that is unknown uses nothing up. Without any it is an unknown token's refusal that is returned.
    pub async fn initialize_first_known<'e>(
        &self,
        first: &'e Enrolment,
        others: impl IntoIterator<Item = &'e Enrolment>,
        options: &InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        let (first, options) = (first.clone(), options.clone());
        let others: Vec<Enrolment> = others.into_iter().cloned().collect();
        apart(&self.core, |core| async move {
            operate::initialize_first_known(&core, &first, &others, &options).await
        })
        .await
    }

    /// Whether this device is enrolled, and by this code. Waits for the disk.
    pub fn is_enrolled_by(&self, enrolment: &Enrolment) -> bool {
        operate::redeemed(&self.core, enrolment).is_ok_and(|identity| identity.is_some())
    }

    /// Takes over a device that another app enrolled, once the server has confirmed it. That it was
    /// taken over before, with the same key, is fine. With its RSA key for NFC media, the server has to take that
    /// too, by a report of this device, before anything is stored.
    pub async fn adopt(
        &self,
        existing: &ExistingIdentity,
        options: &InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        let (existing, options) = (existing.clone(), options.clone());
        apart(&self.core, |core| async move {
            operate::adopt(&core, &existing, &options).await
        })
        .await
    }

    /// Finishes what was begun before and cut short, under its old idempotency key.
    pub async fn resume(&self) -> Result<Option<Resumed>, AgentError> {
        apart(
            &self.core,
            |core| async move { operate::resume(&core).await },
        )
        .await
    }

    /// Reports what the device is. `change` makes what people want reported instead of what is found
    /// out of what they wanted before; it holds for all later reports too. With the identity, it is
    /// what the agent does by itself when something has changed.
    pub async fn update(
        &self,
        change: impl FnOnce(Overrides) -> Overrides + Send + 'static,
    ) -> Result<Done, AgentError> {
        apart(&self.core, |core| async move {
            operate::report(&core, change, Sent::Never).await
        })
        .await
    }

    /// Replaces the device's key; the server takes the old one no more.
    pub async fn roll(&self) -> Result<Done, AgentError> {
        apart(&self.core, |core| async move { operate::roll(&core).await }).await
    }

    /// Ends the device's access for good and destroys its key. The identity is kept for the record.
    pub async fn revoke(&self) -> Result<Done, AgentError> {
        apart(
            &self.core,
            |core| async move { operate::revoke(&core).await },
        )
        .await
    }

    /// This device, for other hardware that is to be it; what is under way is finished before. It stays here, too, and
    /// works until it has arrived there.
    #[cfg(feature = "cli")]
    pub async fn export(&self) -> Result<MovedDevice, AgentError> {
        apart(
            &self.core,
            |core| async move { operate::export(&core).await },
        )
        .await
    }

    /// Becomes a device that was on other hardware, and has its key replaced, after which that machine has no access
    /// any more. Without a connection that is begun, and a later command finishes it.
    #[cfg(feature = "cli")]
    pub async fn import(
        &self,
        moved: MovedDevice,
        options: &InitializeOptions,
    ) -> Result<Imported, AgentError> {
        let options = options.clone();
        apart(&self.core, |core| async move {
            operate::import(&core, moved, &options).await
        })
        .await
    }

    /// Makes an authenticated call. Any answer of the server is a result; what it says about the
    /// device's access is taken in first, and is an error.
    pub async fn request(&self, request: ApiRequest) -> Result<ApiResponse, AgentError> {
        calls::request(&self.core, request).await
    }

    /// Makes an authenticated call and returns as soon as the answer begins. With `body`, that is
    /// sent instead of the request's own.
    pub async fn stream(
        &self,
        request: ApiRequest,
        body: Option<StreamedBody>,
    ) -> Result<ApiStream, AgentError> {
        calls::stream(&self.core, request, body).await
    }

    /// Asks the server who this device is, and takes over what is new.
    pub async fn info(&self) -> Result<Info, AgentError> {
        calls::info(&self.core).await
    }

    /// Who the device is, and its keys for NFC media, decrypted. Makes the device's RSA key if there is
    /// none yet, which takes a second or more, and tells the server. While that is away, the keys that it told
    /// last: with such at hand it has five seconds to answer.
    pub async fn media_keys(&self) -> Result<MediaKeySets<MediaKeys>, AgentError> {
        calls::media_keys(&self.core).await
    }

    /// The keys for NFC media as the server encrypted them to a key pair that the app holds, as in
    /// Android's Keystore; `public` is its public half in PEM. The pair that was reported first stays:
    /// the server takes no other. While that is away, the same as [`media_keys`](Self::media_keys).
    pub async fn encrypted_media_keys(
        &self,
        public: &str,
    ) -> Result<MediaKeySets<MediumKeySet>, AgentError> {
        calls::encrypted_media_keys(&self.core, public).await
    }

    /// What a server shows to anybody: its certificate, judged by whom this device trusts there, and its
    /// clock; with it why it is not trusted, if it is not. It is told nothing, and nothing is learnt.
    #[cfg(feature = "cli")]
    pub async fn look_at(
        &self,
        server: &ServerUrl,
    ) -> Result<(Looked, Option<AgentError>), AgentError> {
        inspect::look_at(&self.core, server).await
    }

    /// Who the server says that this device is, if it takes the key. Nothing is finished, stored or told, whatever
    /// it answers.
    #[cfg(feature = "cli")]
    pub async fn ask_only(&self) -> Result<Identity, AgentError> {
        inspect::who(&self.core).await
    }

    /// What to scan for now, asked in the same way.
    #[cfg(feature = "cli")]
    pub async fn event_selection_only(&self) -> Result<Suggestion, AgentError> {
        inspect::selection(&self.core).await
    }

    /// The name of the key pair for NFC media that came with an adopted device, where an app's store of keys
    /// holds it. Waits for the disk.
    pub fn media_key_held_as(&self) -> Result<Option<String>, AgentError> {
        calls::media_key_held_as(&self.core)
    }

    /// Asks what to scan for now.
    pub async fn event_selection(&self, current: &Current) -> Result<Suggestion, AgentError> {
        calls::event_selection(&self.core, current).await
    }
}
