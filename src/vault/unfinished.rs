//! A move to another key that was cut short is ended by whoever changes the vault next, if the new key opens it where
//! it is to live: until then an old one opens it, too.

use std::path::Path;

use super::entry::{KEY_CHECK, SEALED, column};
use super::folder::next;
use super::handover::{self, HANDOVER, opens};
use super::rekey::{NO_RECOVERY, RECOVERY_TO_COME, create, hash, remove, take_place};
use super::{ChangeLock, Folder, KeyFile, Vault, VaultError};
use crate::key_envelope::LENGTH_LIMIT;
use crate::regular_file;

/// How a vault's move to another key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// None was cut short.
    None,
    /// One was, and is over now.
    Ended,
    /// One was, and only the command that made it knows the rest.
    CutShort,
}

/// Whether a vault's move to another key was cut short, so that an old one opens it still.
pub fn has_unfinished_move(vault: &Vault) -> Result<bool, VaultError> {
    Ok(vault.plain(HANDOVER)?.is_some())
}

/// Ends a move to another key that was cut short, if that can be done from here.
pub fn finish_move(folder: &Folder, _lock: &ChangeLock) -> Result<Move, VaultError> {
    match Vault::look(folder)? {
        Some(vault) if has_unfinished_move(&vault)? => {}
        _ => {
            // What a move left that was cut short before anything was sealed anew.
            remove(&next(&folder.recovery_path()))?;
            return Ok(Move::None);
        }
    }
    let mut vault = Vault::open(folder)?;
    let path = vault.path();
    let check = column::<Vec<u8>>(&vault.connection, &path, SEALED, KEY_CHECK)?;
    let check = check.unwrap_or_default();
    let file = folder.key_path();
    match vault.is_key_in_credential()? {
        true => {
            let loaded = folder.key_home().load_credential()?;
            if !loaded.is_some_and(|key| opens(&key, &check)) {
                return Ok(Move::CutShort);
            }
            empty(&vault, &file, &check)?;
        }
        false => {
            let key = KeyFile::at(file.clone()).load()?;
            if let (false, Some(new)) = (key.is_some_and(|key| opens(&key, &check)), &vault.key) {
                let next = next(&file);
                remove(&next)?;
                create(&next, new.expose())?;
                take_place(&next, &file)?;
            }
        }
    }
    settle_recovery(&vault)?;
    vault.change(|change| {
        change.remove(RECOVERY_TO_COME)?;
        change.remove(HANDOVER)
    })?;
    vault.wipe_log();
    Ok(Move::Ended)
}

/// Removes the key's file if an old key of this vault is in it.
fn empty(vault: &Vault, file: &Path, check: &[u8]) -> Result<(), VaultError> {
    let Some(key) = KeyFile::at(file.to_owned())
        .load()?
        .map(std::sync::Arc::new)
    else {
        return Ok(());
    };
    let path = vault.path();
    let is_old =
        !opens(&key, check) && handover::choose(&vault.connection, &path, check, &[key])?.is_some();
    match is_old {
        true => remove(file),
        false => Ok(()),
    }
}

/// Has the recovery file be that of the new key, or none.
fn settle_recovery(vault: &Vault) -> Result<(), VaultError> {
    let recovery = vault.folder.recovery_path();
    let next = next(&recovery);
    let is = |path: &Path, wanted: &str| {
        let read = regular_file::read(path, LENGTH_LIMIT);
        read.is_ok_and(|bytes| hash(&bytes) == wanted)
    };
    match vault.plain(RECOVERY_TO_COME)?.as_deref() {
        // As older versions left it.
        None => Ok(()),
        Some(NO_RECOVERY) => remove(&recovery),
        Some(wanted) if is(&recovery, wanted) => Ok(()),
        Some(wanted) if is(&next, wanted) => take_place(&next, &recovery),
        Some(_) => {
            tracing::warn!(
                "{} is not that of the vault's key: gatehand vault rekey makes a new one",
                recovery.display()
            );
            Ok(())
        }
    }
}
