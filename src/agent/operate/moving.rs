//! A device moves to other hardware: it goes out of a vault that keeps it, and comes into one that has none.
//!
//! The vault that it came from works until the server has replaced the key for the one that it came to.

use super::initialize::{InitializeOptions, open_for_newcomer};
use super::replaced::{revoke_replaced, settle_replaced};
use super::resume::resume;
use crate::agent::core::{Core, Sent};
use crate::agent::device_api;
use crate::agent::error::AgentError;
use crate::agent::perform::{Replaced, Replacement, finish_operation};
use crate::agent::record::{
    BegunOperation, Device, Identity, MovedDevice, Newcomer, OnIdentity, Outcome, Revoker,
};
use crate::agent::state::{Operation, Secrets, State, Step};
use crate::enrolment::ServerUrl;
use crate::failpoint;
use crate::vault::Vault;

/// A device is here that was elsewhere.
#[derive(Debug)]
pub struct Imported {
    /// Who it is.
    pub identity: Identity,
    /// Why its key is not replaced yet, so that the machine it came from still works. The next command goes on with it.
    pub unfinished: Option<AgentError>,
    /// The device that was here before.
    pub replaced: Option<Replaced>,
    /// The server of an unfinished enrolment that was given up: its token may have been redeemed.
    pub given_up: Option<ServerUrl>,
}

/// The device, once nothing is under way that its server may answer later: only one of two machines would hear it.
pub(in crate::agent) async fn export(core: &Core) -> Result<MovedDevice, AgentError> {
    if let Some(resumed) = resume(core).await? {
        resumed.tell();
    }
    let lock = core.lock().await?;
    revoke_replaced(core, &lock, Some(core.clients.patience())).await;
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    let device = Device::load(&vault)?;
    let situation = device.situation();
    match (&device.identity, situation.state()) {
        (Some(_), State::Enrolled) if is_under_way(situation.unfinished()) => {
            Err(AgentError::UnderWay {
                operation: situation.unfinished().unwrap_or(Operation::Roll),
            })
        }
        (Some(identity), State::Enrolled) => {
            core.refuse_copied(&device)?;
            Ok(MovedDevice::of(&vault, &device, identity)?)
        }
        (Some(identity), State::Rejected) => Err(AgentError::NotExported {
            server: identity.server.to_string(),
        }),
        _ => Err(AgentError::unusable(&device)),
    }
}

/// A report that was begun is worth nothing elsewhere, and so may get lost.
fn is_under_way(operation: Option<Operation>) -> bool {
    operation.is_some_and(|operation| operation != Operation::Update)
}

pub(in crate::agent) async fn import(
    core: &Core,
    mut moved: MovedDevice,
    options: &InitializeOptions,
) -> Result<Imported, AgentError> {
    let server = &moved.identity().server;
    server.check_transport(options.allow_http)?;
    core.folder.refuse_if_volatile()?;
    let lock = core.lock().await?;
    // The folder was made with the lock: only now is it sure where it is.
    core.folder.refuse_if_volatile()?;
    let (mut vault, before) = open_for_newcomer(core, options)?;
    let mut identity = moved.arrived();
    let trust = core.clients.given_or(moved.trust()).clone();
    let client = core.clients.trusting(&trust)?;
    let serial = Some(identity.unique_serial.as_str()).filter(|serial| !serial.is_empty());
    let asked = device_api::find_device(&client, &identity.server, moved.key(), serial);
    match asked.await {
        Ok(info) => identity.learn_info(&info),
        Err(AgentError::NotAdopted { server, problem }) => {
            return Err(AgentError::NotImported { server, problem });
        }
        // It is asked again with the roll.
        Err(AgentError::Unanswered { .. } | AgentError::Foreign { .. }) => {}
        Err(error) => return Err(error),
    }
    failpoint::reach("import: before storing");
    let begun = BegunOperation::unsent(OnIdentity::Roll)?;
    let step = Step {
        standing: State::Enrolled,
        ends: true,
        secrets: Secrets::Replace,
    };
    let to_revoke = moved.take_to_revoke();
    let new = Newcomer {
        identity: &identity,
        key: moved.key(),
        trust: &trust,
    };
    let replacement = Replacement::of(&vault, &before, &identity, options.revoke_old);
    let replacement = replacement.and(to_revoke);
    vault.begin(0, |change| {
        replacement.store(change)?;
        let outcome = Outcome {
            new: Some(new),
            lost: None,
            revoked_by: Revoker::Server,
        };
        before
            .standing
            .store(change, Some(Operation::Initialize), step, outcome)?;
        core.bind_new(change)?;
        moved.store_rest(change, new)?;
        begun.store(change, &identity.context())
    })?;
    failpoint::reach("import: stored");
    let device = Device::load(&vault)?;
    let finished = match &device.operation {
        Some(begun) => {
            finish_operation(core, &mut vault, &device, &identity, begun, Sent::Never).await
        }
        None => Ok(identity.clone()),
    };
    let (identity, unfinished) = match finished {
        Ok(identity) => (identity, None),
        Err(error @ (AgentError::Rejected { .. } | AgentError::Revoked(_))) => return Err(error),
        Err(error) => (identity, Some(error)),
    };
    Ok(Imported {
        replaced: settle_replaced(core, &lock, &before, &identity, None).await,
        given_up: before.enrolment.as_ref().map(|begun| begun.server.clone()),
        identity,
        unfinished,
    })
}
