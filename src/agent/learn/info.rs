//! What a server tells of the device and says of its key, taken into the vault.

use super::key_sets::keep_key_sets;
use crate::agent::core::{Core, Known};
use crate::agent::error::AgentError;
use crate::agent::record::{Device, Identity, Outcome, Revoker};
use crate::agent::state::{KeyWord, Secrets, Situation, State};
use crate::failpoint;
use crate::vault::Vault;
use crate::wire::DeviceInfo;

/// Stores what the server says of the key.
pub(super) fn believe(core: &Core, device: &Device, word: KeyWord) -> Result<(), AgentError> {
    let step = device.situation().heard(word);
    tracing::debug!(
        "the server says of the key: {word:?}; the device is {} from now on",
        step.standing.name()
    );
    failpoint::reach("key: before storing");
    let mut vault = Vault::open(&core.folder)?;
    vault.change(|change| {
        let outcome = Outcome {
            new: None,
            lost: device.standing.lost.clone(),
            revoked_by: Revoker::Server,
        };
        device.standing.store(change, None, step, outcome)
    })?;
    let after = Situation {
        standing: step.standing,
        ..device.situation()
    };
    core.tell(device, after.state(), None, None);
    if step.secrets == Secrets::Destroy {
        vault.wipe_log();
    }
    Ok(())
}

/// Stores what an answer of `device/info` tells and that the key works, under the lock.
pub(super) fn take_in(
    core: &Core,
    device: &Device,
    identity: &Identity,
    info: &DeviceInfo,
) -> Result<(), AgentError> {
    if device.standing.state != State::Enrolled {
        believe(core, device, KeyWord::Works)?;
    }
    learn(core, identity, info)
}

/// Whether an answer of `device/info` to what is `known` tells anything to be stored.
pub(in crate::agent) fn has_news(known: &Known, info: &DeviceInfo) -> bool {
    let mut identity = known.identity.clone();
    identity.learn_info(info);
    known.state != State::Enrolled || identity != known.identity
}

/// What an answer of `device/info` to what is `known` tells of the device. It is stored if any of it is
/// new and the vault can be written, and so are the keys for NFC media.
pub(in crate::agent) async fn hear_info(
    core: &Core,
    known: &Known,
    info: &DeviceInfo,
) -> Result<Identity, AgentError> {
    let mut identity = known.identity.clone();
    identity.learn_info(info);
    if known.state != State::Enrolled {
        if_writable(hear_of_key(core, known, info).await)?;
    } else if identity != known.identity {
        if_writable(learn(core, &known.identity, info))?;
    }
    keep_key_sets(core, known, info);
    Ok(identity)
}

/// Stores that a key works which seemed not to.
async fn hear_of_key(core: &Core, known: &Known, info: &DeviceInfo) -> Result<(), AgentError> {
    let _lock = core.lock().await?;
    let vault = Vault::look(&core.folder)?.ok_or(AgentError::NotEnrolled)?;
    // Read again, since another process may have changed it before the lock was there.
    let device = Device::load(&vault)?;
    let Some(there) = device.identity.as_ref().filter(|_| device.has_key()) else {
        return Ok(());
    };
    if there.key(&vault)?.expose() != known.key.expose() {
        return Ok(());
    }
    drop(vault);
    take_in(core, &device, there, info)
}

fn learn(core: &Core, identity: &Identity, info: &DeviceInfo) -> Result<(), AgentError> {
    Vault::open(&core.folder)?
        .change(|change| identity.edit(change, |known| known.learn_info(info)))?;
    let mut after = identity.clone();
    after.learn_info(info);
    core.tell_identity(identity, &after);
    Ok(())
}

/// What storing an answer led to; with a vault that can't be written now, nothing but a warning.
pub(super) fn if_writable<T>(stored: Result<T, AgentError>) -> Result<Option<T>, AgentError> {
    match stored {
        Err(error) if error.is_about_writing() => {
            error.warn();
            Ok(None)
        }
        stored => stored.map(Some),
    }
}
