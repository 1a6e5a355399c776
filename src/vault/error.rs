//! What can go wrong with a vault, in words for the person who has to mend it.

use std::io;
use std::path::{Path, PathBuf};

use super::key_place::{CREDENTIAL, KeyPlace};
use crate::key_envelope::{self, KeyFormError};
use crate::private_file;
use crate::seal::SealError;
use crate::sqlite::{Failure, Unusable};

/// Why a vault could not be opened, read or changed. Nothing in it was lost by the failure.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// No variable says where the vault is to be.
    #[error("can't tell where the vault is to be: set GATEHAND_HOME (or HOME) to a folder")]
    NoFolder,
    /// Other users can write to the folder.
    #[error(
        "other users can write to the vault's folder {path}, and so could exchange its files: make it private with chmod 700 {path}"
    )]
    OpenFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file system has the same permissions for all files.
    #[error(
        "the file system of the vault's folder {path} keeps no permissions, so other users can get at all in it, and chmod changes nothing: the vault has to be on another one"
    )]
    NoPermissions {
        /// The folder.
        path: PathBuf,
    },
    /// Other users can read a file, and it is not this process' to make private.
    #[error(
        "other users can read {path}, and it belongs to one of them: make it the file of the user that gatehand runs as, with chown, and private with chmod 600"
    )]
    OpenFile {
        /// The file.
        path: PathBuf,
    },
    /// What is in the folder is gone at the next boot.
    #[error(
        "the vault's folder {path} is on {file_system}: all in it, this device's key too, would be gone at the next boot, so nothing was sent"
    )]
    Volatile {
        /// The folder.
        path: PathBuf,
        /// What keeps it in memory only.
        file_system: String,
    },
    /// Another process is changing the device.
    #[error("another gatehand process is changing this device ({path}): try again when it is done")]
    Busy {
        /// The vault's folder.
        path: PathBuf,
    },
    /// A file could not be read.
    #[error("can't read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file or folder could not be made or written.
    #[error("can't write {path}")]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// SQLite could not read.
    #[error("can't read the vault {path}")]
    NotRead {
        /// The vault.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A value could not be sealed; nothing is wrong with the vault.
    #[error("can't seal a value for {path}")]
    NotSealed {
        /// The vault or its key.
        path: PathBuf,
        /// Why.
        #[source]
        source: SealError,
    },
    /// The file is another program's database.
    #[error("{path} is no vault of gatehand")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite could not write: a read-only or full disk, missing permission, a device that fails.
    #[error("can't write to the vault {path}")]
    NotWritten {
        /// The vault.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The file is no vault or is damaged.
    #[error("the vault {path} is damaged; it was left as it is")]
    Corrupt {
        /// The vault.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The vault is missing or empty while its key is there.
    #[error("the vault {path} is missing or was emptied, but its key {key} is there")]
    Emptied {
        /// The vault.
        path: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Made by another version of gatehand.
    #[error("the vault {path} has version {found}, this gatehand knows up to {known}")]
    OtherVersion {
        /// The vault.
        path: PathBuf,
        /// Version of the vault.
        found: u32,
        /// Newest version this program knows.
        known: u32,
    },
    /// The key's file is gone.
    #[error("the vault {path} is sealed, and its key {key} is missing")]
    KeyMissing {
        /// The vault.
        path: PathBuf,
        /// Where the key should be.
        key: PathBuf,
    },
    /// The vault's key lives in a systemd credential, which this process was not given.
    #[error(
        "the vault {path} is sealed with the key in the systemd credential {}, which this command was not given",
        CREDENTIAL
    )]
    KeyNotGiven {
        /// The vault.
        path: PathBuf,
    },
    /// The systemd credential holds something else.
    #[error("the systemd credential {path} holds no key that can be used")]
    Credential {
        /// Where systemd has put it.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: KeyFormError,
    },
    /// Where a key is to live, another one lives.
    #[error("{path} is there, and is not this vault's: nothing was changed")]
    HomeTaken {
        /// The file.
        path: PathBuf,
    },
    /// The credential that opens the vault is not the one that was named.
    #[error(
        "the vault opens with the credential that this command was given, and {path} is not the credential that it came from: nothing was changed"
    )]
    OtherCredential {
        /// The file that was named.
        path: PathBuf,
    },
    /// What was written as a key's home gives another key, or none.
    #[error("the key that was written to {path} can't be read back: nothing was changed")]
    NotKept {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An Android app keeps the key.
    #[error(
        "the vault {path} is an Android app's: its key {wrapped} is wrapped by the Keystore of that device, and only that app can open it there"
    )]
    KeyWrapped {
        /// The vault.
        path: PathBuf,
        /// The wrapped key.
        wrapped: PathBuf,
    },
    /// The key's file holds something else.
    #[error(
        "the file {path} does not hold a key of {} bytes",
        crate::seal::KEY_LENGTH
    )]
    KeyLength {
        /// The key's file.
        path: PathBuf,
    },
    /// The key's file is of a form that a newer gatehand has.
    #[error(
        "the file {path} holds a key in version {found}, this gatehand knows up to {}",
        key_envelope::VERSION
    )]
    KeyVersion {
        /// The key's file.
        path: PathBuf,
        /// Version of the form.
        found: u64,
    },
    /// The key's file holds a key that something else has to open.
    #[error("the key in {path} is wrapped by {method}, which gatehand can't ask here")]
    KeyMethod {
        /// The key's file.
        path: PathBuf,
        /// What wraps it.
        method: String,
    },
    /// The vault was sealed with another key.
    #[error("the vault {path} was sealed with another key than {key}")]
    OtherKey {
        /// The vault.
        path: PathBuf,
        /// Whose key it was opened with.
        key: KeyPlace,
        /// What the cipher says.
        #[source]
        source: SealError,
    },
    /// One entry does not open, though the key is right.
    #[error("an entry of the vault {path} was changed from outside and can't be trusted")]
    Seal {
        /// The vault.
        path: PathBuf,
        /// What the cipher says.
        #[source]
        source: SealError,
    },
    /// Any other answer of SQLite.
    #[error("can't use the vault {path}")]
    Sqlite {
        /// The vault.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

/// What keeps a vault from being written that someone at the device can mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The disk is full.
    Full,
    /// The file system is read-only.
    ReadOnly,
    /// The folder or a file in it belongs to somebody else.
    Denied,
}

impl VaultError {
    /// What keeps the vault from being written, if that is known.
    pub fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Self::Unwritable { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Hindrance::Full),
                io::ErrorKind::ReadOnlyFilesystem => Some(Hindrance::ReadOnly),
                io::ErrorKind::PermissionDenied => Some(Hindrance::Denied),
                _ => None,
            },
            Self::NotWritten { source, .. } => match Failure::of(source) {
                Failure::Full => Some(Hindrance::Full),
                Failure::ReadOnly => Some(Hindrance::ReadOnly),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn unwritable(path: &Path, source: io::Error) -> Self {
        let is_denied = source.kind() == io::ErrorKind::PermissionDenied;
        let no_permissions = is_denied.then(|| Self::no_permissions(path)).flatten();
        no_permissions.unwrap_or_else(|| Self::Unwritable {
            path: path.to_owned(),
            source,
        })
    }

    /// That the file system of a file in the vault's folder keeps no permissions, if that is so: other
    /// errors would advise what changes nothing there.
    pub(super) fn no_permissions(path: &Path) -> Option<Self> {
        let folder = path.parent()?;
        (!private_file::can_be_private(path)).then(|| Self::NoPermissions {
            path: folder.to_owned(),
        })
    }

    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match Failure::of(&source) {
            Failure::Busy => Self::Busy { path },
            Failure::Damaged => Self::Corrupt { path, source },
            Failure::Unreadable => Self::NotRead { path, source },
            Failure::Full
            | Failure::ReadOnly
            | Failure::CannotOpen
            | Failure::Disk
            | Failure::LostSync => Self::NotWritten { path, source },
            Failure::Memory | Failure::Fault => Self::Sqlite { path, source },
        }
    }

    pub(super) fn unusable(path: &Path, error: Unusable) -> Self {
        match error {
            Unusable::Sqlite(source) => Self::sqlite(path, source),
            Unusable::NotCopied { source, .. } => Self::unwritable(path, source),
            Unusable::Foreign => Self::Foreign {
                path: path.to_owned(),
            },
            Unusable::Newer { found, known } => Self::OtherVersion {
                path: path.to_owned(),
                found,
                known,
            },
        }
    }

    /// What it means that the key file at `path` holds no key of this form.
    pub(super) fn key_form(path: PathBuf, error: KeyFormError) -> Self {
        match error {
            KeyFormError::NoForm | KeyFormError::NotAKey => Self::KeyLength { path },
            KeyFormError::Newer { found } => Self::KeyVersion { path, found },
            KeyFormError::Wrapped { method } => Self::KeyMethod { path, method },
        }
    }

    /// The same of one who only wanted to read.
    pub(super) fn when_reading(self) -> Self {
        match self {
            Self::NotWritten { path, source } => Self::NotRead { path, source },
            error => error,
        }
    }

    /// Whether the vault itself is past use, so that only setting it aside makes room for another:
    /// not if it is in use, can't be written, or is only too new for this program.
    pub fn is_beyond_use(&self) -> bool {
        match self {
            Self::NoFolder
            | Self::OpenFolder { .. }
            | Self::NoPermissions { .. }
            | Self::OpenFile { .. }
            | Self::Volatile { .. }
            | Self::Busy { .. }
            | Self::Unwritable { .. }
            | Self::NotWritten { .. }
            | Self::NotSealed { .. }
            | Self::OtherVersion { .. }
            | Self::KeyNotGiven { .. }
            | Self::Credential { .. }
            | Self::HomeTaken { .. }
            | Self::OtherCredential { .. }
            | Self::NotKept { .. }
            | Self::OtherKey {
                key: KeyPlace::Credential,
                ..
            }
            | Self::KeyVersion { .. } => false,
            Self::Sqlite { source, .. } => Failure::of(source) != Failure::Memory,
            Self::Unreadable { source, .. } => source.kind() != io::ErrorKind::PermissionDenied,
            Self::NotRead { .. }
            | Self::Foreign { .. }
            | Self::Corrupt { .. }
            | Self::Emptied { .. }
            | Self::KeyMissing { .. }
            | Self::KeyWrapped { .. }
            | Self::KeyLength { .. }
            | Self::KeyMethod { .. }
            | Self::OtherKey { .. }
            | Self::Seal { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn failed(code: i32) -> VaultError {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        VaultError::sqlite(Path::new("vault.db"), error)
    }

    #[test]
    fn a_vault_that_is_in_use_or_cannot_be_written_is_not_beyond_use() {
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_NOMEM, ffi::SQLITE_IOERR_WRITE] {
            assert!(!failed(code).is_beyond_use(), "{code}");
        }
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_ERROR,
            ffi::SQLITE_IOERR_READ,
        ] {
            assert!(failed(code).is_beyond_use(), "{code}");
        }
    }

    #[test]
    fn what_keeps_a_vault_from_being_written_is_known_from_either_side() {
        let by_system = |kind: io::ErrorKind| {
            VaultError::Unwritable {
                path: "vault.db".into(),
                source: kind.into(),
            }
            .hindrance()
        };
        assert_eq!(failed(ffi::SQLITE_FULL).hindrance(), Some(Hindrance::Full));
        assert_eq!(by_system(io::ErrorKind::StorageFull), Some(Hindrance::Full));
        assert_eq!(
            failed(ffi::SQLITE_READONLY).hindrance(),
            Some(Hindrance::ReadOnly)
        );
        assert_eq!(
            by_system(io::ErrorKind::ReadOnlyFilesystem),
            Some(Hindrance::ReadOnly)
        );
        assert_eq!(
            by_system(io::ErrorKind::PermissionDenied),
            Some(Hindrance::Denied)
        );
        assert_eq!(failed(ffi::SQLITE_IOERR_WRITE).hindrance(), None);
    }

    #[test]
    fn a_failed_read_is_not_called_a_failed_write() {
        let read = failed(ffi::SQLITE_IOERR_READ);
        assert!(matches!(read, VaultError::NotRead { .. }));
        let write = failed(ffi::SQLITE_IOERR_WRITE);
        assert!(matches!(write, VaultError::NotWritten { .. }));
    }
}
