//! The key of a vault, in a file of its own beside it.

use std::io::{self, Read};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{VaultError, privacy};
use crate::private_file;
use crate::seal::{KEY_LENGTH, SealingKey};

/// The file with a vault's sealing key: its raw bytes and nothing else, mode 0600.
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The key file at this path.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The key; `None` if there is no such file.
    pub fn load(&self) -> Result<Option<SealingKey>, VaultError> {
        let unreadable = |source| VaultError::Unreadable {
            path: self.path.clone(),
            source,
        };
        let file = match private_file::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        privacy::make_open_private(&file, &self.path)?;
        // One byte more than a key, to notice a longer file without reading all of it.
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LENGTH + 1));
        file.take(KEY_LENGTH as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let key = Zeroizing::new(<[u8; KEY_LENGTH]>::try_from(bytes.as_slice()).map_err(|_| {
            VaultError::KeyLength {
                path: self.path.clone(),
            }
        })?);
        Ok(Some(SealingKey::from_bytes(*key)))
    }

    /// Makes a key and its file, or loads the key another process made just before.
    pub(super) fn create(&self) -> Result<SealingKey, VaultError> {
        let key = SealingKey::random().map_err(|source| VaultError::NotSealed {
            path: self.path.clone(),
            source,
        })?;
        private_file::ensure(&self.path, key.expose())
            .map_err(|source| VaultError::unwritable(&self.path, source))?;
        self.load()?.ok_or_else(|| {
            VaultError::unwritable(&self.path, io::Error::from(io::ErrorKind::NotFound))
        })
    }
}
