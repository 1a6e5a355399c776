//! Whether the files of an open database are still where they are looked for: what is written into one that was
//! renamed, replaced or removed, nobody finds.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Which file a name leads to: its device and number there.
type Identity = (u64, u64);

/// The files of a database as they were when it was opened.
#[derive(Debug)]
pub(super) struct Place {
    database: File,
    /// What is committed and not yet in the database, and who reads it. Both are there as long as somebody has
    /// the database open.
    beside: [File; 2],
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    identity: Option<Identity>,
}

impl File {
    fn at(path: PathBuf) -> Self {
        let identity = identity(&path);
        Self { path, identity }
    }

    fn is_kept(&self) -> bool {
        self.identity.is_some() && identity(&self.path) == self.identity
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let file = fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

impl Place {
    /// Where the files of the database in `path` are, which somebody has open.
    pub(super) fn of(path: &Path) -> Self {
        // SQLite looks for them beside the file itself, wherever a link to it is.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let beside = |end: &str| {
            let mut name = real.clone().into_os_string();
            name.push(end);
            File::at(name.into())
        };
        Self {
            database: File::at(path.to_owned()),
            beside: ["-wal", "-shm"].map(beside),
        }
    }

    /// Whether the database is where it was.
    pub(super) fn has_database(&self) -> bool {
        self.database.is_kept()
    }

    /// Whether another file is in the place of the database, and the log is where it was.
    pub(super) fn is_log_beside_another(&self) -> bool {
        let there = identity(&self.database.path);
        let [log, _] = &self.beside;
        let has_content = || fs::metadata(&log.path).is_ok_and(|log| log.len() > 0);
        there.is_some() && there != self.database.identity && log.is_kept() && has_content()
    }

    /// Whether all of it is.
    pub(super) fn is_kept(&self) -> bool {
        self.has_database() && self.beside.iter().all(File::is_kept)
    }
}
