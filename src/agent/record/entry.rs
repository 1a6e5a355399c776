//! Entries of the vault that are JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::error::RecordError;
use crate::vault::{Change, Vault};

/// Reads an entry that this program wrote as JSON.
pub(super) fn plain<T: DeserializeOwned>(
    vault: &Vault,
    name: &'static str,
    text: Option<String>,
) -> Result<Option<T>, RecordError> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|source| RecordError::Entry {
            path: vault.path(),
            entry: name,
            source,
        })
}

/// Opens a sealed one.
pub(super) fn sealed<T: DeserializeOwned>(
    vault: &Vault,
    name: &'static str,
    context: &str,
) -> Result<Option<T>, RecordError> {
    vault
        .sealed(name, context)?
        .map(|bytes| serde_json::from_slice(&bytes))
        .transpose()
        .map_err(|source| RecordError::Entry {
            path: vault.path(),
            entry: name,
            source,
        })
}

/// Seals a value as JSON.
pub(super) fn seal(
    change: &Change<'_>,
    name: &str,
    context: &str,
    value: &impl Serialize,
) -> Result<(), RecordError> {
    let bytes = serde_json::to_vec(value)
        .map(Zeroizing::new)
        .map_err(RecordError::Encode)?;
    Ok(change.put_sealed(name, context, &bytes)?)
}
