//! Opening a server's database.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::place::Place;
use super::reopen_error::ReopenError;
use super::schema;
use crate::server::store::driver::Purpose;
use crate::sqlite::{self, Failure, Found, Unusable};

/// Prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;

/// Kibibytes of pages that a connection which reads keeps: with SQLite's own 2,000, callers at random leave few of
/// 10,000 devices there.
const READER_CACHE: i64 = 8 * 1024;

/// A connection and where the files are that it has open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) place: Place,
}

/// Where a database is, and what makes it the one that was in use.
#[derive(Clone, Debug)]
pub(super) struct Home {
    path: Arc<Path>,
    /// What tells the secret that it was made with.
    check: [u8; 32],
    purpose: Purpose,
}

impl Home {
    pub(super) fn new(path: &Path, check: [u8; 32], purpose: Purpose) -> Self {
        Self {
            path: path.into(),
            check,
            purpose,
        }
    }

    /// Where the files are that somebody has open.
    pub(super) fn place(&self) -> Place {
        Place::of(&self.path)
    }

    /// The database as this connection has it open.
    pub(super) fn opened(&self, connection: Connection) -> Opened {
        let place = self.place();
        Opened { connection, place }
    }

    /// Opens a connection that may write to the database, which was in use before.
    pub(super) fn reopen_writer(&self) -> Result<Opened, ReopenError> {
        let connection = match open_writer(&self.path) {
            Ok((connection, true)) => connection,
            Ok((_, false)) => return Err(ReopenError::Another("an empty file")),
            Err(Unusable::Sqlite(error)) => return Err(error.into()),
            Err(_) => return Err(ReopenError::Another("another database")),
        };
        self.expect_ours(&connection)?;
        let opened = self.opened(connection);
        match opened.place.is_kept() {
            true => Ok(opened),
            false => Err(ReopenError::Away),
        }
    }

    /// Opens a connection that only reads. It does not wait for another process, but for what SQLite itself
    /// waits for where the write-ahead log is locked.
    pub(super) fn open_reader(&self) -> rusqlite::Result<Connection> {
        let connection = open(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(Duration::ZERO)?;
        // Less than nothing means kibibytes.
        connection.pragma_update(None, "cache_size", -READER_CACHE)?;
        Ok(connection)
    }

    /// Opens the same with all of its files, of which SQLite opens some with the first read only.
    pub(super) fn open_whole_reader(&self) -> rusqlite::Result<Connection> {
        let reader = self.open_reader()?;
        let read = reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
        match read {
            // The first to need it opens them, once the other process is done.
            Err(error) if Failure::of(&error) != Failure::Busy => Err(error),
            _ => Ok(reader),
        }
    }

    /// Whether what is in the place of the database is that, and may be served if it is to be.
    pub(super) fn expect_ours(&self, connection: &Connection) -> Result<(), ReopenError> {
        match schema::SCHEMA.look(connection)? {
            Found::Ours(schema::CURRENT) => {}
            Found::Ours(_) => {
                return Err(ReopenError::Another("the database of an older gatehand"));
            }
            Found::Newer(_) => {
                return Err(ReopenError::Another("the database of a newer gatehand"));
            }
            Found::Empty => return Err(ReopenError::Another("an empty file")),
            Found::Foreign => return Err(ReopenError::Another("another database")),
        }
        if schema::key_check(connection)? != self.check {
            return Err(ReopenError::Another("a database with another secret"));
        }
        if self.purpose == Purpose::Serving && is_unconfirmed(connection)? {
            return Err(ReopenError::Unconfirmed);
        }
        Ok(())
    }
}

fn is_unconfirmed(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM backup WHERE confirmed IS NULL";
    let found: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(found.is_some())
}

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

fn open(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = sqlite::open(path, access)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else it makes the plan of most statements anew whenever another value is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}
