//! What the server says of the device's key. A 401 is believed only when `device/info` says it too,
//! and the key in the vault is still the one it was said of.

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode};

use super::access::Access;
use super::answer::{self, ANSWER_LIMIT, Reply};
use super::client::{Repeat, device_authorization};
use super::record::{Device, Outcome, Revoker};
use super::state::{KeyWord, Operation, Secrets, Situation, State};
use super::{Agent, AgentError, Client, Event, Identity};
use crate::enrolment::ServerUrl;
use crate::failpoint;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::{self, DeviceIdentity, DeviceInfo, Problem};

/// What a server says of a key.
pub(super) enum KeyVerdict {
    Works(Box<DeviceInfo>),
    Rejected(Problem),
    Revoked,
    /// No answer of the API, or none that says it.
    Unclear(AgentError),
}

/// What is known after a 401 was looked into.
pub(super) enum AfterDoubt {
    /// The vault holds another key than the one that was refused.
    OtherKey,
    /// The server takes the key, and so the 401 was about something else.
    KeyWorks,
}

/// An answer of `device/info`.
pub(super) enum Asked {
    Info(Box<DeviceInfo>),
    Unauthorized(Problem),
    Unclear(AgentError),
}

impl Agent {
    /// Asks for the device's information once, with this key.
    pub(super) async fn ask_info(
        &self,
        client: &Client,
        server: &ServerUrl,
        key: &Secret,
        is_ours: impl Fn(&DeviceIdentity) -> bool,
    ) -> Asked {
        let name = || server.to_string();
        let authorization = match device_authorization(key) {
            Ok(authorization) => authorization,
            Err(error) => return Asked::Unclear(error.into()),
        };
        let request = self
            .api_request(Method::GET, server, wire::path::INFO)
            .header(AUTHORIZATION, authorization);
        let ended = client.send(request, ANSWER_LIMIT, Repeat::Safe).await;
        let answer = match ended.result {
            Ok(answer) => answer,
            Err(source) => {
                return Asked::Unclear(AgentError::Unanswered {
                    operation: None,
                    server: name(),
                    pending: false,
                    source,
                });
            }
        };
        match answer::read::<DeviceInfo>(&answer, &[key]) {
            Ok(Reply::Done(info)) if is_ours(&info.device) => Asked::Info(Box::new(info)),
            Ok(Reply::Done(_)) => Asked::Unclear(AgentError::OtherDevice { server: name() }),
            Ok(Reply::Refused(StatusCode::UNAUTHORIZED, problem)) => Asked::Unauthorized(problem),
            Ok(Reply::Refused(status, problem)) => Asked::Unclear(AgentError::Refused {
                operation: None,
                pending: false,
                server: name(),
                status,
                problem,
                about_token: false,
            }),
            Err(source) => Asked::Unclear(AgentError::Foreign {
                operation: None,
                server: name(),
                proxy: answer.proxy.clone(),
                source,
            }),
        }
    }

    /// What the server says of the key. `heard` is a 401 that another call got; without it one is
    /// asked for twice.
    pub(super) async fn check_key(
        &self,
        client: &Client,
        identity: &Identity,
        key: &Secret,
        heard: Option<&Problem>,
    ) -> KeyVerdict {
        let ask = || self.ask_info(client, &identity.server, key, |device| identity.is(device));
        let first = match heard {
            Some(problem) => problem.clone(),
            None => match ask().await {
                Asked::Info(info) => return KeyVerdict::Works(info),
                Asked::Unauthorized(problem) => problem,
                Asked::Unclear(error) => return KeyVerdict::Unclear(error),
            },
        };
        tracing::debug!("the key was refused; asking once more before that is believed");
        match ask().await {
            Asked::Info(info) => KeyVerdict::Works(info),
            Asked::Unauthorized(second) if first.says_revoked() && second.says_revoked() => {
                KeyVerdict::Revoked
            }
            Asked::Unauthorized(second) => KeyVerdict::Rejected(second),
            Asked::Unclear(error) => KeyVerdict::Unclear(error),
        }
    }

    /// Asks a server whether it has a device with this key and serial.
    pub(super) async fn find_device(
        &self,
        client: &Client,
        server: &ServerUrl,
        key: &Secret,
        serial: Option<&str>,
    ) -> Result<DeviceInfo, AgentError> {
        match self
            .ask_info(client, server, key, |device| {
                serial.is_none_or(|serial| device.unique_serial == serial)
            })
            .await
        {
            Asked::Info(info) => Ok(*info),
            Asked::Unauthorized(problem) => Err(AgentError::NotAdopted {
                server: server.to_string(),
                problem,
            }),
            Asked::Unclear(error) => Err(error),
        }
    }

    /// Looks into a 401 that a call with `key` got. What is believed is the error, and in the vault
    /// afterwards, if that can be written.
    pub(super) async fn doubt(
        &self,
        key: &Secret,
        problem: &Problem,
    ) -> Result<AfterDoubt, AgentError> {
        let _lock = if_writable(self.lock().await)?;
        let vault = Vault::look(&self.folder)?.ok_or(AgentError::NotEnrolled)?;
        let device = Device::load(&vault)?;
        let Some(identity) = device.identity.as_ref().filter(|_| device.has_key()) else {
            return Err(AgentError::unusable(&device));
        };
        // Another process may have replaced it, or may have been about to.
        let may_be_replaced = device.situation().pending == Some(Operation::Roll);
        if may_be_replaced || identity.key(&vault)?.expose() != key.expose() {
            return Ok(AfterDoubt::OtherKey);
        }
        // A reader would keep the log from being emptied.
        drop(vault);
        let client = self.client_at(&device.trust)?;
        let (word, error) = match self.check_key(&client, identity, key, Some(problem)).await {
            KeyVerdict::Works(info) => {
                if_writable(self.take_in(&device, identity, &info))?;
                return Ok(AfterDoubt::KeyWorks);
            }
            KeyVerdict::Revoked => (
                KeyWord::Revoked,
                AgentError::Revoked(Box::new(identity.clone())),
            ),
            KeyVerdict::Rejected(problem) => (
                KeyWord::Rejected,
                AgentError::Rejected {
                    server: identity.server.to_string(),
                    problem,
                },
            ),
            KeyVerdict::Unclear(error) => return Err(error),
        };
        if_writable(self.believe(&device, word))?;
        match device.situation().heard(word).standing {
            State::AnswerLost => Err(AgentError::unusable(&device)),
            _ => Err(error),
        }
    }

    /// Stores what the server says of the key.
    fn believe(&self, device: &Device, word: KeyWord) -> Result<(), AgentError> {
        let step = device.situation().heard(word);
        tracing::debug!(
            "the server says of the key: {word:?}; the device is {} from now on",
            step.standing.name()
        );
        failpoint::reach("key: before storing");
        let mut vault = Vault::open(&self.folder)?;
        vault.change(|change| {
            let outcome = Outcome {
                new: None,
                lost: device.standing.lost.clone(),
                revoked_by: Revoker::Server,
            };
            device.standing.store(change, None, step, outcome)
        })?;
        let after = Situation {
            standing: step.standing,
            ..device.situation()
        };
        self.tell(device, after.state(), None, None);
        if step.secrets == Secrets::Destroy {
            vault.wipe_log();
        }
        Ok(())
    }

    /// Stores what an answer of `device/info` tells and that the key works, under the lock.
    fn take_in(
        &self,
        device: &Device,
        identity: &Identity,
        info: &DeviceInfo,
    ) -> Result<(), AgentError> {
        if device.standing.state != State::Enrolled {
            self.believe(device, KeyWord::Works)?;
        }
        self.learn(identity, info)
    }

    /// What an answer of `device/info` to `access` tells of the device. It is stored if any of it is
    /// new and the vault can be written.
    pub(super) async fn hear_info(
        &self,
        access: &Access,
        info: &DeviceInfo,
    ) -> Result<Identity, AgentError> {
        let mut known = access.identity.clone();
        known.learn_info(info);
        if access.state != State::Enrolled {
            if_writable(self.hear_of_key(access, info).await)?;
        } else if known != access.identity {
            if_writable(self.learn(&access.identity, info))?;
        }
        Ok(known)
    }

    /// Stores that a key works which seemed not to.
    async fn hear_of_key(&self, access: &Access, info: &DeviceInfo) -> Result<(), AgentError> {
        let _lock = self.lock().await?;
        let vault = Vault::look(&self.folder)?.ok_or(AgentError::NotEnrolled)?;
        // Read again, since another process may have changed it before the lock was there.
        let device = Device::load(&vault)?;
        let Some(there) = device.identity.as_ref().filter(|_| device.has_key()) else {
            return Ok(());
        };
        if there.key(&vault)?.expose() != access.key.expose() {
            return Ok(());
        }
        drop(vault);
        self.take_in(&device, there, info)
    }

    fn learn(&self, identity: &Identity, info: &DeviceInfo) -> Result<(), AgentError> {
        Vault::open(&self.folder)?
            .change(|change| identity.edit(change, |known| known.learn_info(info)))?;
        let mut after = identity.clone();
        after.learn_info(info);
        if identity.is_told_otherwise(&after) {
            self.observer.happened(Event::IdentityChanged {
                before: Box::new(identity.clone()),
                after: Box::new(after),
            });
        }
        Ok(())
    }
}

/// What storing an answer led to; with a vault that can't be written now, nothing but a warning.
fn if_writable<T>(stored: Result<T, AgentError>) -> Result<Option<T>, AgentError> {
    match stored {
        Err(error) if error.is_about_writing() => {
            error.warn();
            Ok(None)
        }
        stored => stored.map(Some),
    }
}
