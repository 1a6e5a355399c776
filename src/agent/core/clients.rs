//! The clients for calls: which authorities each trusts, those that are given with the call or else those
//! that are kept, and how long it may wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::sent::Sent;
use crate::agent::client::{Client, ClientError, Trust};
use crate::agent::record::{BegunEnrolment, Device};
use crate::enrolment::ServerUrl;

/// How long something else may wait for what is due or was begun before.
const IN_PASSING: Duration = Duration::from_secs(5);

/// The client that was given, and what is made of it.
pub(in crate::agent) struct Clients {
    /// With the trust it was given with.
    given: Client,
    /// The client that was last made for a trust that was kept, so that its connections are used again.
    kept: Arc<Mutex<Option<(Trust, Client)>>>,
}

impl Clients {
    pub(super) fn new(given: Client) -> Self {
        Self {
            given,
            kept: Arc::default(),
        }
    }

    /// The same clients for all that is asked for a call that begins now, which has this time together,
    /// or as much as any call if that is less, and bears this `silence` of a server.
    pub(super) fn for_call(&self, limit: Option<Duration>, silence: Option<Duration>) -> Self {
        Self {
            given: self.given.shared_within(limit).bearing(silence),
            kept: Arc::clone(&self.kept),
        }
    }

    /// Whom the agent was told to trust, if it was.
    pub(in crate::agent) fn given_trust(&self) -> Option<&Trust> {
        self.given.given_trust()
    }

    /// The same, if it is another than what is kept.
    pub(in crate::agent) fn newly_given(&self, kept: &Trust) -> Option<&Trust> {
        self.given_trust().filter(|given| *given != kept)
    }

    /// Longest time for a call that begins now.
    pub(super) fn deadline(&self) -> Duration {
        self.given.deadline()
    }

    /// How long something else may wait now: half of what is left at most, so that it gets its turn.
    pub(in crate::agent) fn patience(&self) -> Duration {
        IN_PASSING.min(self.given.deadline() / 2)
    }

    pub(in crate::agent) fn patience_for(&self, sent: Sent) -> Option<Duration> {
        sent.is_in_passing().then(|| self.patience())
    }

    /// What was given now, or else what was kept.
    pub(in crate::agent) fn given_or<'a>(&'a self, kept: &'a Trust) -> &'a Trust {
        self.given.given_trust().unwrap_or(kept)
    }

    /// The agent's client, trusting just these.
    pub(in crate::agent) fn trusting(&self, trust: &Trust) -> Result<Client, ClientError> {
        let own = self.given.given_trust();
        if own.map_or(trust.is_built_in_only(), |own| own == trust) {
            return Ok(self.given.clone());
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((its, client)) if its == trust => Ok(client.clone().timed_as(&self.given)),
            _ => {
                let client = match self.given.trusting(trust) {
                    // Less trust is safe, and may be enough: it was not asked for with this call.
                    Err(
                        error @ (ClientError::SystemCertificates(_)
                        | ClientError::NoSystemCertificates),
                    ) => {
                        tracing::warn!(
                            "{error}; going on without them, as --system-certificates=false does for good"
                        );
                        self.given
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
    pub(in crate::agent) fn with_kept(&self, kept: &Trust) -> Result<Client, ClientError> {
        self.trusting(self.given_or(kept))
    }

    /// Whom a new enrolment at `server` trusts: who was trusted there before, unless something was
    /// given. What one server needs is no reason to trust the same at another.
    pub(in crate::agent) fn trust_at(&self, server: &ServerUrl, device: &Device) -> Trust {
        if let Some(given) = self.given.given_trust() {
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
    pub(in crate::agent) fn trust_of_begun(
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
}

/// Whether a connection to one is a connection to the other.
pub(in crate::agent) fn is_same_server(one: &ServerUrl, other: &ServerUrl) -> bool {
    one.exact_origin() == other.exact_origin()
}
