//! A look at an SQLite file: what SQLite finds wrong with it, and whether all is there that should be.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::schema::{CURRENT, SCHEMA};
use super::session::SqliteSession;
use crate::server::store::error::StoreError;
use crate::server::store::inspected::{Indexes, Orphans, Own};
use crate::server::store::open_error::OpenFailure;
use crate::server::store::session::{Session, values};
use crate::sqlite::{self, Found, Unusable};

/// Faults that are told at most.
const FAULTS: usize = 20;

/// What an index is made by, by its name.
type Made = BTreeMap<String, String>;

/// Hands what the file tells about itself to `work`, with its contents as they are at one time.
pub(in crate::server::store) fn inspect<T>(
    path: &Path,
    work: impl FnOnce(Own, &mut dyn Session) -> Result<T, OpenFailure>,
) -> Result<T, OpenFailure> {
    if path.is_dir() {
        return Err(OpenFailure::Folder);
    }
    // What is open to be read only leaves its log behind where nobody else has it open.
    let connection = sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .or_else(|_| sqlite::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    let version = match SCHEMA.look(&connection)? {
        Found::Ours(found) => found,
        Found::Newer(found) => {
            return Err(Unusable::Newer {
                found,
                known: CURRENT,
            }
            .into());
        }
        Found::Empty | Found::Foreign => return Err(OpenFailure::Foreign),
    };
    connection.execute_batch("BEGIN")?;
    let mut session = SqliteSession(&connection);
    let session: &mut dyn Session = &mut session;
    let own = Own {
        version: (version, CURRENT),
        damage: damage(session),
        looked_for: "SQLite finds its pages, rows and indexes whole",
        indexes: indexes(&connection).map_err(StoreError::from),
        references: references(session),
        clock: Ok(None),
        behind: Ok(Vec::new()),
    };
    work(own, session)
}

fn damage(session: &mut dyn Session) -> Result<Vec<String>, StoreError> {
    let sql = format!("PRAGMA integrity_check({FAULTS})");
    let mut faults: Vec<String> = session.rows(&sql, values![], |columns| columns.next())?;
    faults.retain(|fault| fault != "ok");
    Ok(faults)
}

/// Rows whose references lead nowhere, by table.
fn references(session: &mut dyn Session) -> Result<Vec<Orphans>, StoreError> {
    let mut broken = BTreeMap::new();
    let sql = "PRAGMA foreign_key_check";
    session.query(sql, values![], &mut |columns| {
        let table: String = columns.next()?;
        *broken.entry(table).or_insert(0) += 1;
        Ok(())
    })?;
    let orphans = broken.into_iter().map(|(table, rows)| Orphans {
        what: format!("rows of {table} that refer to something that is not there"),
        rows,
    });
    Ok(orphans.collect())
}

/// The indexes, held against those that the same steps make in an empty database.
fn indexes(connection: &Connection) -> rusqlite::Result<Indexes> {
    let model = Connection::open_in_memory()?;
    for step in SCHEMA.steps {
        model.execute_batch(step)?;
    }
    let (wanted, found) = (made(&model)?, made(connection)?);
    let missing = wanted
        .iter()
        .filter(|(name, sql)| found.get(*name) != Some(sql));
    Ok(Indexes {
        wanted: wanted.len(),
        missing: missing.map(|(name, _)| name.clone()).collect(),
        invalid: Vec::new(),
    })
}

/// Those that were made by a statement: others come with their tables.
fn made(connection: &Connection) -> rusqlite::Result<Made> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}
