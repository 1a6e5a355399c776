//! Whether a vault was changed since it was last read, at next to no cost.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::Connection;

use super::{Folder, VaultError, canonical, is_file, open_to_look};

/// A vault kept open to notice changes, by whatever process.
pub struct Watch {
    connection: Connection,
    version: i64,
    files: Files,
}

/// Which files vault and key are: others may be put in their place.
#[derive(PartialEq, Eq)]
struct Files {
    vault: Option<Mark>,
    key: Option<Mark>,
}

/// Device, inode, and for a key its last change.
type Mark = (u64, u64, Option<(i64, i64)>);

impl Watch {
    /// Watches from now on: begin before reading what is to be kept. `None` if there is no vault.
    pub fn begin(folder: &Folder) -> Result<Option<Self>, VaultError> {
        if !is_file(folder)? {
            return Ok(None);
        }
        let files = Files::of(folder);
        let path = canonical(folder)?;
        let failed = |source| VaultError::sqlite(&path, source).when_reading();
        let (connection, _) = open_to_look(&path).map_err(failed)?;
        let version = version(&connection).map_err(failed)?;
        Ok(Some(Self {
            connection,
            version,
            files,
        }))
    }

    /// Whether what was read is still so. Doubt counts as a change.
    pub fn is_unchanged(&self, folder: &Folder) -> bool {
        self.files == Files::of(folder)
            && version(&self.connection).is_ok_and(|version| version == self.version)
    }
}

impl Files {
    fn of(folder: &Folder) -> Self {
        Self {
            vault: mark(&folder.vault_path(), false),
            key: mark(&folder.key_path(), true),
        }
    }
}

fn mark(path: &Path, is_written_once: bool) -> Option<Mark> {
    let file = fs::symlink_metadata(path).ok()?;
    let change = is_written_once.then(|| (file.mtime(), file.mtime_nsec()));
    Some((file.dev(), file.ino(), change))
}

/// A number that changes with each commit of another connection.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}
