//! The tables of a vault.

use std::path::Path;

use rusqlite::{Connection, Transaction, ffi};

use crate::failpoint;
use crate::sqlite::{self, Schema, Unusable};

/// All versions of a vault.
pub(super) const SCHEMA: Schema = Schema {
    application_id: 0x6761_7468, // "gath"
    steps: &["
    CREATE TABLE entry (
        name TEXT PRIMARY KEY,
        plain TEXT,
        sealed BLOB,
        CHECK ((plain IS NULL) <> (sealed IS NULL))
    ) STRICT, WITHOUT ROWID;
"],
    known_by: &[],
};

/// Version of the schema this program writes.
pub const CURRENT: u32 = SCHEMA.current();

/// Sets the connection up, makes an empty file a vault and brings an older one to the current version.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), Unusable> {
    sqlite::make_durable(connection)?;
    connection.execute_batch("PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;")?;
    // A current one is only looked at, which needs no room on the disk.
    if SCHEMA.look(connection)? != sqlite::Found::Ours(CURRENT) {
        let unchecked = |_: &Transaction<'_>| Ok(());
        SCHEMA.bring_up(connection, path, unchecked, |_, _| {
            failpoint::reach("vault: before its tables are there");
            Ok::<_, Unusable>(())
        })?;
        failpoint::reach("vault: its tables are there");
    }
    Ok(check(connection)?)
}

/// Looks at every page, so that a damaged one is found before a token is spent. A vault has a few.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_CORRUPT),
        Some(verdict),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_step_is_what_it_was() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vaults");
        for version in 1..=SCHEMA.steps.len() {
            SCHEMA.assert_made(
                version,
                &data.join(format!("version-{version}/enrolled/vault.db")),
            );
        }
    }
}
