//! SQLite files, as the vault and the server keep theirs: whose a file is, how an older one becomes
//! current, and what a failure means.

mod backup;
mod failure;
mod schema;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub(crate) use failure::Failure;
pub(crate) use schema::{Found, Schema, Unusable};

/// How long to wait for another process that writes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Opens a file that is there, and changes nothing in it. One that SQLite made would be readable by
/// all, and would stand where a disk is to be mounted again.
pub(crate) fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Has what is committed survive a power cut, and readers not wait for the one that writes. Only for a
/// file that is ours: it is changed by this.
pub(crate) fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL")
}
