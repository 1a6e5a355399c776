//! The connections: one that writes, and readers that never wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::StoreError;
use super::advice::FAULT;
use super::schema;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;
/// Readers at most; more than there are processors would only wait for each other.
const READERS: usize = 8;

/// Opens a connection that may write. The file has to be there: one that SQLite made would be readable
/// by all, and would stand where a disk is to be mounted again.
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(connection)
}

/// Opens a connection that may write to a database that was in use before.
pub(super) fn reopen_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_writer(path)?;
    match schema::is_made(&connection)? {
        true => Ok(connection),
        false => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some("an empty file is in the place of the database".to_owned()),
        )),
    }
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Connections that only read, opened as they are needed.
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Idle>,
    places: Semaphore,
}

/// Readers that wait for work.
#[derive(Default)]
pub(super) struct Idle(Mutex<Round>);

/// Readers that were opened since the last renewal.
#[derive(Default)]
struct Round {
    number: u64,
    readers: Vec<Connection>,
}

impl Idle {
    /// Has all later work done by readers that are opened anew: the database may be another file than
    /// the one that they have open.
    pub(super) fn renew(&self) {
        let mut round = self.round();
        round.number += 1;
        round.readers.clear();
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> (u64, Option<Connection>) {
        let mut round = self.round();
        (round.number, round.readers.pop())
    }

    fn put(&self, number: u64, reader: Connection) {
        let mut round = self.round();
        if round.number == number {
            round.readers.push(reader);
        }
    }
}

impl Readers {
    pub(super) fn of(path: &Path) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, |count| count.get());
        Self {
            path: path.to_owned(),
            idle: Arc::default(),
            places: Semaphore::new(processors.clamp(2, READERS)),
        }
    }

    /// Those that wait for work, but not kept open: the writer has to be the last to close.
    pub(super) fn idle(&self) -> Weak<Idle> {
        Arc::downgrade(&self.idle)
    }

    /// Does `work` on a state of the database that does not change meanwhile.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = |source| StoreError::Database {
            advice: FAULT,
            source,
        };
        let place = self.places.acquire().await;
        let _place = place.map_err(|error| failed(error.into()))?;
        let (path, idle) = (self.path.clone(), Arc::clone(&self.idle));
        let read = move || {
            let (round, reader) = idle.take();
            let mut reader = match reader {
                Some(reader) => reader,
                None => open(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            };
            let transaction = reader.transaction()?;
            let done = work(&transaction);
            transaction.finish()?;
            idle.put(round, reader);
            done
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| failed(error.into()))?
    }
}
