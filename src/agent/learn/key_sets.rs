//! The key sets for NFC media that a server tells, kept for when it is away.

use crate::agent::clock;
use crate::agent::core::{Core, Known};
use crate::agent::error::AgentError;
use crate::agent::record::KeySets;
use crate::failpoint;
use crate::vault::Vault;
use crate::wire::DeviceInfo;

/// Keeps what an answer of `device/info` tells, if the server knows this device's RSA key. What fails is no reason
/// to withhold the answer: it is told, and done by a later one.
pub(super) fn keep_key_sets(core: &Core, known: &Known, info: &DeviceInfo) {
    let reported = known.identity.reported.as_ref();
    let reported = reported.and_then(|report| report.rsa_pubkey.as_ref());
    let Some(rsa_pubkey) = known
        .rsa_pubkey
        .as_ref()
        .filter(|key| Some(*key) == reported)
    else {
        return;
    };
    let told = KeySets {
        as_of: clock::now(),
        rsa_pubkey: rsa_pubkey.clone(),
        sets: info.medium_key_sets.clone(),
    };
    if let Err(error) = keep(core, known, &told) {
        error.warn();
    }
}

fn keep(core: &Core, known: &Known, told: &KeySets) -> Result<(), AgentError> {
    let Some(vault) = Vault::look(&core.folder)? else {
        return Ok(());
    };
    let kept = KeySets::load(&vault, &known.identity)?;
    drop(vault);
    if kept.is_some_and(|kept| told.is_kept_as(&kept)) {
        return Ok(());
    }
    failpoint::reach("key sets: before storing");
    let mut vault = Vault::open(&core.folder)?;
    Ok(vault.change(|change| told.store(change, &known.identity))?)
}
