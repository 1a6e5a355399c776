//! `gatehand vault recover`: the vault opens with its passphrase, and gets a new key.

use std::io;

use clap::Args;

use super::key_arguments::{KeyArguments, To};
use super::new_key::How;
use super::{ask, new_key, recovery_file};
use crate::agent::AgentError;
use crate::cli::error::CliError;
use crate::cli::vault_folder;
use crate::key_envelope::LENGTH_LIMIT;
use crate::regular_file;
use crate::vault::{Folder, NewHome, Vault, VaultError, has_unfinished_move};

const EXAMPLES: &str = "\
Examples:
  gatehand vault recover --to credential
  gatehand vault recover --to file --passphrase-file /root/passphrase";

/// Open a vault whose credential is lost, as after its TPM was cleared, with the passphrase of its recovery file.
///
/// It gets a new key: in a file, or in a new credential with a recovery file of the same passphrase.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Recover {
    /// Where the new key is to live.
    #[arg(long, value_name = "HOME", value_enum)]
    to: To,
    #[command(flatten)]
    key: KeyArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl Recover {
    pub(super) fn run(self) -> Result<(), CliError> {
        let folder = vault_folder::locate()?;
        let path = folder.recovery_path();
        let name = path.display().to_string();
        self.refuse_if_it_opens(&folder)?;
        let bytes =
            regular_file::read(&path, LENGTH_LIMIT).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => CliError::NoRecovery { name: name.clone() },
                _ => CliError::Input {
                    name: name.clone(),
                    source,
                },
            })?;
        let sealed = recovery_file::read(&bytes).map_err(|source| CliError::Passphrase {
            name: name.clone(),
            source,
        })?;
        let alone = new_key::without_daemon(&folder)?;
        let (key, passphrase) =
            ask::opened(self.key.passphrase_file.as_deref(), &name, |passphrase| {
                recovery_file::open(&sealed, passphrase)
            })?;
        let folder = folder.with_found_key(key);
        match Vault::look(&folder) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(AgentError::NotEnrolled.into()),
            Err(
                source @ (VaultError::KeyNotGiven { .. }
                | VaultError::KeyMissing { .. }
                | VaultError::OtherKey { .. }
                | VaultError::Credential { .. }),
            ) => return Err(CliError::OtherRecovery { name, source }),
            Err(error) => return Err(error.into()),
        }
        let to = NewHome::from(self.to);
        let passphrase = (to == NewHome::Credential).then_some(passphrase);
        let how = How {
            is_recovery: true,
            is_home_named: true,
        };
        new_key::give(&folder, to, &self.key, passphrase.as_ref(), how)?;
        drop(alone);
        let has_moved = to == NewHome::File;
        new_key::tell(&folder, to, has_moved, true, &self.key, self.json)
    }

    /// Refuses a vault that opens with its key, unless a recovery of it was cut short.
    fn refuse_if_it_opens(&self, folder: &Folder) -> Result<(), CliError> {
        let folder = self.key.with_key_of_file(folder.clone());
        match Vault::look(&folder) {
            Ok(Some(vault)) if !has_unfinished_move(&vault)? => Err(CliError::NothingToRecover {
                home: match vault.is_key_in_credential()? {
                    true => format!("the credential {}", self.key.credential_file.display()),
                    false => folder.key_path().display().to_string(),
                },
            }),
            _ => Ok(()),
        }
    }
}
