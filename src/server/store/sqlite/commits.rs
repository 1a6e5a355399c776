//! Looking up how a transaction ended whose COMMIT failed.
//!
//! Each changing transaction stores a random mark of its own. A COMMIT that fails while it writes or
//! syncs may have put all of it into the write-ahead log, where a later start would find it. So the
//! mark is looked up from a new connection: if it is there, the transaction stands, once all is
//! on the disk; if not, the same mark is stored as refused, which overwrites whatever the failed
//! COMMIT left, and the transaction can't come back.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::connection::reopen_writer;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

/// Names one transaction.
pub(super) type Mark = [u8; 16];

/// Marks the transaction that is open, and forgets the mark of one whose end is known.
pub(super) fn mark(
    connection: &Connection,
    mark: &Mark,
    known: Option<&Mark>,
) -> rusqlite::Result<()> {
    if let Some(known) = known {
        connection
            .prepare_cached("DELETE FROM commit_mark WHERE id = ?1")?
            .execute([known])?;
    }
    store(connection, mark, true)
}

fn store(connection: &Connection, mark: &Mark, stands: bool) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO commit_mark (id, created, stands) VALUES (?1, ?2, ?3)")?
        .execute(params![mark, Timestamp::now().as_microsecond(), stands])?;
    Ok(())
}

/// Finds out whether the transaction with this mark stands, for good. Returns the connection too.
pub(super) fn settle(path: &Path, mark: &Mark) -> rusqlite::Result<(bool, Connection)> {
    let connection = reopen_writer(path)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let found: Option<bool> = connection
        .prepare_cached("SELECT stands FROM commit_mark WHERE id = ?1")?
        .query_row([mark], |row| row.get(0))
        .optional()?;
    let stands = match found {
        None => {
            store(&connection, mark, false)?;
            connection.execute_batch("COMMIT")?;
            false
        }
        Some(stands) => {
            connection.execute_batch("ROLLBACK")?;
            // It was read from the log, which failed to be synced: what is in the database is.
            let is_busy: bool =
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if is_busy {
                return Err(rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                    Some("the write-ahead log is in use".to_owned()),
                ));
            }
            stands
        }
    };
    Ok((stands, connection))
}

/// Forgets the marks that nobody will look up any more.
pub(super) fn sweep(session: &mut dyn Session, before: Timestamp) -> Result<(), StoreError> {
    session.execute(
        "DELETE FROM commit_mark WHERE created < ?1",
        values![before],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::store;

    #[test]
    fn a_transaction_stands_if_its_mark_is_there_and_else_never_will() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.db");
        drop(store::open(&path.clone().into(), None).unwrap());
        let writer = reopen_writer(&path).unwrap();
        mark(&writer, &[1; 16], None).unwrap();
        for _ in 0..2 {
            assert!(settle(&path, &[1; 16]).unwrap().0);
            assert!(!settle(&path, &[2; 16]).unwrap().0);
        }
        assert!(mark(&writer, &[2; 16], None).is_err());
        mark(&writer, &[3; 16], Some(&[1; 16])).unwrap();
        assert!(!settle(&path, &[1; 16]).unwrap().0);
    }

    #[test]
    fn nothing_is_said_of_a_transaction_that_cannot_be_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.db");
        drop(store::open(&path.clone().into(), None).unwrap());
        let writer = reopen_writer(&path).unwrap();
        mark(&writer, &[1; 16], None).unwrap();
        let reader = reopen_writer(&path).unwrap();
        let mut rows = reader.prepare("SELECT id FROM commit_mark").unwrap();
        let mut rows = rows.query([]).unwrap();
        rows.next().unwrap();
        assert!(settle(&path, &[1; 16]).is_err(), "the log is in use");
    }

    #[test]
    fn a_missing_database_is_not_made_anew_nor_is_an_empty_file_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.db");
        for makes_empty in [false, true] {
            if makes_empty {
                std::fs::write(&path, "").unwrap();
            }
            let error = settle(&path, &[1; 16]).map(|_| ()).unwrap_err();
            assert_eq!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::CannotOpen),
                "{error}"
            );
            assert_eq!(path.exists(), makes_empty);
        }
    }
}
