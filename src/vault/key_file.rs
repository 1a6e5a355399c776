//! The key of a vault, in a file of its own beside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{VaultError, privacy};
use crate::key_envelope;
use crate::private_file;
use crate::seal::SealingKey;

/// The file with a vault's sealing key, mode 0600: made as its raw bytes and nothing else, which every
/// version reads, and read in each form that [`key_envelope`] knows.
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
        self.read(|file| privacy::make_open_private(file, &self.path).map(drop))
    }

    /// The same of a file whose mode is left as it is.
    pub(super) fn look(&self) -> Result<Option<SealingKey>, VaultError> {
        self.read(|_| Ok(()))
    }

    fn read(
        &self,
        first: impl FnOnce(&File) -> Result<(), VaultError>,
    ) -> Result<Option<SealingKey>, VaultError> {
        let unreadable = |source| VaultError::Unreadable {
            path: self.path.clone(),
            source,
        };
        let file = match private_file::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        first(&file)?;
        // One byte more than any form, to notice a longer file without reading all of it. Made as long
        // as it gets: what grows leaves a copy behind.
        let limit = key_envelope::LENGTH_LIMIT + 1;
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit as usize));
        file.take(limit)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        let key = key_envelope::read(&bytes)
            .map_err(|error| VaultError::key_form(self.path.clone(), error))?;
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
