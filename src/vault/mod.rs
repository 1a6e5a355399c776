//! The vault: one SQLite file that keeps a device's identity and, sealed, its secrets.
//!
//! An entry is either plain text, which anyone who can open the file may read, or sealed under a
//! key that is not in the file (see [`KeyFile`]). A sealed entry is bound to its name and to a
//! context the caller gives: moved to another row, or set beside another context, it does not open.
//!
//! All entries of a [`Vault::change`] are committed together or not at all, and survive a power cut
//! once it has returned.

mod change;
mod entry;
mod error;
mod events;
mod folder;
mod handover;
mod key_file;
mod key_home;
mod key_place;
mod opening;
mod privacy;
#[cfg(feature = "cli")]
mod rekey;
mod right_key;
mod schema;
#[cfg(test)]
mod tests;
#[cfg(feature = "cli")]
mod unfinished;
mod volatile;
mod watch;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::failpoint;
use crate::private_file;
use crate::seal::SealingKey;
use crate::sqlite;

pub use change::Change;
use entry::{HAS_SEALED, PLAIN, RESERVE, SEALED, column, purpose};
pub use error::{Hindrance, VaultError};
pub use folder::Folder;
pub use key_file::KeyFile;
pub use key_place::{CREDENTIAL, KeyPlace};
use opening::{canonical, is_empty, is_file, open_to_look};
#[cfg(feature = "cli")]
pub use rekey::{KeyStore, NewHome, Recovery, Rekey, StoreError, rekey};
use right_key::{current_key, key_of};
pub use schema::CURRENT as SCHEMA_VERSION;
use schema::SCHEMA;
#[cfg(feature = "cli")]
pub use unfinished::{Move, finish_move, has_unfinished_move};
pub use watch::Watch;

/// Room that [`Vault::begin`] proves to be there, in bytes: more than any answer that is stored.
const RESERVED: usize = 64 * 1024;

/// An open vault.
pub struct Vault {
    connection: Connection,
    key: Option<Arc<SealingKey>>,
    folder: Folder,
}

/// The right to change a device, held by one process at a time; freed when dropped.
pub struct ChangeLock {
    _file: File,
}

/// Takes the right to change the device in `folder`, or says that another process has it.
pub fn lock(folder: &Folder) -> Result<ChangeLock, VaultError> {
    folder.prepare()?;
    let path = folder.lock_path();
    let unwritable = |source| VaultError::unwritable(&path, source);
    let file = match private_file::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private_file::ensure(&path, &[]).and_then(|()| private_file::open(&path))
        }
        opened => opened,
    };
    let file = file.map_err(unwritable)?;
    // Not the standard library's lock, which has none on Android.
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {
            folder.remove_drafts();
            failpoint::reach("vault: locked");
            tracing::trace!("took the lock {}", path.display());
            Ok(ChangeLock { _file: file })
        }
        Err(Errno::WOULDBLOCK) => Err(VaultError::Busy {
            path: folder.path().to_owned(),
        }),
        Err(error) => Err(unwritable(error.into())),
    }
}

impl Vault {
    /// Opens the vault in `folder`, or makes an empty one.
    pub fn open(folder: &Folder) -> Result<Self, VaultError> {
        folder.prepare()?;
        let keys = folder.keys()?;
        if !is_file(folder)? {
            folder.refuse_if_emptied(keys.has_file)?;
            let path = folder.vault_path();
            private_file::ensure(&path, &[])
                .map_err(|source| VaultError::unwritable(&path, source))?;
        }
        folder.make_vault_private()?;
        let path = canonical(folder)?;
        let failed = |source| VaultError::sqlite(&path, source);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let mut connection = sqlite::open(&path, flags).map_err(failed)?;
        let found = SCHEMA.look(&connection).map_err(failed)?;
        if is_empty(&path, &found)? {
            folder.refuse_if_emptied(keys.has_file)?;
        }
        tracing::debug!("opened the vault {} to change it", path.display());
        failpoint::reach("vault: opened");
        schema::prepare(&mut connection, &path)
            .map_err(|error| VaultError::unusable(&path, error))?;
        failpoint::reach("vault: prepared");
        let key = key_of(&connection, folder, keys)?;
        Ok(Self {
            connection,
            key,
            folder: folder.clone(),
        })
    }

    /// Opens the vault in `folder` to look at it; `None` if there is none.
    ///
    /// Creates and changes no entry, never waits for a writer, and works on a read-only disk.
    pub fn look(folder: &Folder) -> Result<Option<Self>, VaultError> {
        // The key first: where it is, the vault was made before.
        let keys = folder.keys()?;
        if !is_file(folder)? {
            return folder.refuse_if_emptied(keys.has_file).map(|()| None);
        }
        folder.make_vault_private()?;
        let path = canonical(folder)?;
        let failed = |source| VaultError::sqlite(&path, source).when_reading();
        let (connection, found) = open_to_look(&path, !folder.is_left_alone()).map_err(failed)?;
        tracing::debug!("opened the vault {} to read it", path.display());
        // All entries as of one moment, whoever changes them meanwhile.
        connection.execute_batch("BEGIN").map_err(failed)?;
        if is_empty(&path, &found)? {
            return folder.refuse_if_emptied(keys.has_file).map(|()| None);
        }
        let key = key_of(&connection, folder, keys)?;
        Ok(Some(Self {
            connection,
            key,
            folder: folder.clone(),
        }))
    }

    /// Looks at every page of the file.
    #[cfg(feature = "cli")]
    pub fn check_pages(&self) -> Result<(), VaultError> {
        schema::check(&self.connection)
            .map_err(|source| VaultError::sqlite(&self.path(), source).when_reading())
    }

    /// Where the vault is.
    pub fn path(&self) -> PathBuf {
        self.folder.vault_path()
    }

    /// Whether the vault's key lives in a credential.
    #[cfg(feature = "cli")]
    pub fn is_key_in_credential(&self) -> Result<bool, VaultError> {
        Ok(self.plain(entry::KEY_HOME)?.as_deref() == Some(entry::IN_CREDENTIAL))
    }

    /// A plain entry.
    pub fn plain(&self, name: &str) -> Result<Option<String>, VaultError> {
        tracing::trace!("reading {name:?}");
        column(&self.connection, &self.path(), PLAIN, name)
    }

    /// A sealed entry, opened.
    pub fn sealed(
        &self,
        name: &str,
        context: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        tracing::trace!("reading {name:?}, which is sealed");
        let sealed: Option<Vec<u8>> = column(&self.connection, &self.path(), SEALED, name)?;
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        // The key is made before anything is sealed with it, perhaps since this vault was opened.
        let key = match &self.key {
            Some(key) => Arc::clone(key),
            None => key_of(&self.connection, &self.folder, self.folder.keys()?)?
                .ok_or_else(|| self.folder.key_home().missing(&self.path()))?,
        };
        key.unseal(&purpose(name, context), &sealed)
            .map(Some)
            .map_err(|source| VaultError::Seal {
                path: self.path(),
                source,
            })
    }

    /// Whether there is a sealed entry of this name, without opening it.
    pub fn has_sealed(&self, name: &str) -> Result<bool, VaultError> {
        column::<bool>(&self.connection, &self.path(), HAS_SEALED, name)
            .map(|found| found.is_some())
    }

    /// A change whose end needs another one, which may store `more` bytes than an answer is long: proves
    /// that the vault can take that too, by filling its
    /// room on disk now, for the next change to use. If there is no room for both, nothing is changed;
    /// if only the log can't be started over, the change is there and this fails all the same.
    pub fn begin<T, E: From<VaultError>>(
        &mut self,
        more: usize,
        work: impl FnOnce(&Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let done = self.change(|change| {
            let done = work(change)?;
            change.put(RESERVE, &"-".repeat(RESERVED + more))?;
            Ok::<_, E>(done)
        })?;
        failpoint::reach("vault: room reserved");
        // The log starts over on the blocks it has, instead of growing.
        let is_busy: bool = self
            .connection
            .query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0))
            .map_err(|source| VaultError::sqlite(&self.path(), source))?;
        failpoint::reach("vault: log started over");
        if is_busy {
            return Err(E::from(VaultError::Busy {
                path: self.folder.path().to_owned(),
            }));
        }
        Ok(done)
    }

    /// Changes entries in one transaction: all of them or none.
    pub fn change<T, E: From<VaultError>>(
        &mut self,
        work: impl FnOnce(&Change<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let path = self.path();
        let failed = |source| VaultError::sqlite(&path, source);
        if self.key.is_none() {
            self.key = Some(self.folder.key_home().ensure()?);
        }
        let Self {
            connection,
            key,
            folder,
        } = self;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        // Another process may have moved the vault to another key since it was opened.
        if let Some(now) = current_key(&transaction, folder, key.as_ref())? {
            *key = Some(now);
        }
        let change = Change {
            transaction,
            key: key
                .as_deref()
                .ok_or_else(|| folder.key_home().missing(&path))?,
            path: &path,
        };
        change.make_room()?;
        change.check_key_from_now_on(folder.key_home().has_credential())?;
        let done = work(&change)?;
        failpoint::reach("vault: before commit");
        change.transaction.commit().map_err(failed)?;
        failpoint::reach("vault: committed");
        tracing::debug!("stored the change in the vault");
        Ok(done)
    }

    /// Empties the log, in which sealed entries that were removed still stand. Readers may keep it
    /// from being emptied now; closing the vault for the last time does it too.
    pub fn wipe_log(&self) {
        let wiped = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = wiped {
            tracing::warn!(%error, "the vault's log still holds what was removed, sealed");
        }
    }
}
