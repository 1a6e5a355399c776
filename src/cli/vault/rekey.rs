//! `gatehand vault rekey`: a new key for the vault, in the home that it has or in another one.

use clap::Args;

use super::key_arguments::{KeyArguments, To};
use super::new_key::How;
use super::{ask, new_key};
use crate::agent::AgentError;
use crate::cli::error::CliError;
use crate::cli::vault_folder;
use crate::vault::{NewHome, Vault};

const EXAMPLES: &str = "\
Examples:
  gatehand vault rekey
  gatehand vault rekey --to credential
  gatehand vault rekey --to credential --with-key tpm2 --passphrase-file words
  gatehand vault rekey --to file

The agent must not run meanwhile. If it is cut short, the vault opens as before: run it again.";

/// Give the vault a new key, in its home or in another one.
///
/// All that is sealed is sealed anew, and the old key is gone. The device's API key stays.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Rekey {
    /// Where the key is to live; where it does unless given.
    #[arg(long, value_name = "HOME", value_enum)]
    to: Option<To>,
    #[command(flatten)]
    key: KeyArguments,
    /// Write no recovery file: without the credential, as after its TPM was cleared, the vault is lost then.
    #[arg(long, conflicts_with = "passphrase_file")]
    no_recovery: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl Rekey {
    pub(super) fn run(self) -> Result<(), CliError> {
        let folder = self.key.with_key_of_file(vault_folder::locate()?);
        let Some(vault) = Vault::look(&folder)? else {
            return Err(AgentError::NotEnrolled.into());
        };
        let from = match vault.is_key_in_credential()? {
            true => NewHome::Credential,
            false => NewHome::File,
        };
        let to = self.to.map_or(from, NewHome::from);
        drop(vault);
        let alone = new_key::without_daemon(&folder)?;
        // In its file the key has no need of it.
        let has_recovery = to == NewHome::Credential && !self.no_recovery;
        let passphrase = has_recovery
            .then(|| {
                ask::for_sealing(
                    self.key.passphrase_file.as_deref(),
                    "the recovery file, which opens the vault if the credential is lost",
                )
            })
            .transpose()?;
        let had_recovery = folder.recovery_path().exists();
        let how = How {
            is_recovery: false,
            is_home_named: self.to.is_some(),
        };
        new_key::give(&folder, to, &self.key, passphrase.as_ref(), how)?;
        drop(alone);
        new_key::tell(&folder, to, to != from, had_recovery, &self.key, self.json)
    }
}
