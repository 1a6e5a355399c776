//! Whether a vault was changed since it was last read, at next to no cost.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rusqlite::Connection;

use super::opening::{canonical, is_file, open_read_only, uri};
use super::{Folder, VaultError};

/// A vault kept open to notice changes, by whatever process.
pub struct Watch {
    connection: Connection,
    version: i64,
    files: Files,
}

/// Which files vault and key are, if the key is in one: others may be put in their place.
#[derive(PartialEq, Eq)]
struct Files {
    vault: Option<Place>,
    /// With its last change: it may be written anew in its place.
    key: Option<(Place, (i64, i64))>,
}

/// Device and inode.
type Place = (u64, u64);

impl Watch {
    /// Watches from now on: begin before reading what is to be kept. `None` if there is no vault, or
    /// none that can be watched, as on a disk that can't be written.
    pub fn begin(folder: &Folder) -> Result<Option<Self>, VaultError> {
        if !is_file(folder)? {
            return Ok(None);
        }
        let files = Files::of(folder);
        let path = canonical(folder)?;
        let failed = |source| VaultError::sqlite(&path, source).when_reading();
        let uri = uri(&path).map_err(failed)?;
        // No other way of looking: one would not see changes, the other might change something itself.
        let Ok((connection, _)) = open_read_only(&uri) else {
            return Ok(None);
        };
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
        let file = |path: PathBuf| fs::symlink_metadata(path).ok();
        Self {
            vault: file(folder.vault_path()).as_ref().map(place),
            key: folder
                .key_home()
                .file()
                .and_then(|key| file(key.to_owned()))
                .map(|key| (place(&key), (key.mtime(), key.mtime_nsec()))),
        }
    }
}

fn place(file: &Metadata) -> Place {
    (file.dev(), file.ino())
}

/// A number that changes with each commit of another connection.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("PRAGMA data_version")?;
    statement.query_row([], |row| row.get(0))
}
