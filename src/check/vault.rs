//! The vault: where its key is, whether it opens and is whole.

use super::finding::{Finding, Findings, Id};
use crate::agent::{AFTER_CUT_SHORT, CUT_SHORT, Status};
use crate::vault::{CREDENTIAL, Folder, SCHEMA_VERSION, Vault, VaultError, has_unfinished_move};

/// What it says of the device, if it was read.
pub(super) fn look(folder: &Folder, findings: &mut Findings) -> Option<Status> {
    let in_file = || format!("a file: {}", folder.key_path().display());
    let vault = match Vault::look(folder) {
        Ok(vault) => vault,
        Err(error) if is_of_key(folder, &error) => {
            findings.add(Finding::of(Id::KeyHome, error));
            findings.skip(&[Id::Vault], Id::KeyHome);
            return None;
        }
        Err(error) => {
            findings.add(Finding::ok(Id::KeyHome, "nothing speaks against it"));
            findings.add(Finding::of(Id::Vault, error));
            return None;
        }
    };
    let home = match &vault {
        Some(vault) => match vault.is_key_in_credential() {
            Ok(true) => format!("the systemd credential {CREDENTIAL}"),
            _ => in_file(),
        },
        None => "there is no key yet".to_owned(),
    };
    let is_cut_short = vault.as_ref().map_or(Ok(false), has_unfinished_move);
    findings.add(match is_cut_short {
        Ok(true) => {
            Finding::warning(Id::KeyHome, format!("{home}; {CUT_SHORT}")).advising(AFTER_CUT_SHORT)
        }
        // What can't be read of the vault is told with that.
        Ok(false) | Err(_) => Finding::ok(Id::KeyHome, home),
    });
    let checked = vault.as_ref().map_or(Ok(()), Vault::check_pages);
    let status = match checked {
        Ok(()) => Status::read(folder),
        Err(error) => Err(error.into()),
    };
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            findings.add(Finding::of(Id::Vault, error));
            return None;
        }
    };
    let pending = status.pending.map_or_else(String::new, |begun| {
        format!("; {} was begun and is not finished", begun.in_words())
    });
    findings.add(Finding::ok(
        Id::Vault,
        match vault {
            Some(_) => format!("it opens and is whole (version {SCHEMA_VERSION}){pending}"),
            None => format!("there is none in {} yet", folder.path().display()),
        },
    ));
    Some(status)
}

/// Whether it is the vault's key that is missing or wrong.
fn is_of_key(folder: &Folder, error: &VaultError) -> bool {
    match error {
        VaultError::KeyMissing { .. }
        | VaultError::KeyNotGiven { .. }
        | VaultError::Credential { .. }
        | VaultError::KeyWrapped { .. }
        | VaultError::KeyLength { .. }
        | VaultError::KeyMethod { .. }
        | VaultError::KeyVersion { .. }
        | VaultError::OtherKey { .. } => true,
        VaultError::Unreadable { path, .. } | VaultError::OpenFile { path } => {
            *path == folder.key_path() || path.ends_with(CREDENTIAL)
        }
        _ => false,
    }
}
