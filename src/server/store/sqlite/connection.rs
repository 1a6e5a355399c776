//! The connections: one that writes, and readers that never wait for it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::StoreError;
use super::advice::FAULT;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;
/// Readers at most; more than there are processors would only wait for each other.
const READERS: usize = 8;

/// Opens a connection that may write. Creates the file, readable by its owner only.
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
    )?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    Ok(connection)
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
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Semaphore,
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
            let reader = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = match reader {
                Some(reader) => reader,
                None => open(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            };
            let transaction = reader.transaction()?;
            let done = work(&transaction);
            transaction.finish()?;
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
            done
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| failed(error.into()))?
    }
}
