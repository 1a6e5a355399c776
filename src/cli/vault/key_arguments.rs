//! The options that say where a vault's key is to live.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::systemd_creds::{SystemdCreds, WithKey};
use crate::key_envelope;
use crate::seal::SealingKey;
use crate::vault::{Folder, KeyStore, NewHome};

/// Flattened into what gives a vault a new key.
#[derive(Args)]
pub(super) struct KeyArguments {
    /// The file of the credential, which a unit loads with LoadCredentialEncrypted=gatehand.vault-key:FILE.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/credstore.encrypted/gatehand.vault-key"
    )]
    pub(super) credential_file: PathBuf,
    /// What systemd seals the credential with.
    #[arg(long, value_name = "KEY", value_enum, default_value_t = WithKey::Auto)]
    with_key: WithKey,
    /// The passphrase of the recovery file, or - for standard input; asked for at a terminal unless given.
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
}

/// Where a vault's key may live.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum To {
    /// In vault.key, beside the vault.
    File,
    /// In a systemd credential.
    Credential,
}

impl From<To> for NewHome {
    fn from(to: To) -> Self {
        match to {
            To::File => Self::File,
            To::Credential => Self::Credential,
        }
    }
}

impl KeyArguments {
    pub(super) fn store(&self) -> SystemdCreds {
        SystemdCreds {
            with_key: self.with_key,
        }
    }

    /// The folder with the key of the credential, which no unit gives to a command at a shell.
    pub(super) fn with_key_of_file(&self, folder: Folder) -> Folder {
        if !self.credential_file.exists() {
            return folder;
        }
        let key = self.store().unwrap(&self.credential_file);
        let key = match key {
            Ok(key) => key_envelope::read(&key).ok(),
            Err(error) => {
                tracing::warn!("{} is not opened: {error}", self.credential_file.display());
                None
            }
        };
        match key {
            Some(key) => folder.with_found_key(SealingKey::from_bytes(*key)),
            None => folder,
        }
    }
}
