//! Whether a vault was changed since it was last read, at next to no cost.
//!
//! The kernel is asked whether anything has happened to the files, which is one call: what another process has changed
//! before that is seen. Only if something has happened, or it was not looked for a moment, are the files themselves looked
//! at.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::events::{Events, News};
use super::folder::VAULT;
use super::opening::{canonical, is_file, open_read_only, uri};
use super::{Folder, VaultError};

/// A vault kept open to notice changes, by whatever process.
pub struct Watch {
    connection: Connection,
    version: i64,
    vault: PathBuf,
    /// If it is in a file.
    key: Option<PathBuf>,
    found: Found,
    /// Without them, as where too many are watched, the files are looked at each time.
    events: Option<Events>,
    /// When the files were last looked at.
    looked: Option<Instant>,
    /// When a change was last under way.
    under_way: Option<Instant>,
}

/// How long nothing but events is asked for: they don't tell of what stands before the folder, as a file system that was
/// mounted there.
const MOMENT: Duration = Duration::from_millis(2);

/// For how long the files are looked at each time after one was written: a change is told when it is written, and holds
/// a little later, when the disk has it.
const SETTLING: Duration = Duration::from_secs(10);

/// Which files vault and key are: others may be put in their place.
#[derive(PartialEq, Eq)]
struct Found {
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
        let (vault, key) = (folder.vault_path(), folder.key_home().file());
        let events = Events::of(
            &[Some(&*vault), key]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
            VAULT,
        );
        let found = Found::at(&vault, key);
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
            key: key.map(Path::to_owned),
            vault,
            found,
            events: events.ok(),
            looked: None,
            under_way: None,
        }))
    }

    /// Whether what was read is still so. Doubt counts as a change.
    pub fn is_unchanged(&mut self) -> bool {
        let now = Instant::now();
        let news = self.events.as_ref().map(Events::take);
        if news == Some(News::UnderWay) {
            self.under_way = Some(now);
        }
        let is_within = |since: Option<Instant>, time| {
            since.is_some_and(|since| now.duration_since(since) < time)
        };
        if news == Some(News::Nothing)
            && is_within(self.looked, MOMENT)
            && !is_within(self.under_way, SETTLING)
        {
            return true;
        }
        self.looked = Some(now);
        self.found == Found::at(&self.vault, self.key.as_deref())
            && version(&self.connection).is_ok_and(|version| version == self.version)
    }
}

impl Found {
    fn at(vault: &Path, key: Option<&Path>) -> Self {
        let file = |path: &Path| fs::symlink_metadata(path).ok();
        Self {
            vault: file(vault).as_ref().map(place),
            key: key
                .and_then(file)
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
