//! Where a vault's key lives, and what depends on that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{KeyFile, KeyPlace, VaultError};
use crate::seal::SealingKey;

/// The key's file in the vault's folder.
pub(super) const KEY: &str = "vault.key";

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

impl KeyHome {
    /// The key, if there is one yet.
    pub(super) fn load(&self) -> Result<Option<Arc<SealingKey>>, VaultError> {
        match self {
            Self::File(path) => Ok(KeyFile::at(path.clone()).load()?.map(Arc::new)),
            Self::Held(key) => Ok(Some(Arc::clone(key))),
        }
    }

    /// The key that the vault at `path` is sealed with; it is an error that there is none.
    pub(super) fn load_for(&self, path: &Path) -> Result<Arc<SealingKey>, VaultError> {
        let file = match self {
            Self::File(file) => file,
            Self::Held(key) => return Ok(Arc::clone(key)),
        };
        if let Some(key) = KeyFile::at(file.clone()).load()? {
            return Ok(Arc::new(key));
        }
        let path = path.to_owned();
        let wrapped = file.with_file_name(WRAPPED);
        Err(match wrapped.exists() {
            true => VaultError::KeyWrapped { path, wrapped },
            false => VaultError::KeyMissing {
                path,
                key: file.clone(),
            },
        })
    }

    /// The key, made if there is none.
    pub(super) fn ensure(&self) -> Result<Arc<SealingKey>, VaultError> {
        match self {
            Self::File(path) => KeyFile::at(path.clone()).create().map(Arc::new),
            Self::Held(key) => Ok(Arc::clone(key)),
        }
    }

    /// The file that the key lives in, if it does: it is made after the vault's and before anything is
    /// sealed, and changes when another key comes to live there.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Held(_) => None,
        }
    }

    /// Names of the files in the vault's folder that go with a vault which is set aside. An app looks after
    /// what it holds itself.
    pub(super) fn files_beside(&self) -> &'static [&'static str] {
        match self {
            Self::File(_) => &[KEY, WRAPPED],
            Self::Held(_) => &[KEY],
        }
    }

    /// How errors name it.
    pub(super) fn place(&self) -> KeyPlace {
        match self {
            Self::File(_) => KeyPlace::File,
            Self::Held(_) => KeyPlace::Caller,
        }
    }
}
