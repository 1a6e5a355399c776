//! Which authorities a call trusts: those that are given with it, else those that are kept.

use std::sync::{Mutex, PoisonError};

use super::client::trust::Trust;
use super::intent::Sent;
use super::key_check::Asked;
use super::record::{BegunEnrolment, Device, Identity, RecordError, kept_trust};
use super::{Agent, AgentError, Client, ClientError};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::DeviceIdentity;

/// The client that was last made for a trust that was kept, so that its connections are used again.
#[derive(Default)]
pub(super) struct KeptClient(Mutex<Option<(Trust, Client)>>);

impl Agent {
    /// What was given now, or else what was kept.
    pub(super) fn given_or<'a>(&'a self, kept: &'a Trust) -> &'a Trust {
        self.client.given_trust().unwrap_or(kept)
    }

    /// The agent's client, trusting just these.
    pub(super) fn trusting(&self, trust: &Trust) -> Result<Client, AgentError> {
        let own = self.client.given_trust();
        if own.map_or(trust.is_built_in_only(), |own| own == trust) {
            return Ok(self.client.clone());
        }
        let mut kept = self
            .kept_client
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((its, client)) if its == trust => Ok(client.clone()),
            _ => {
                let client = match self.client.trusting(trust) {
                    // Less trust is safe, and may be enough: it was not asked for with this call.
                    Err(
                        error @ (ClientError::SystemCertificates(_)
                        | ClientError::NoSystemCertificates),
                    ) => {
                        tracing::warn!(
                            "{error}; going on without them, as --system-certificates=false does for good"
                        );
                        self.client
                            .trusting(&trust.clone().with_system_certificates(false))?
                    }
                    made => made?,
                };
                *kept = Some((trust.clone(), client.clone()));
                Ok(client)
            }
        }
    }

    /// The client for the device's server, with which `kept` is kept.
    pub(super) fn client_at(&self, kept: &Trust) -> Result<Client, AgentError> {
        self.trusting(self.given_or(kept))
    }

    /// Whom a new enrolment at `server` trusts: who was trusted there before, unless something was
    /// given. What one server needs is no reason to trust the same at another.
    pub(super) fn trust_at(&self, server: &ServerUrl, device: &Device) -> Trust {
        if let Some(given) = self.client.given_trust() {
            return given.clone();
        }
        let begun = device.enrolment.as_ref();
        let begun = begun.map(|begun| (&begun.server, &begun.trust));
        let enrolled = device.identity.as_ref();
        let enrolled = enrolled.map(|identity| (&identity.server, &device.trust));
        [begun, enrolled]
            .into_iter()
            .flatten()
            .find(|(there, _)| is_same_server(there, server))
            .map_or_else(Trust::default, |(_, trust)| trust.clone())
    }

    /// Whom a begun enrolment trusts now. What is given with a call of the device that is there is
    /// meant for that one's server.
    pub(super) fn trust_of_begun(
        &self,
        begun: &BegunEnrolment,
        device: &Device,
        sent: Sent,
    ) -> Trust {
        let is_beside_the_point = sent.is_in_passing()
            && device
                .identity
                .as_ref()
                .is_some_and(|identity| !is_same_server(&identity.server, &begun.server));
        match is_beside_the_point {
            true => begun.trust.clone(),
            false => self.given_or(&begun.trust).clone(),
        }
    }

    /// Keeps what was given, if it has led to the device's server. Only a server that knows the device
    /// shows that: a login page on the way answers, too.
    pub(super) async fn keep_given_if_known(
        &self,
        client: &Client,
        identity: &Identity,
        key: &Secret,
        kept: &Trust,
    ) {
        let Some(given) = self.client.given_trust().filter(|given| *given != kept) else {
            return;
        };
        let is_ours = |device: &DeviceIdentity| identity.is(device);
        match self.ask_info(client, &identity.server, key, is_ours).await {
            Asked::Info(_) => self.keep(given, identity),
            Asked::Unauthorized(_) | Asked::Unclear(_) => tracing::warn!(
                "the certificates that were given are not kept: what answers at {} does not know this device",
                identity.server
            ),
        }
    }

    /// Keeps what was given, which has led to the device's server.
    pub(super) fn keep_given(&self, identity: &Identity, kept: &Trust) {
        if let Some(given) = self.client.given_trust().filter(|given| *given != kept) {
            self.keep(given, identity);
        }
    }

    /// It is not what was asked for: where it can't be stored, that is told, and the answer counts.
    fn keep(&self, given: &Trust, identity: &Identity) {
        let stored = Vault::open(&self.folder)
            .map_err(RecordError::from)
            .and_then(|mut vault| {
                vault.change(|change| match identity.is_in(change)? {
                    true => kept_trust::store(given, change, identity),
                    false => Ok(()),
                })
            });
        if let Err(error) = stored {
            AgentError::from(error).warn();
        }
    }
}

/// Whether a connection to one is a connection to the other.
pub(super) fn is_same_server(one: &ServerUrl, other: &ServerUrl) -> bool {
    one.exact_origin() == other.exact_origin()
}
