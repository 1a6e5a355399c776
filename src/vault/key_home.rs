//! Where a vault's key lives, and what depends on that.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{KeyFile, KeyPlace, VaultError};
use crate::key_envelope::{self, KeyFormError};
use crate::regular_file;
use crate::seal::SealingKey;

/// The key's file in the vault's folder.
pub(super) const KEY: &str = "vault.key";

/// What opens with a passphrase where the key's home is lost.
pub(super) const RECOVERY: &str = "vault.recovery";

/// What an Android app keeps beside its vault: the key, wrapped by the device's Keystore.
const WRAPPED: &str = "vault.key.wrapped";

/// Where a vault's key lives.
#[derive(Clone)]
pub(super) enum KeyHome {
    /// In a file, which is made with the first key.
    File(PathBuf),
    /// In a systemd credential, which systemd alone makes; in the file where there is none.
    Credential { credential: PathBuf, file: PathBuf },
    /// With the caller, as an app that has it from the Android Keystore.
    Held(Arc<SealingKey>),
}

/// The keys that were found where a vault's key may live. One of several is left from a move that was cut
/// short; the vault tells which one is its own.
pub(super) struct Keys {
    pub(super) all: Vec<Arc<SealingKey>>,
    /// Whether one is in a file beside the vault: that is made after the vault.
    pub(super) has_file: bool,
    /// Why a home could not be read, where another one could.
    pub(super) error: Option<VaultError>,
}

impl KeyHome {
    /// The keys that are there by now. It is an error if none is, for another reason than that it was never made.
    /// `is_left_alone`: whether not even modes that are wrong are mended.
    pub(super) fn load(&self, is_left_alone: bool) -> Result<Keys, VaultError> {
        let mut keys = Keys {
            all: Vec::new(),
            has_file: false,
            error: None,
        };
        match self {
            Self::Held(key) => keys.all.push(Arc::clone(key)),
            Self::File(path) => keys.add_file(path, is_left_alone),
            Self::Credential { credential, file } => {
                keys.add(load_credential(credential));
                keys.add_file(file, is_left_alone);
            }
        }
        match keys.error {
            Some(error) if keys.all.is_empty() => Err(error),
            _ => Ok(keys),
        }
    }

    /// That the vault at `path` is sealed and there is no key to it.
    pub(super) fn missing(&self, path: &Path) -> VaultError {
        let path = path.to_owned();
        let Some(file) = self.file() else {
            return VaultError::KeyNotGiven { path };
        };
        let wrapped = file.with_file_name(WRAPPED);
        match wrapped.exists() {
            true => VaultError::KeyWrapped { path, wrapped },
            false => VaultError::KeyMissing {
                path,
                key: file.to_owned(),
            },
        }
    }

    /// The key for a vault that is sealed from now on, made if there is none.
    pub(super) fn ensure(&self) -> Result<Arc<SealingKey>, VaultError> {
        match self {
            Self::File(path) => KeyFile::at(path.clone()).create().map(Arc::new),
            Self::Credential { credential, file } => match load_credential(credential)? {
                Some(key) => Ok(Arc::new(key)),
                None => KeyFile::at(file.clone()).create().map(Arc::new),
            },
            Self::Held(key) => Ok(Arc::clone(key)),
        }
    }

    /// The file that the key lives in, if it may: it is made after the vault's and before anything is
    /// sealed, and changes when another key comes to live there.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Credential { file: path, .. } => Some(path),
            Self::Held(_) => None,
        }
    }

    /// The key of the credential, if there is one.
    #[cfg(feature = "cli")]
    pub(super) fn load_credential(&self) -> Result<Option<SealingKey>, VaultError> {
        match self {
            Self::Credential { credential, .. } => load_credential(credential),
            Self::File(_) | Self::Held(_) => Ok(None),
        }
    }

    /// Whether a new vault is sealed with the key of a credential.
    pub(super) fn has_credential(&self) -> bool {
        matches!(self, Self::Credential { credential, .. } if credential.exists())
    }

    /// Names of the files in the vault's folder that go with a vault which is set aside. An app looks after
    /// what it holds itself; a credential seals the next vault too.
    pub(super) fn files_beside(&self) -> &'static [&'static str] {
        match self {
            Self::File(_) => &[KEY, WRAPPED, RECOVERY],
            Self::Credential { .. } | Self::Held(_) => &[KEY],
        }
    }

    /// How errors name it.
    pub(super) fn place(&self) -> KeyPlace {
        match self {
            Self::File(_) => KeyPlace::File,
            Self::Credential { .. } if self.has_credential() => KeyPlace::Credential,
            Self::Credential { .. } => KeyPlace::File,
            Self::Held(_) => KeyPlace::Caller,
        }
    }
}

impl Keys {
    fn add_file(&mut self, path: &Path, is_left_alone: bool) {
        let file = KeyFile::at(path.to_owned());
        let loaded = match is_left_alone {
            true => file.look(),
            false => file.load(),
        };
        // One that can't be read is there, too.
        self.has_file |= !matches!(loaded, Ok(None));
        self.add(loaded);
    }

    fn add(&mut self, loaded: Result<Option<SealingKey>, VaultError>) {
        match loaded {
            Ok(key) => self.all.extend(key.map(Arc::new)),
            Err(error) => self.error = self.error.take().or(Some(error)),
        }
    }
}

/// The key in a credential, in any form of a key; `None` if there is no such credential. Whose it is and who may
/// read it is systemd's business.
fn load_credential(path: &Path) -> Result<Option<SealingKey>, VaultError> {
    let unreadable = |source| VaultError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = match regular_file::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // No regular file, as a pipe at which a reader waits.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return Err(VaultError::Credential {
                path: path.to_owned(),
                source: KeyFormError::NoForm,
            });
        }
        opened => opened.map_err(unreadable)?,
    };
    let limit = key_envelope::LENGTH_LIMIT + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit as usize));
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let key = key_envelope::read(&bytes).map_err(|source| VaultError::Credential {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(SealingKey::from_bytes(*key)))
}
