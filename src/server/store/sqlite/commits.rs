//! Looking up how a transaction ended whose COMMIT failed.
//!
//! Each changing transaction stores a random mark of its own. A COMMIT that fails while it writes or
//! syncs may have put all of it into the write-ahead log, where a later start would find it. So the
//! mark is looked up from a new connection: if it is there, the transaction stands, once all is
//! on the disk; if not, the same mark is stored as refused, which overwrites whatever the failed
//! COMMIT left, and the transaction can't come back.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::connection::{Home, Opened};
use super::place::Place;
use super::reopen_error::ReopenError;
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

/// Finds out whether the transaction with this mark stands, for good, in the file in which it was ended. Returns
/// the connection too.
pub(super) fn settle(
    home: &Home,
    ended_in: &Place,
    mark: &Mark,
) -> Result<(bool, Opened), ReopenError> {
    let opened = home.reopen_writer()?;
    // Another file says nothing of what that one holds, which may come back.
    if !ended_in.has_database() {
        return Err(ReopenError::Away);
    }
    let connection = &opened.connection;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let found: Option<bool> = connection
        .prepare_cached("SELECT stands FROM commit_mark WHERE id = ?1")?
        .query_row([mark], |row| row.get(0))
        .optional()?;
    let stands = match found {
        None => {
            store(connection, mark, false)?;
            connection.execute_batch("COMMIT")?;
            false
        }
        Some(stands) => {
            connection.execute_batch("ROLLBACK")?;
            // It was read from the log, which failed to be synced: what is in the database is.
            let is_busy: bool =
                connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if is_busy {
                let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                let words = "the write-ahead log is in use".to_owned();
                return Err(rusqlite::Error::SqliteFailure(busy, Some(words)).into());
            }
            stands
        }
    };
    Ok((stands, opened))
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
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::server::store;
    use crate::server::store::driver::Purpose;
    use crate::server::store::sqlite::schema;

    struct Made {
        _folder: tempfile::TempDir,
        path: PathBuf,
        home: Home,
    }

    impl Made {
        fn make() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("server.db");
            drop(store::open(&path.clone().into(), None).unwrap());
            let check = schema::key_check(&Connection::open(&path).unwrap()).unwrap();
            let home = Home::new(&path, check, Purpose::Administering);
            Self {
                _folder: folder,
                path,
                home,
            }
        }

        fn settle(&self, ended_in: &Opened, number: u8) -> Result<bool, ReopenError> {
            let settled = settle(&self.home, &ended_in.place, &[number; 16]);
            settled.map(|(stands, _)| stands)
        }
    }

    #[test]
    fn a_transaction_stands_if_its_mark_is_there_and_else_never_will() {
        let made = Made::make();
        let writer = made.home.reopen_writer().unwrap();
        mark(&writer.connection, &[1; 16], None).unwrap();
        for _ in 0..2 {
            assert!(made.settle(&writer, 1).unwrap());
            assert!(!made.settle(&writer, 2).unwrap());
        }
        assert!(mark(&writer.connection, &[2; 16], None).is_err());
        mark(&writer.connection, &[3; 16], Some(&[1; 16])).unwrap();
        assert!(!made.settle(&writer, 1).unwrap());
    }

    #[test]
    fn nothing_is_said_of_a_transaction_that_cannot_be_looked_up() {
        let made = Made::make();
        let writer = made.home.reopen_writer().unwrap();
        mark(&writer.connection, &[1; 16], None).unwrap();
        let reader = made.home.reopen_writer().unwrap().connection;
        let mut rows = reader.prepare("SELECT id FROM commit_mark").unwrap();
        let mut rows = rows.query([]).unwrap();
        rows.next().unwrap();
        assert!(made.settle(&writer, 1).is_err(), "the log is in use");
    }

    #[test]
    fn nothing_is_said_of_a_transaction_that_another_file_took_the_place_of() {
        let (made, other) = (Made::make(), Made::make());
        let writer = made.home.reopen_writer().unwrap();
        mark(&writer.connection, &[1; 16], None).unwrap();
        fs::rename(&made.path, made.path.with_extension("away")).unwrap();
        let is_missing = |error: &ReopenError| match error {
            ReopenError::Sqlite(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
            }
            _ => false,
        };
        assert!(is_missing(&made.settle(&writer, 1).unwrap_err()));
        assert!(!made.path.exists(), "none is made");
        for end in ["-wal", "-shm"] {
            let beside = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
            let away = made.path.with_extension("away");
            fs::rename(beside(&made.path), beside(&away)).unwrap();
        }
        fs::write(&made.path, "").unwrap();
        let error = made.settle(&writer, 1).unwrap_err();
        assert!(
            matches!(error, ReopenError::Another("an empty file")),
            "{error}"
        );
        fs::copy(&other.path, &made.path).unwrap();
        let error = made.settle(&writer, 1).unwrap_err();
        assert!(
            matches!(
                error,
                ReopenError::Another("a database with another secret")
            ),
            "{error}"
        );
        // A copy has the same secret, and is another file all the same.
        fs::copy(made.path.with_extension("away"), &made.path).unwrap();
        assert!(matches!(made.settle(&writer, 1), Err(ReopenError::Away)));
    }
}
