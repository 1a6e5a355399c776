//! Diagnostics are reported anew when the last ones are old. They may get lost, so nothing is written down
//! before they are sent, and nothing goes on with them later.

use crate::agent::clock;
use crate::agent::core::Core;
use crate::agent::describe;
use crate::agent::error::AgentError;
use crate::agent::perform::send_unwritten;
use crate::agent::record::{BegunOperation, Device, Identity, OnIdentity, media_key};
use crate::agent::state::{Operation, State};
use crate::vault::{self, Vault, VaultError};
use crate::wire::DeviceReport;

/// Reports what the device is and how it is doing, if that is due still and nothing else is under way. What
/// fails is told, and tried again with a later call.
pub(in crate::agent) async fn freshen(core: &Core) {
    if let Err(error) = report_again(core).await {
        error.warn();
    }
}

async fn report_again(core: &Core) -> Result<(), AgentError> {
    let _lock = match vault::lock(&core.folder) {
        // Whoever has it may be about to report.
        Err(VaultError::Busy { .. }) => return Ok(()),
        lock => lock?,
    };
    let mut vault = Vault::open(&core.folder)?;
    let device = Device::load(&vault)?;
    let Some(identity) = &device.identity else {
        return Ok(());
    };
    let situation = device.situation();
    if situation.state() != State::Enrolled
        || situation.unfinished().is_some()
        || !identity.is_stale()
    {
        return Ok(());
    }
    let public = media_key::public(&vault)?;
    let mut report = describe::report(&*core.describe, &identity.overrides, public)?;
    let is_acknowledged = |known: &DeviceReport| known.is_same_but_diagnostics(&report);
    if !identity.reported.as_ref().is_some_and(is_acknowledged) {
        // More than diagnostics is new, which comes before the next call, or was refused.
        return Ok(());
    }
    report.info = core.describe.info();
    send(core, &mut vault, &device, identity, report).await
}

async fn send(
    core: &Core,
    vault: &mut Vault,
    device: &Device,
    identity: &Identity,
    report: DeviceReport,
) -> Result<(), AgentError> {
    let client = core.clients.with_kept(&device.trust)?;
    let key = identity.key(vault)?;
    let made_at = Some(clock::now());
    let update = OnIdentity::update(report.clone(), identity.overrides.clone());
    let operation = BegunOperation::new(update)?;
    let patience = Some(core.clients.patience());
    let (_, result) = send_unwritten(&client, identity, &key, &operation, patience).await;
    let answered = match &result {
        Ok(answer) => Some(answer),
        // It is not sent again before the next is due.
        Err(AgentError::Refused { .. }) => None,
        Err(_) => return result.map(drop),
    };
    let learn = |known: &mut Identity| {
        known.reported_at = made_at;
        if let Some(answer) = answered {
            known.learn(answer);
            known.reported = Some(report.clone());
        }
    };
    vault.change(|change| identity.edit(change, learn))?;
    let mut known = identity.clone();
    learn(&mut known);
    let done = answered.is_some().then_some(Operation::Update);
    core.tell(device, device.situation().state(), Some(&known), done);
    result.map(drop)
}
