//! Where a vault's key lives: all that depends on it is here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{KeyFile, VaultError};
use crate::seal::SealingKey;

/// What an Android app keeps beside its vault: the key, wrapped by the device's Keystore.
const WRAPPED: &str = "vault.key.wrapped";

/// Where a vault's key lives.
#[derive(Clone)]
pub(super) enum KeyHome {
    /// In a file, which is made with the first key.
    File(PathBuf),
    /// With the caller, as an app that has it from the Android Keystore.
    Held(Arc<SealingKey>),
}

/// How errors name the home of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// This file.
    File(PathBuf),
    /// The caller of this library.
    Caller,
}

impl KeyHome {
    /// The key, if there is one yet.
    pub(super) fn load(&self) -> Result<Option<Arc<SealingKey>>, VaultError> {
        match self {
            Self::File(path) => Ok(KeyFile::at(path.clone()).load()?.map(Arc::new)),
            Self::Held(key) => Ok(Some(Arc::clone(key))),
        }
    }

    /// The key, made if there is none.
    pub(super) fn ensure(&self) -> Result<Arc<SealingKey>, VaultError> {
        match self {
            Self::File(path) => KeyFile::at(path.clone()).create().map(Arc::new),
            Self::Held(key) => Ok(Arc::clone(key)),
        }
    }

    /// Whether a key in this home proves that its vault was there: a key file is made after the vault's
    /// and before anything is sealed. A held key says nothing of the file.
    pub(super) fn proves_a_vault(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The file that changes when another key comes to live here.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Held(_) => None,
        }
    }

    pub(super) fn place(&self) -> KeyPlace {
        match self {
            Self::File(path) => KeyPlace::File(path.clone()),
            Self::Held(_) => KeyPlace::Caller,
        }
    }

    /// That the vault at `path` is sealed, and this home has no key.
    pub(super) fn has_no_key(&self, path: PathBuf) -> VaultError {
        let wrapped = self.file().map(|file| file.with_file_name(WRAPPED));
        match wrapped.filter(|file| file.exists()) {
            Some(wrapped) => VaultError::KeyWrapped { path, wrapped },
            None => VaultError::KeyMissing {
                path,
                key: self.place(),
            },
        }
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Caller => f.write_str("that the app holds"),
        }
    }
}
