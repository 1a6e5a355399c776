//! Opening a vault's file, whatever state a crash, a read-only disk or another program left it in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use url::Url;

use super::error::VaultError;
use super::folder::Folder;
use super::schema::{CURRENT, SCHEMA};
use crate::regular_file;
use crate::sqlite::Found;

/// How long a look waits for another process that puts the log in order after a crash.
const LOOK_PATIENCE: Duration = Duration::from_millis(250);

/// Whether there is a vault's file; SQLite would wait at a pipe and follow a link.
pub(super) fn is_file(folder: &Folder) -> Result<bool, VaultError> {
    let path = folder.vault_path();
    match fs::symlink_metadata(&path) {
        Ok(file) if file.is_file() => Ok(true),
        Ok(_) => Err(VaultError::Unreadable {
            path,
            source: regular_file::not_regular(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(VaultError::Unreadable { path, source }),
    }
}

/// SQLite refuses a link anywhere in the path, but only in the folder it would be wrong.
pub(super) fn canonical(folder: &Folder) -> Result<PathBuf, VaultError> {
    let path = folder.vault_path();
    let canonical = fs::canonicalize(folder.path()).map_err(|source| VaultError::Unreadable {
        path: folder.path().to_owned(),
        source,
    })?;
    Ok(path
        .file_name()
        .map_or_else(|| path.clone(), |name| canonical.join(name)))
}

pub(super) fn is_empty(path: &Path, found: &Found) -> Result<bool, VaultError> {
    let path = path.to_owned();
    match found {
        Found::Empty => Ok(true),
        Found::Ours(_) => Ok(false),
        Found::Newer(found) => Err(VaultError::OtherVersion {
            path,
            found: *found,
            known: CURRENT,
        }),
        Found::Foreign => Err(VaultError::Foreign { path }),
    }
}

pub(super) fn uri(path: &Path) -> rusqlite::Result<Url> {
    Url::from_file_path(path).map_err(|()| rusqlite::Error::InvalidPath(path.to_owned()))
}

fn open_as(uri: &Url, mode: &str, access: OpenFlags) -> rusqlite::Result<(Connection, Found)> {
    let flags = access | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(format!("{uri}?{mode}"), flags)?;
    connection.busy_timeout(LOOK_PATIENCE)?;
    let found = SCHEMA.look(&connection)?;
    Ok((connection, found))
}

pub(super) fn open_read_only(uri: &Url) -> rusqlite::Result<(Connection, Found)> {
    open_as(uri, "mode=ro", OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// `may_undo`: whether what a power cut left of a change may be undone.
pub(super) fn open_to_look(path: &Path, may_undo: bool) -> rusqlite::Result<(Connection, Found)> {
    let uri = uri(path)?;
    open_read_only(&uri).or_else(|error: rusqlite::Error| {
        // Without a log no one is writing; on a read-only disk SQLite can't make the files it would
        // need to wait for a writer, and has to be told that none will come.
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        match error.sqlite_error() {
            // What a power cut left of a change has to be undone before anything can be read.
            Some(error) if may_undo && error.extended_code == ffi::SQLITE_READONLY_ROLLBACK => {
                open_as(&uri, "mode=rw", OpenFlags::SQLITE_OPEN_READ_WRITE)
            }
            Some(error)
                if matches!(error.code, ErrorCode::CannotOpen | ErrorCode::ReadOnly)
                    && !Path::new(&log).exists() =>
            {
                open_as(&uri, "immutable=1", OpenFlags::SQLITE_OPEN_READ_ONLY)
            }
            _ => Err(error),
        }
    })
}
