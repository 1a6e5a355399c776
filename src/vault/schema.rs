//! The tables of a vault and how older ones become current.

use rusqlite::{Connection, TransactionBehavior, ffi};

use crate::failpoint;

/// Version of the schema this program writes; kept in SQLite's `user_version`.
pub const CURRENT: i64 = 1;
/// Kept in SQLite's `application_id`, so that another program's database is not taken for a vault.
const APPLICATION_ID: i64 = 0x6761_7468; // "gath"

/// Forward only: step N leads from version N to N + 1, and a released step is never edited.
const STEPS: [&str; CURRENT as usize] = ["
    CREATE TABLE entry (
        name TEXT PRIMARY KEY,
        plain TEXT,
        sealed BLOB,
        CHECK ((plain IS NULL) <> (sealed IS NULL))
    ) STRICT, WITHOUT ROWID;
"];

/// What a file turns out to be.
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A vault of this or an older version.
    Vault,
    /// A vault of this newer version.
    Newer(i64),
    /// A database of something else.
    Foreign,
}

/// Tells what a file is, and changes nothing.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = number("PRAGMA user_version")?;
    let application = number("PRAGMA application_id")?;
    if version == 0 && application == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        Ok(Found::Empty)
    } else if application != APPLICATION_ID || version < 1 {
        Ok(Found::Foreign)
    } else if version > CURRENT {
        Ok(Found::Newer(version))
    } else {
        Ok(Found::Vault)
    }
}

/// Sets the connection up, makes an empty file a vault and brings an older one to the current version.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
    )?;
    let version = |connection: &Connection| {
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))
    };
    if version(connection)? < CURRENT {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = version(&transaction)?;
        for (step, sql) in (0..).zip(STEPS).filter(|(step, _)| *step >= found) {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", step + 1)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        failpoint::reach("vault: before its tables are there");
        transaction.commit()?;
        failpoint::reach("vault: its tables are there");
    }
    check(connection)
}

/// Looks at every page, so that a damaged one is found before a token is spent. A vault has a few.
fn check(connection: &Connection) -> rusqlite::Result<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_CORRUPT),
        Some(verdict),
    ))
}
