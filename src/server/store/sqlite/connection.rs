//! Opening a server's database.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::schema;
use crate::sqlite::{self, Unusable};

/// Prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;

/// Opens a connection that may write, once the file is known to be a server's database.
pub(super) fn open_writer(path: &Path) -> Result<(Connection, bool), Unusable> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Closing another program's database must not take its log into it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log(path))?;
    let is_made = schema::is_made(&connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    sqlite::make_durable(&connection)?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    Ok((connection, is_made))
}

fn has_log(path: &Path) -> bool {
    let mut log = path.canonicalize().unwrap_or_default().into_os_string();
    log.push("-wal");
    Path::new(&log).exists()
}

/// Opens a connection that may write to a database that was in use before.
pub(super) fn reopen_writer(path: &Path) -> rusqlite::Result<Connection> {
    let instead = |what: &str| {
        rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some(format!("{what} is in the place of the database")),
        )
    };
    match open_writer(path) {
        Ok((connection, true)) => Ok(connection),
        Ok((_, false)) => Err(instead("an empty file")),
        Err(Unusable::Sqlite(error)) => Err(error),
        Err(_) => Err(instead("another database")),
    }
}

fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = sqlite::open(path, access)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else it makes the plan of most statements anew whenever another value is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Opens a connection that only reads. It does not wait for another process, but for what SQLite itself
/// waits for where the write-ahead log is locked.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}
