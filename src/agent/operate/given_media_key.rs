//! The RSA key of a device that is adopted: the server has to take it before anything is stored, for it takes
//! no other later.

use crate::agent::client::Client;
use crate::agent::clock;
use crate::agent::core::Core;
use crate::agent::describe;
use crate::agent::error::AgentError;
use crate::agent::media_keys::{GivenMediaKey, PrivateHalf, is_same_key};
use crate::agent::perform::send_unwritten;
use crate::agent::record::{
    BegunOperation, Identity, OnIdentity, RecordError, key_sets, media_key,
};
use crate::secret::Secret;
use crate::vault::{Change, Vault};

/// A key that the server has taken.
pub(super) struct TakenMediaKey<'a> {
    given: &'a GivenMediaKey,
    /// In PEM, as the server has it.
    public: String,
}

impl TakenMediaKey<'_> {
    /// Stores it in place of what is there.
    pub(super) fn store(
        &self,
        change: &Change<'_>,
        identity: &Identity,
    ) -> Result<(), RecordError> {
        media_key::remove(change)?;
        key_sets::remove(change)?;
        match &self.given.private {
            PrivateHalf::Here(private) => {
                media_key::store(change, identity, private.as_bytes(), &self.public)
            }
            PrivateHalf::Held(name) => media_key::store_held(change, identity, name, &self.public),
        }
    }
}

/// Whether the vault has this very key already, and knows where its private half is.
pub(super) fn is_there(
    vault: &Vault,
    identity: &Identity,
    given: &GivenMediaKey,
) -> Result<bool, RecordError> {
    let [text, ..] = given.texts();
    let is_same = media_key::public(vault)?.is_some_and(|public| is_same_key(&public, &text));
    let is_held = match &given.private {
        PrivateHalf::Here(_) => media_key::private(vault, identity)?.is_some(),
        PrivateHalf::Held(name) => media_key::held_as(vault, identity)?.as_ref() == Some(name),
    };
    Ok(is_same && is_held)
}

/// Reports the device with this key, as who it is to be here; what the server tells of it is learnt.
///
/// Nothing is begun: a report may be sent again, and one that is refused has changed nothing.
pub(super) async fn have_taken<'a>(
    core: &Core,
    client: &Client,
    identity: &mut Identity,
    key: &Secret,
    given: &'a GivenMediaKey,
) -> Result<TakenMediaKey<'a>, AgentError> {
    let mut refusal = None;
    for public in given.texts() {
        let mut report =
            describe::report(&*core.describe, &identity.overrides, Some(public.clone()))?;
        report.info = core.describe.info();
        let made_at = clock::now();
        let update = OnIdentity::update(report.clone(), identity.overrides.clone());
        let operation = BegunOperation::new(update)?;
        let (_, result) = send_unwritten(client, identity, key, &operation, None).await;
        match result {
            Ok(answer) => {
                identity.learn(&answer);
                identity.reported = Some(report);
                identity.reported_at = Some(made_at);
                identity.refused_report = None;
                return Ok(TakenMediaKey { given, public });
            }
            Err(AgentError::Refused {
                server,
                status,
                problem,
                ..
            }) if problem.names("rsa_pubkey") => {
                refusal.get_or_insert(AgentError::GivenMediaKey {
                    server,
                    status,
                    problem,
                });
            }
            Err(error) => return Err(as_adoption(error)),
        }
    }
    Err(refusal.unwrap_or(AgentError::NotEnrolled))
}

/// The same error of a call: there is no operation to go on with.
fn as_adoption(error: AgentError) -> AgentError {
    match error {
        AgentError::Unanswered { server, source, .. } => AgentError::Unanswered {
            operation: None,
            server,
            pending: false,
            source,
        },
        AgentError::Foreign {
            server,
            proxy,
            source,
            ..
        } => AgentError::Foreign {
            operation: None,
            server,
            proxy,
            source,
        },
        AgentError::Refused {
            server,
            status,
            problem,
            ..
        } => AgentError::Refused {
            operation: None,
            pending: false,
            server,
            status,
            problem,
            about_token: false,
        },
        AgentError::Rejected { server, problem } => AgentError::NotAdopted { server, problem },
        AgentError::Unsound { server, .. } => AgentError::OtherDevice { server },
        error => error,
    }
}
