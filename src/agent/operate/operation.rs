//! Operations on the identity that is there: begun when they are asked for, unless one of the same kind
//! was begun before.

use std::sync::Arc;

use super::replaced::revoke_replaced;
use super::resume::{resume, resume_operation};
use crate::agent::core::{Core, Sent};
use crate::agent::describe;
use crate::agent::error::AgentError;
use crate::agent::perform::finish_operation;
use crate::agent::record::{BegunOperation, Device, Identity, OnIdentity, media_key};
use crate::agent::state::{Operation, State};
use crate::facts::Overrides;
use crate::vault::Vault;

/// An operation on the identity was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// Who the device is.
    pub identity: Identity,
    /// Whether it was begun before, and this has finished it.
    pub went_on: bool,
}

/// Reports what the device is, with what `change` makes of what people want reported instead.
pub(in crate::agent) async fn report(
    core: &Core,
    change: impl FnOnce(Overrides) -> Overrides,
    sent: Sent,
) -> Result<Done, AgentError> {
    operate(core, Operation::Update, sent, |vault, identity| {
        let overrides = change(identity.overrides.clone());
        let public = media_key::public(vault)?;
        let mut report = describe::report(&*core.describe, &overrides, public)?;
        report.info = core.describe.info();
        Ok(OnIdentity::update(report, overrides))
    })
    .await
}

pub(in crate::agent) async fn roll(core: &Core) -> Result<Done, AgentError> {
    let device = core.look()?;
    // What was begun is to be finished, wherever it is kept.
    if device.is_some_and(|device| device.situation().pending != Some(Operation::Roll)) {
        core.folder.refuse_if_volatile()?;
    }
    operate(core, Operation::Roll, Sent::Never, |_, _| {
        Ok(OnIdentity::Roll)
    })
    .await
}

pub(in crate::agent) async fn revoke(core: &Core) -> Result<Done, AgentError> {
    operate(core, Operation::Revoke, Sent::Never, |_, _| {
        Ok(OnIdentity::Revoke)
    })
    .await
}

/// Does an operation on the identity. One of the same kind that was begun before is what was asked for.
async fn operate(
    core: &Core,
    operation: Operation,
    sent: Sent,
    make: impl FnOnce(&Vault, &Identity) -> Result<OnIdentity, AgentError>,
) -> Result<Done, AgentError> {
    let device = core.look()?.ok_or(AgentError::NotEnrolled)?;
    if device.situation().state() == State::Enrolling
        && let Some(resumed) = resume(core).await?
    {
        resumed.tell();
    }
    let lock = core.lock().await?;
    let mut vault = Vault::open(&core.folder)?;
    let mut device = Device::load(&vault)?;
    core.refuse_copied(&device)?;
    let pending = device.situation().pending;
    if pending.is_some() && pending != Some(Operation::Update) {
        let resumed = resume_operation(core, &mut vault, &device, Sent::Before).await?;
        device = Device::load(&vault)?;
        if resumed.is_some_and(|resumed| resumed.operation == operation) {
            return Ok(Done {
                identity: device.identity.ok_or(AgentError::NotEnrolled)?,
                went_on: true,
            });
        }
    }
    if device.situation().begin(operation, false).is_err() {
        return Err(AgentError::unusable(&device));
    }
    let Some(identity) = device.identity.clone() else {
        return Err(AgentError::NotEnrolled);
    };
    let begun = Arc::new(BegunOperation::new(make(&vault, &identity)?)?);
    if let OnIdentity::Update { overrides, .. } = &begun.what
        && *overrides != identity.overrides
    {
        // What people want is kept whatever becomes of the report.
        vault.change(|change| {
            identity.edit(change, |known| known.overrides.clone_from(overrides))
        })?;
    }
    let identity = finish_operation(core, &mut vault, &device, &identity, &begun, sent).await?;
    if sent == Sent::Never {
        revoke_replaced(core, &lock, Some(core.clients.patience())).await;
    }
    Ok(Done {
        identity,
        went_on: false,
    })
}
