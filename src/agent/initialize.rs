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
    /// Where an unusable vault went that was in the way.
    pub set_aside: Option<PathBuf>,
}

impl Agent {
    /// Redeems the token of `enrolment` and keeps the identity and key it gets.
    ///
    /// The operation and its idempotency key are in the vault before the token is sent. If no
    /// answer of the API comes, they stay there: enrolling again with the same token goes on under
    /// the same key, and the server repeats its answer.
    pub async fn initialize(
        &self,
        enrolment: &Enrolment,
        report: &DeviceReport,
        options: InitializeOptions,
    ) -> Result<Initialized, AgentError> {
        enrolment.url().check_transport(options.allow_http)?;
        let _lock = vault::lock(&self.folder)?;
        let (mut vault, set_aside) = self.open_vault(options.replace)?;
        let (begun, first_attempt) = begin(&mut vault, enrolment, report, options.replace)?;
        let device = match self.redeem(&begun).await {
            Ok(device) => device,
            Err(error) => {
                if error.ends_the_operation(first_attempt) {
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
            set_aside,
        })
    }

    fn open_vault(&self, replace: bool) -> Result<(Vault, Option<PathBuf>), AgentError> {
        match Vault::open(&self.folder) {
            Err(error) if replace && error.is_beyond_use() => {
                let set_aside = self.folder.set_aside()?;
                Ok((Vault::open(&self.folder)?, set_aside))
            }
            vault => Ok((vault?, None)),
        }
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

/// Writes the operation down and proves that its end can be written too. Also tells whether this is
/// the first attempt to send it.
fn begin(
    vault: &mut Vault,
    enrolment: &Enrolment,
    report: &DeviceReport,
    replace: bool,
) -> Result<(Begun, bool), AgentError> {
    if let Some(identity) = Identity::load(vault)?.filter(|_| !replace) {
        return Err(AgentError::AlreadyEnrolled(Box::new(identity)));
    }
    let (begun, first_attempt) = match Begun::load(vault)? {
        // The address may have been mistyped; the idempotency key belongs to the token.
        Some(begun) if begun.token.expose() == enrolment.token().expose() => (
            Begun {
                server: enrolment.url().clone(),
                ..begun
            },
            false,
        ),
        Some(begun) if !replace => {
            return Err(AgentError::Unfinished {
                server: begun.server.to_string(),
            });
        }
        _ => (Begun::new(enrolment, report)?, true),
    };
    vault.change(|change| begun.store(change))?;
    vault.reserve()?;
    Ok((begun, first_attempt))
}
