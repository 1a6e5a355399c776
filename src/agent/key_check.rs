//! What the server says of the device's key. A 401 is believed only when `device/info` says it too,
//! and the key in the vault is still the one it was said of.

use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode};

use super::access::Access;
use super::answer::{self, ANSWER_LIMIT, Reply};
use super::client::{Repeat, device_authorization};
use super::device::{Device, Outcome};
use super::state::{KeyWord, Operation, Secrets, Situation, State};
use super::{Agent, AgentError, Event, Identity};
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
        let ended = self.client.send(request, ANSWER_LIMIT, Repeat::Safe).await;
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
                source,
            }),
        }
    }

    /// What the server says of the key. `heard` is a 401 that another call got; without it one is
    /// asked for twice.
    pub(super) async fn check_key(
        &self,
        identity: &Identity,
        key: &Secret,
        heard: Option<&Problem>,
    ) -> KeyVerdict {
        let ask = || self.ask_info(&identity.server, key, |device| identity.is(device));
        let first = match heard {
            Some(problem) => problem.clone(),
            None => match ask().await {
                Asked::Info(info) => return KeyVerdict::Works(info),
                Asked::Unauthorized(problem) => problem,
                Asked::Unclear(error) => return KeyVerdict::Unclear(error),
            },
        };
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
        server: &ServerUrl,
        key: &Secret,
        serial: Option<&str>,
    ) -> Result<DeviceInfo, AgentError> {
        match self
            .ask_info(server, key, |device| {
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

    /// Looks into a 401 that a call with `key` got. What is believed is in the vault afterwards, and
    /// is the error.
    pub(super) async fn doubt(
        &self,
        key: &Secret,
        problem: &Problem,
    ) -> Result<AfterDoubt, AgentError> {
        let _lock = self.lock().await?;
        let mut vault = Vault::open(&self.folder)?;
        let device = Device::load(&vault)?;
        let Some(identity) = device.identity.as_ref().filter(|_| device.has_key()) else {
            return Err(device.unusable());
        };
        // Another process may have replaced it, or may have been about to.
        let may_be_replaced = device.situation().pending == Some(Operation::Roll);
        if may_be_replaced || identity.key(&vault)?.expose() != key.expose() {
            return Ok(AfterDoubt::OtherKey);
        }
        let (word, error) = match self.check_key(identity, key, Some(problem)).await {
            KeyVerdict::Works(info) => {
                self.take_in(&mut vault, &device, identity, &info)?;
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
        match self.believe(&mut vault, &device, word)? {
            State::AnswerLost => Err(device.unusable()),
            _ => Err(error),
        }
    }

    /// Stores what the server says of the key.
    fn believe(
        &self,
        vault: &mut Vault,
        device: &Device,
        word: KeyWord,
    ) -> Result<State, AgentError> {
        let step = device.situation().heard(word);
        failpoint::reach("key: before storing");
        vault.change(|change| {
            let outcome = Outcome {
                new: None,
                lost: device.standing.lost.clone(),
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
        Ok(step.standing)
    }

    /// Stores what an answer of `device/info` tells and that the key works, under the lock.
    fn take_in(
        &self,
        vault: &mut Vault,
        device: &Device,
        identity: &Identity,
        info: &DeviceInfo,
    ) -> Result<(), AgentError> {
        if device.standing.state != State::Enrolled {
            self.believe(vault, device, KeyWord::Works)?;
        }
        self.learn(vault, identity, info)
    }

    /// Stores what an answer of `device/info` to `access` tells, if any of it is new.
    pub(super) async fn hear_info(
        &self,
        access: &Access,
        info: &DeviceInfo,
    ) -> Result<Identity, AgentError> {
        let mut known = access.identity.clone();
        known.learn_info(info);
        if access.state == State::Enrolled {
            if known != access.identity {
                self.learn(&mut Vault::open(&self.folder)?, &access.identity, info)?;
            }
            return Ok(known);
        }
        let _lock = self.lock().await?;
        let mut vault = Vault::open(&self.folder)?;
        // Read again, since another process may have changed it before the lock was there.
        let device = Device::load(&vault)?;
        if let Some(there) = device.identity.as_ref().filter(|_| device.has_key())
            && there.key(&vault)?.expose() == access.key.expose()
        {
            self.take_in(&mut vault, &device, there, info)?;
        }
        Ok(known)
    }

    fn learn(
        &self,
        vault: &mut Vault,
        identity: &Identity,
        info: &DeviceInfo,
    ) -> Result<(), AgentError> {
        vault.change(|change| identity.edit(change, |known| known.learn_info(info)))?;
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
