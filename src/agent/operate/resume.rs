//! What was begun before and cut short is finished, under its old idempotency key.

use super::replaced::settle_replaced;
use super::unwanted;
use crate::agent::core::{Core, Sent};
use crate::agent::error::AgentError;
use crate::agent::perform::{Afterlife, Replaced, finish_enrolment, finish_operation};
use crate::agent::record::Device;
use crate::agent::state::Operation;
use crate::vault::{ChangeLock, Vault};

/// An operation was finished that had been begun before.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// Which.
    pub operation: Operation,
    /// The device that lost its place by it.
    pub replaced: Option<Replaced>,
}

impl Resumed {
    /// Tells in the log what was done beside what was asked for.
    pub(in crate::agent) fn tell(&self) {
        tracing::info!("finished what was begun before: {}", self.operation.name());
        if let Some(Replaced {
            identity,
            afterlife: Afterlife::Active,
        }) = &self.replaced
        {
            tracing::warn!(
                "the device that was here before, {}, is still active on its server: revoke it there",
                identity.in_words()
            );
        }
    }
}

pub(in crate::agent) async fn resume(core: &Core) -> Result<Option<Resumed>, AgentError> {
    let Some(device) = core.look()? else {
        return Ok(None);
    };
    if device.situation().unfinished().is_none() {
        return Ok(None);
    }
    let lock = core.lock().await?;
    resume_under(core, lock, Sent::Before).await
}

/// The same for whoever has the lock.
pub(in crate::agent) async fn resume_under(
    core: &Core,
    lock: ChangeLock,
    sent: Sent,
) -> Result<Option<Resumed>, AgentError> {
    let mut vault = Vault::open(&core.folder)?;
    // Read again: the process that had the lock may have finished it.
    let mut device = Device::load(&vault)?;
    let mut failed = None;
    // The enrolment first: once it is done, what was begun on an identity before it is void.
    if let Some(begun) = device.enrolment.take() {
        let situation = Device::load(&vault)?;
        match finish_enrolment(core, &mut vault, &situation, &begun, sent).await {
            Ok(identity) => {
                let replaced = settle_replaced(
                    core,
                    &lock,
                    &situation,
                    &identity,
                    core.clients.patience_for(sent),
                )
                .await;
                return Ok(Some(Resumed {
                    operation: Operation::Initialize,
                    replaced,
                }));
            }
            Err(error) => {
                let patience = core.clients.patience_for(sent);
                failed = Some(unwanted::revoked(core, &lock, error, patience).await);
            }
        }
        device = Device::load(&vault)?;
    }
    if device.operation.is_some() {
        core.refuse_copied(&device)?;
    }
    let resumed = resume_operation(core, &mut vault, &device, sent).await?;
    match failed {
        Some(error) => Err(error),
        None => Ok(resumed),
    }
}

/// Finishes a pending operation on the identity. That the server refuses it ends it too.
pub(super) async fn resume_operation(
    core: &Core,
    vault: &mut Vault,
    device: &Device,
    sent: Sent,
) -> Result<Option<Resumed>, AgentError> {
    let (Some(identity), Some(begun)) = (&device.identity, &device.operation) else {
        return Ok(None);
    };
    let operation = begun.what.operation();
    match finish_operation(core, vault, device, identity, begun, sent).await {
        Ok(_) => Ok(Some(Resumed {
            operation,
            replaced: None,
        })),
        Err(error @ AgentError::Refused { .. }) if Device::load(vault)?.operation.is_none() => {
            error.warn();
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
