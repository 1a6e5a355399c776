//! Enrolment: redeeming an initialization token, or taking over a device that another app enrolled.

use std::path::PathBuf;
use std::sync::Arc;

use super::intent::Sent;
use super::record::{BegunEnrolment, Device, Newcomer, Outcome, Redeemed, Revoker};
use super::replacement::{Replaced, Replacement};
use super::state::{Hindrance, Operation, Secrets, State, Step};
use super::{Agent, AgentError, Identity, describe};
use crate::enrolment::{Enrolment, ServerUrl};
use crate::facts::Overrides;
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::{ChangeLock, Vault};

/// How to enrol.
#[derive(Clone, Debug, Default)]
pub struct InitializeOptions {
    /// Give up the device, the unfinished enrolment or the unusable vault that is there.
    pub replace: bool,
    /// Send the token or key unencrypted to another machine.
    pub allow_http: bool,
    /// What to report instead of what is found, now and later.
    pub overrides: Overrides,
    /// Revoke the device that is given up, once the new one is in the vault.
    pub revoke_old: bool,
}

/// How what was asked for came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It was begun and done.
    Done,
    /// It was begun before, and this has finished it.
    WentOn,
    /// It was done before, and nothing was done now.
    DoneBefore,
}

/// What an enrolment led to.
pub struct Initialized {
    /// Who this device is now.
    pub identity: Identity,
    /// The vault.
    pub vault: PathBuf,
    /// How it came about. What was begun before is finished with what was to be reported then.
    pub course: Course,
    /// The device that was here before.
    pub replaced: Option<Replaced>,
    /// The server of an unfinished enrolment that was given up: its token may have been redeemed.
    pub given_up: Option<ServerUrl>,
}

/// What another app kept of a device that it enrolled.
pub struct ExistingIdentity {
    /// The server it is enrolled at.
    pub server: ServerUrl,
    /// Its API key.
    pub key: Secret,
    /// Its serial, by which the server's answer is recognized; without it any device is taken.
    pub unique_serial: Option<String>,
}

/// An enrolment that is about to be sent.
struct Started {
    vault: Vault,
    device: Device,
    begun: Arc<BegunEnrolment>,
    went_on: bool,
}

impl Agent {
    /// Redeems the token of `enrolment` and keeps the identity and key it gets.
    ///
    /// The operation and its idempotency key are in the vault before the token is sent, and not before
    /// there is a connection to send it over. If no answer of the API comes, they stay there: enrolling again with the same token at the same
    /// server goes on under the same key, and the server repeats its answer. The key is never sent
    /// anywhere else, since for a day it is worth as much as the device's own.
    pub async fn initialize(
        &self,
        enrolment: &Enrolment,
        options: &InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        enrolment.url().check_transport(options.allow_http)?;
        // What was begun is to be finished, wherever it is kept.
        if !self.has_begun(enrolment) && self.redeemed(enrolment)?.is_none() {
            self.folder.refuse_if_volatile()?;
        }
        let lock = self.lock().await?;
        if let Some(identity) = self.redeemed(enrolment)? {
            return Ok(self.done_before(&lock, identity).await);
        }
        // The folder was made with the lock: only now is it sure where it is.
        if !self.has_begun(enrolment) {
            self.folder.refuse_if_volatile()?;
        }
        let Started {
            mut vault,
            device,
            begun,
            went_on,
        } = self.setting_aside(options.replace, || self.start(enrolment, options))?;
        let sent = match went_on {
            true => Sent::Before,
            false => Sent::Never,
        };
        let identity = self
            .finish_enrolment(&mut vault, &device, &begun, sent)
            .await?;
        let course = match went_on {
            true => Course::WentOn,
            false => Course::Done,
        };
        Ok(Initialized {
            vault: vault.path(),
            course,
            replaced: self.settle_replaced(&lock, &device, &identity, None).await,
            given_up: device.enrolment.as_ref().map(|begun| begun.server.clone()),
            identity,
        })
    }

    /// Redeems the first of these that the server knows, where it can't be told which one is meant: a token
    /// that is unknown uses nothing up. Without any it is an unknown token's refusal that is returned.
    pub async fn initialize_first_known<'e>(
        &self,
        first: &'e Enrolment,
        others: impl IntoIterator<Item = &'e Enrolment>,
        options: &InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        let mut initialized = self.initialize(first, options).await;
        for other in others {
            match &initialized {
                Err(error) if error.is_token_unknown() => {}
                _ => break,
            }
            initialized = self.initialize(other, options).await;
        }
        initialized
    }

    /// What may be left to do is to revoke the device that was here before.
    async fn done_before(&self, lock: &ChangeLock, identity: Identity) -> Initialized {
        self.revoke_replaced(lock, None).await;
        Initialized {
            identity,
            vault: self.folder.vault_path(),
            course: Course::DoneBefore,
            replaced: None,
            given_up: None,
        }
    }

    /// Whether an enrolment with this very token was begun, and perhaps sent, before.
    fn has_begun(&self, enrolment: &Enrolment) -> bool {
        // What is wrong with a vault is found where it may be replaced.
        let device = self.look().ok().flatten();
        let begun = device.and_then(|device| device.enrolment);
        begun.is_some_and(|begun| begun.is_for(enrolment))
    }

    /// The identity that this very token has led to, if another command finished its enrolment.
    fn redeemed(&self, enrolment: &Enrolment) -> Result<Option<Identity>, AgentError> {
        // What is wrong with a vault is found where it may be replaced.
        let Ok(Some(vault)) = Vault::look(&self.folder) else {
            return Ok(None);
        };
        let Ok(device) = Device::load(&vault) else {
            return Ok(None);
        };
        if device.enrolment.is_some() || device.standing.state != State::Enrolled {
            return Ok(None);
        }
        match device.identity {
            Some(identity)
                if Redeemed::is_by(&vault, &identity, enrolment)
                    && identity.key(&vault).is_ok() =>
            {
                Ok(Some(identity))
            }
            _ => Ok(None),
        }
    }

    /// Takes over a device that another app enrolled, once the server has confirmed it. That it was
    /// taken over before, with the same key, is fine.
    pub async fn adopt(
        &self,
        existing: &ExistingIdentity,
        options: &InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        existing.server.check_transport(options.allow_http)?;
        // What can't be reported is found before anything is stored.
        describe::report(&*self.describe, &options.overrides, None)?;
        if self.adopted(existing, options).is_none() {
            self.folder.refuse_if_volatile()?;
        }
        let lock = self.lock().await?;
        if let Some(identity) = self.adopted(existing, options) {
            return Ok(self.done_before(&lock, identity).await);
        }
        // The folder was made with the lock: only now is it sure where it is.
        self.folder.refuse_if_volatile()?;
        let (mut vault, device) = self.setting_aside(options.replace, || {
            let vault = Vault::open(&self.folder)?;
            let device = Device::load(&vault)?;
            begin(&device, options.replace)?;
            Ok((vault, device))
        })?;
        let trust = self.trust_at(&existing.server, &device);
        let client = self.trusting(&trust)?;
        let info = self
            .find_device(
                &client,
                &existing.server,
                &existing.key,
                existing.unique_serial.as_deref(),
            )
            .await?;
        failpoint::reach("adopt: before storing");
        let mut identity = Identity::new(existing.server.clone(), info.device.clone());
        identity.learn_info(&info);
        identity.overrides = options.overrides.clone();
        let step = Step {
            standing: State::Enrolled,
            ends: true,
            secrets: Secrets::Replace,
        };
        let replacement = Replacement::of(&vault, &device, &identity, options.revoke_old);
        vault.change(|change| {
            replacement.store(change)?;
            let outcome = Outcome {
                new: Some(Newcomer {
                    identity: &identity,
                    key: &existing.key,
                    trust: &trust,
                }),
                lost: None,
                revoked_by: Revoker::Server,
            };
            device
                .standing
                .store(change, Some(Operation::Initialize), step, outcome)
        })?;
        failpoint::reach("adopt: stored");
        self.tell(&device, State::Enrolled, None, None);
        Ok(Initialized {
            vault: vault.path(),
            course: Course::Done,
            replaced: self.settle_replaced(&lock, &device, &identity, None).await,
            given_up: device.enrolment.as_ref().map(|begun| begun.server.clone()),
            identity,
        })
    }

    /// The identity if it is just the one to adopt, as for an app that ended before it had removed
    /// its own copy of the key.
    fn adopted(
        &self,
        existing: &ExistingIdentity,
        options: &InitializeOptions,
    ) -> Option<Identity> {
        // What is wrong with a vault is found where it may be replaced.
        let vault = Vault::look(&self.folder).ok()??;
        let device = Device::load(&vault).ok()?;
        if device.enrolment.is_some() || device.standing.state != State::Enrolled {
            return None;
        }
        let identity = device.identity?;
        let serial = existing.unique_serial.as_ref();
        let is_same = identity.server == existing.server
            && serial.is_none_or(|serial| *serial == identity.unique_serial)
            && identity.overrides == options.overrides
            && identity.key(&vault).ok()?.expose() == existing.key.expose();
        is_same.then_some(identity)
    }

    /// Does `work`; if the vault is past use and it was said to be replaced, sets it aside first.
    fn setting_aside<T>(
        &self,
        replace: bool,
        work: impl Fn() -> Result<T, AgentError>,
    ) -> Result<T, AgentError> {
        let is_lost = |result: &Result<T, AgentError>| {
            replace && matches!(result, Err(error) if error.is_beyond_use())
        };
        let first = work();
        if !is_lost(&first) {
            return first;
        }
        // A bad contact of the storage looks like damage, but hardly twice.
        match work() {
            again if is_lost(&again) => {
                if let Some(path) = self.folder.set_aside()? {
                    tracing::warn!(
                        "the vault that can't be used was kept as {}; a device in it may still be active on its server: revoke it there",
                        path.display()
                    );
                }
                work()
            }
            result => result,
        }
    }

    /// What is to be sent: the enrolment with this code that was begun before, or a new one.
    fn start(
        &self,
        enrolment: &Enrolment,
        options: &InitializeOptions,
    ) -> Result<Started, AgentError> {
        let mut vault = Vault::open(&self.folder)?;
        let mut device = Device::load(&vault)?;
        let (mut begun, went_on) = match device.enrolment.take() {
            Some(begun) if begun.is_for(enrolment) => (begun, true),
            there => {
                device.enrolment = there;
                begin(&device, options.replace)?;
                let mut report = describe::report(&*self.describe, &options.overrides, None)?;
                report.info = self.describe.info();
                let trust = self.trust_at(enrolment.url(), &device);
                let overrides = options.overrides.clone();
                let begun = BegunEnrolment::new(enrolment, report, overrides, trust)?;
                (Arc::new(begun), false)
            }
        };
        if options.revoke_old && !begun.revoke_old {
            let changed = BegunEnrolment {
                revoke_old: true,
                ..BegunEnrolment::clone(&begun)
            };
            if went_on {
                vault.change(|change| changed.store(change))?;
            }
            begun = Arc::new(changed);
        }
        Ok(Started {
            vault,
            device,
            begun,
            went_on,
        })
    }
}

fn begin(device: &Device, replace: bool) -> Result<(), AgentError> {
    match (
        device.situation().begin(Operation::Initialize, replace),
        &device.enrolment,
        &device.identity,
    ) {
        (Ok(()), _, _) => Ok(()),
        (Err(Hindrance::Unfinished(_)), Some(begun), _) => Err(AgentError::Unfinished {
            server: begun.server.to_string(),
        }),
        (Err(Hindrance::AlreadyEnrolled), _, Some(identity)) => {
            Err(AgentError::AlreadyEnrolled(Box::new(identity.clone())))
        }
        (Err(_), _, _) => Err(AgentError::unusable(&device)),
    }
}
