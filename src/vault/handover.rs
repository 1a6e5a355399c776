//! How a vault that moves to a new key still opens with the old one, until that is gone from where it lived.
//!
//! The new key, sealed under each old one, is an entry of the vault from the transaction that seals all
//! others anew to the one after the old key's end. Whatever cuts the move short, a key that opens the vault is
//! in one of its homes.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Connection;

use super::VaultError;
use super::entry::{KEY_CHECK, PLAIN, column, purpose};
use crate::seal::{KEY_LENGTH, SealingKey};

/// A JSON list of base64; one for each old key.
pub(super) const HANDOVER: &str = "key handover";

/// Whether the vault whose check this is was sealed with the key.
pub(super) fn opens(key: &SealingKey, check: &[u8]) -> bool {
    key.unseal(&purpose(KEY_CHECK, ""), check).is_ok()
}

/// The vault's key: one of these, or one that is handed over to one of these.
pub(super) fn choose(
    connection: &Connection,
    path: &Path,
    check: &[u8],
    keys: &[Arc<SealingKey>],
) -> Result<Option<Arc<SealingKey>>, VaultError> {
    if let Some(key) = keys.iter().find(|key| opens(key, check)) {
        return Ok(Some(Arc::clone(key)));
    }
    let handed: Option<String> = column(connection, path, PLAIN, HANDOVER)?;
    let sealed: Vec<String> = handed
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    let mut handed = sealed
        .iter()
        .flat_map(|sealed| keys.iter().filter_map(|key| unsealed(key, sealed)));
    Ok(handed.find(|key| opens(key, check)).map(Arc::new))
}

fn unsealed(old: &SealingKey, sealed: &str) -> Option<SealingKey> {
    let sealed = STANDARD.decode(sealed).ok()?;
    let key = old.unseal(&purpose(HANDOVER, ""), &sealed).ok()?;
    let key = <[u8; KEY_LENGTH]>::try_from(key.as_slice()).ok()?;
    Some(SealingKey::from_bytes(key))
}

/// What hands `new` over to each of the old keys.
#[cfg(feature = "cli")]
pub(super) fn to_each(
    old: &[Arc<SealingKey>],
    new: &SealingKey,
) -> Result<String, crate::seal::SealError> {
    let sealed = old
        .iter()
        .map(|old| old.seal(&purpose(HANDOVER, ""), new.expose()))
        .collect::<Result<Vec<_>, _>>()?;
    let texts: Vec<String> = sealed
        .iter()
        .map(|sealed| STANDARD.encode(sealed))
        .collect();
    Ok(serde_json::json!(texts).to_string())
}
