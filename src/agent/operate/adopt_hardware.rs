//! The vault is bound to the hardware that it is on.

use std::sync::Arc;

use super::operation::Done;
use super::resume::resume_operation;
use crate::agent::core::{Core, Sent};
use crate::agent::error::AgentError;
use crate::agent::perform::finish_operation;
use crate::agent::record::{BegunOperation, Device, OnIdentity, hardware};
use crate::agent::state::Operation;
use crate::vault::{self, Vault, VaultError};

/// Binds a vault that is bound to nothing yet, or to less of this hardware than can be told by now. Whoever is changing
/// the device leaves it for the next time.
pub(in crate::agent) fn bind(core: &Core) -> Result<(), AgentError> {
    let Some(own) = &core.hardware else {
        return Ok(());
    };
    let to_bind = |device: &Device| match device.identity {
        Some(_) => own.to_bind(device.hardware.as_ref()),
        None => Ok(None),
    };
    let device = core.look()?.unwrap_or_else(Device::none);
    if to_bind(&device).map_err(AgentError::Random)?.is_none() {
        return Ok(());
    }
    let _lock = match vault::lock(&core.folder) {
        Err(VaultError::Busy { .. }) => return Ok(()),
        lock => lock?,
    };
    let mut vault = Vault::open(&core.folder)?;
    // Read again: another process may have bound it.
    let device = Device::load(&vault)?;
    match to_bind(&device).map_err(AgentError::Random)? {
        Some(bound) => vault.change(|change| Ok(hardware::store(&bound, change)?)),
        None => Ok(()),
    }
}

/// Binds the vault to this hardware, whatever it was bound to, and has the key replaced, so that any copy of it stops
/// working. Both are written down at once, when there is a connection to send the second over.
pub(in crate::agent) async fn adopt_hardware(core: &Core) -> Result<Done, AgentError> {
    let own = core.hardware.as_ref();
    let own = own.filter(|own| !own.ids.is_empty());
    let own = own.ok_or(AgentError::NoHardware)?;
    core.folder.refuse_if_volatile()?;
    let _lock = core.lock().await?;
    let mut vault = Vault::open(&core.folder)?;
    let mut device = Device::load(&vault)?;
    match device.situation().pending {
        // To take the vault over says nothing of whether the device is to be given up.
        Some(operation @ Operation::Revoke) => {
            return Err(AgentError::NotAdoptedHere { operation });
        }
        // A copy that was made since goes on with it, too, and hears of the same new key: that ends no copy.
        Some(Operation::Roll) => {
            resume_operation(core, &mut vault, &device, Sent::Before).await?;
            device = Device::load(&vault)?;
        }
        _ => {}
    }
    if device.situation().begin(Operation::Roll, false).is_err() {
        return Err(AgentError::unusable(&device));
    }
    let Some(identity) = device.identity.clone() else {
        return Err(AgentError::NotEnrolled);
    };
    let begun = BegunOperation {
        bound: Some(own.bound().map_err(AgentError::Random)?),
        ..BegunOperation::new(OnIdentity::Roll)?
    };
    let sent = Sent::Never;
    let identity =
        finish_operation(core, &mut vault, &device, &identity, &Arc::new(begun), sent).await?;
    Ok(Done {
        identity,
        went_on: false,
    })
}
