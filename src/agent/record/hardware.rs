//! The hardware that the vault is bound to: an entry of its own, which older versions leave be.

use super::entry;
use super::error::RecordError;
use crate::agent::binding::Bound;
use crate::vault::{Change, Vault};

const ENTRY: &str = "hardware";

pub(super) fn load(vault: &Vault) -> Result<Option<Bound>, RecordError> {
    entry::plain(vault, ENTRY, vault.plain(ENTRY)?)
}

pub(in crate::agent) fn store(bound: &Bound, change: &Change<'_>) -> Result<(), RecordError> {
    let text = serde_json::to_string(bound).map_err(RecordError::Encode)?;
    Ok(change.put(ENTRY, &text)?)
}

pub(super) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
    Ok(change.remove(ENTRY)?)
}
