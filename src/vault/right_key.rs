//! Which of the keys that were found is the vault's.

use std::sync::Arc;

use rusqlite::Connection;

use super::entry::{IN_CREDENTIAL, KEY_CHECK, KEY_HOME, PLAIN, SEALED, column};
use super::key_home::Keys;
use super::{Folder, VaultError, handover};
use crate::seal::{SealError, SealingKey};

/// The key that the vault is sealed with, of those that were found; none if nothing is sealed yet and there is none.
pub(super) fn key_of(
    connection: &Connection,
    folder: &Folder,
    keys: Keys,
) -> Result<Option<Arc<SealingKey>>, VaultError> {
    let path = folder.vault_path();
    let Some(check) = column::<Vec<u8>>(connection, &path, SEALED, KEY_CHECK)? else {
        return Ok(keys.all.into_iter().next());
    };
    if let Some(key) = handover::choose(connection, &path, &check, &keys.all)? {
        return Ok(Some(key));
    }
    // The vault may have moved to another key since they were read.
    let keys = folder.keys()?;
    if let Some(key) = handover::choose(connection, &path, &check, &keys.all)? {
        return Ok(Some(key));
    }
    let home = column::<String>(connection, &path, PLAIN, KEY_HOME)?;
    let is_elsewhere =
        home.as_deref() == Some(IN_CREDENTIAL) && !folder.key_home().has_credential();
    Err(match keys.error {
        Some(error) => error,
        None if is_elsewhere => VaultError::KeyNotGiven { path },
        None if keys.all.is_empty() => folder.key_home().missing(&path),
        None => VaultError::OtherKey {
            path,
            key: folder.key_home().place(),
            source: SealError::Mismatch,
        },
    })
}

/// The key that the vault is sealed with, if it is another than `known`.
pub(super) fn current_key(
    connection: &Connection,
    folder: &Folder,
    known: Option<&Arc<SealingKey>>,
) -> Result<Option<Arc<SealingKey>>, VaultError> {
    let path = folder.vault_path();
    let check = column::<Vec<u8>>(connection, &path, SEALED, KEY_CHECK)?;
    match (check, known) {
        (Some(check), Some(known)) if handover::opens(known, &check) => Ok(None),
        (Some(_), _) => key_of(connection, folder, folder.keys()?),
        (None, _) => Ok(None),
    }
}
