//! Enrolment: redeeming an initialization token.

use std::path::PathBuf;

use reqwest::Method;

use super::answer::{self, Reply};
use super::operation::Begun;
use super::{Agent, AgentError, Identity};
use crate::enrolment::Enrolment;
use crate::vault::{self, Vault};
use crate::wire::{self, DeviceIdentity, DeviceReport, InitializeRequest};

/// How to enrol.
#[derive(Clone, Copy, Debug, Default)]
pub struct InitializeOptions {
    /// Give up the device, the unfinished enrolment or the unusable vault that is there.
    pub replace: bool,
    /// Send the token unencrypted to another machine.
    pub allow_http: bool,
}

/// What an enrolment led to.
pub struct Initialized {
    /// Who this device is now.
    pub identity: Identity,
    /// The vault.
    pub vault: PathBuf,
    /// Whether this finished an enrolment that was begun before, with what was reported then.
    pub went_on: bool,
}

/// An enrolment that is written down and about to be sent.
struct Started {
    vault: Vault,
    begun: Begun,
    went_on: bool,
}

impl Agent {
    /// Redeems the token of `enrolment` and keeps the identity and key it gets.
    ///
    /// The operation and its idempotency key are in the vault before the token is sent. If no
    /// answer of the API comes, they stay there: enrolling again with the same token at the same
    /// server goes on under the same key, and the server repeats its answer. The key is never sent
    /// anywhere else, since for a day it is worth as much as the device's own.
    pub async fn initialize(
        &self,
        enrolment: &Enrolment,
        report: &DeviceReport,
        options: InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        enrolment.url().check_transport(options.allow_http)?;
        let _lock = vault::lock(&self.folder)?;
        let start = || self.start(enrolment, report, options.replace);
        let is_lost = |started: &Result<Started, AgentError>| {
            options.replace && matches!(started, Err(error) if error.is_beyond_use())
        };
        let mut started = start();
        // A bad contact of the storage looks like damage, but hardly twice.
        if is_lost(&started) {
            started = start();
        }
        if is_lost(&started) {
            self.set_vault_aside()?;
            started = start();
        }
        let Started {
            mut vault,
            begun,
            went_on,
        } = started?;
        let device = match self.redeem(&begun).await {
            Ok(device) => device,
            Err(error) => {
                if error.ends_the_operation(went_on) {
                    vault.change(Begun::remove)?;
                }
                return Err(error);
            }
        };
        let key = device.api_token.clone();
        let identity = Identity::new(begun.server, device, begun.report);
        vault.change(|change| {
            Begun::remove(change)?;
            identity.store(change, &key)
        })?;
        Ok(Initialized {
            identity,
            vault: vault.path(),
            went_on,
        })
    }

    /// Writes the operation down and proves that its end can be written too.
    fn start(
        &self,
        enrolment: &Enrolment,
        report: &DeviceReport,
        replace: bool,
    ) -> Result<Started, AgentError> {
        let mut vault = Vault::open(&self.folder)?;
        let (begun, went_on) = match Begun::load(&vault)? {
            Some(begun) if begun.is_for(enrolment) => (begun, true),
            Some(begun) if !replace => {
                return Err(AgentError::Unfinished {
                    server: begun.server.to_string(),
                });
            }
            _ => match Identity::load(&vault)?.filter(|_| !replace) {
                Some(identity) => return Err(AgentError::AlreadyEnrolled(Box::new(identity))),
                None => (Begun::new(enrolment, report)?, false),
            },
        };
        vault.change(|change| begun.store(change))?;
        vault.reserve()?;
        Ok(Started {
            vault,
            begun,
            went_on,
        })
    }

    fn set_vault_aside(&self) -> Result<(), AgentError> {
        if let Some(path) = self.folder.set_aside()? {
            tracing::warn!(
                "the vault that can't be used was kept as {}",
                path.display()
            );
        }
        Ok(())
    }

    async fn redeem(&self, begun: &Begun) -> Result<DeviceIdentity, AgentError> {
        let request = self
            .client
            .request(Method::POST, begun.server.endpoint(wire::path::INITIALIZE))
            .header(wire::IDEMPOTENCY_HEADER, begun.idempotency_key.expose())
            .json(&InitializeRequest {
                token: &begun.token,
                report: &begun.report,
            });
        let server = || begun.server.to_string();
        let answer = self
            .client
            .send(request)
            .await
            .map_err(|source| AgentError::Unanswered {
                server: server(),
                source,
            })?;
        match answer::read::<DeviceIdentity>(&answer) {
            Ok(Reply::Done(device)) if device.is_sound() => Ok(device),
            Ok(Reply::Done(_)) => Err(AgentError::Unsound { server: server() }),
            Ok(Reply::Refused(status, problem)) => Err(AgentError::Refused {
                server: server(),
                status,
                problem,
            }),
            Err(source) => Err(AgentError::Foreign {
                server: server(),
                source,
            }),
        }
    }
}
