//! A database in a file that nobody else has open: a backup, or what is made of one.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::schema::{self, SCHEMA};
use super::session::SqliteSession;
use crate::server::store::error::StoreError;
use crate::server::store::open_error::OpenFailure;
use crate::server::store::session::Session;
use crate::sqlite::{self, Found, Unusable};

/// Pages copied at once: all there are, so that they are of one time.
const ALL: i32 = i32::MAX;

/// What has the numbers go on far behind those that are there, or were.
pub(in crate::server::store) const SKIP_ON: [&str; 5] = [
    "UPDATE sqlite_sequence SET seq = seq + 1000",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'gate', 1000
     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'gate')",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'subevent', 1000
     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'subevent')",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'checkin_list', 1000
     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'checkin_list')",
    "INSERT INTO sqlite_sequence (name, seq) SELECT 'team_token', 1000
     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'team_token')",
];

/// A database that is being made. Nothing of it is sure to be on the disk before its file is synced.
pub(in crate::server::store) struct Standalone(Connection);

impl Standalone {
    /// Makes an empty database of the current version in an empty file, for the secret of this check.
    pub(in crate::server::store) fn make(
        into: &Path,
        check: &[u8; 32],
    ) -> Result<Self, OpenFailure> {
        let mut connection = begin(into)?;
        SCHEMA.bring_up_alone(&mut connection)?;
        let sql = "INSERT INTO installation (id, key_check) VALUES (1, ?1)";
        connection.execute(sql, [check])?;
        Ok(Self(connection))
    }

    /// Copies a server's database, as it is at one time, into an empty file, and brings the copy to the current
    /// version.
    pub(in crate::server::store) fn copy(from: &Path, into: &Path) -> Result<Self, OpenFailure> {
        let from = open_to_look(from)?;
        match SCHEMA.look(&from)? {
            Found::Ours(_) => {}
            Found::Newer(found) => {
                let known = schema::CURRENT;
                return Err(Unusable::Newer { found, known }.into());
            }
            Found::Empty | Found::Foreign => return Err(OpenFailure::Foreign),
        }
        let mut connection = begin(into)?;
        Backup::new(&from, &mut connection)?.run_to_completion(ALL, Duration::ZERO, None)?;
        drop(from);
        // A backup is one file, which can be read wherever it lies.
        connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        connection.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
        SCHEMA.bring_up_alone(&mut connection)?;
        Ok(Self(connection))
    }

    /// What tells the secret that it was made with.
    pub(in crate::server::store) fn key_check(&self) -> Result<[u8; 32], OpenFailure> {
        Ok(schema::key_check(&self.0)?)
    }

    /// Does `work`. What fails leaves a file that is of no use.
    pub(in crate::server::store) fn work<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.0.execute_batch("BEGIN")?;
        let done = work(&mut SqliteSession(&self.0))?;
        self.0.execute_batch("COMMIT")?;
        Ok(done)
    }

    /// Looks whether all of it is whole; else what is not.
    pub(in crate::server::store) fn fault(&self) -> Result<Option<String>, OpenFailure> {
        let sql = "PRAGMA integrity_check(1)";
        let found: String = self.0.query_row(sql, [], |row| row.get(0))?;
        if found != "ok" {
            return Ok(Some(found));
        }
        let mut dangling = self.0.prepare("PRAGMA foreign_key_check")?;
        let mut dangling = dangling.query_map([], |row| row.get::<_, String>(0))?;
        let table = dangling.next().transpose()?;
        Ok(table.map(|table| format!("a row of {table} refers to none")))
    }
}

fn begin(into: &Path) -> rusqlite::Result<Connection> {
    let connection = sqlite::open(into, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // One that is not whole is thrown away, so that it needs no journal to undo it by.
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
    Ok(connection)
}

/// Opens a database in which nothing is changed.
fn open_to_look(path: &Path) -> rusqlite::Result<Connection> {
    sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// What `look` finds in the database that is in this file, if it is one of a server, in whichever version.
pub(in crate::server::store) fn glance<T>(
    path: &Path,
    look: impl FnOnce(&mut dyn Session) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let connection = open_to_look(path)?;
    match SCHEMA.look(&connection)? {
        Found::Ours(_) | Found::Newer(_) => look(&mut SqliteSession(&connection)).map(Some),
        Found::Empty | Found::Foreign => Ok(None),
    }
}

/// Whether there is nothing yet in the file.
pub(in crate::server::store) fn is_empty(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() == 0)
}
