//! The tables of a vault and how older ones become current.

use rusqlite::{Connection, TransactionBehavior};

/// Version of the schema this program writes; kept in SQLite's `user_version`.
pub(super) const CURRENT: u32 = 1;

/// Forward only: step N leads from version N to N + 1, and a released step is never edited.
const STEPS: [&str; CURRENT as usize] = ["
    CREATE TABLE entry (
        name TEXT PRIMARY KEY,
        plain TEXT,
        sealed BLOB,
        CHECK ((plain IS NULL) <> (sealed IS NULL))
    ) STRICT, WITHOUT ROWID;
"];

/// The version a vault has; 0 for an empty file.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Sets the connection up and brings an older vault to the current version. Returns the version
/// found if it is a newer one, which is left as it is.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<u32> {
    if version(connection)? > CURRENT {
        return version(connection);
    }
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;",
    )?;
    if version(connection)? < CURRENT {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found = version(&transaction)?;
        for (step, sql) in (0..).zip(STEPS).filter(|(step, _)| *step >= found) {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", step + 1)?;
        }
        transaction.commit()?;
    }
    version(connection)
}
