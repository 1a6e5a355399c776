//! The connections: one that writes, and readers that never wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::StoreError;
use super::advice::FAULT;
use super::schema;
use crate::sqlite::{self, Unusable};

/// Prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;
/// Readers at most; more than there are processors would only wait for each other.
const READERS: usize = 8;

/// Opens a connection that may write, once the file is known to be a server's database.
pub(super) fn open_writer(path: &Path) -> Result<(Connection, bool), Unusable> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let is_made = schema::is_made(&connection)?;
    sqlite::make_durable(&connection)?;
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    Ok((connection, is_made))
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
