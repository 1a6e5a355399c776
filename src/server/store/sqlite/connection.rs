//! The connections: one thread that writes, and readers that never wait for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::StoreError;

/// How long to wait for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements each connection keeps: more than there are.
const STATEMENTS: usize = 128;
/// Changes that may wait for the writer; those beyond wait for a place.
const QUEUE: usize = 1024;
/// Changes committed together at most.
const GROUP: usize = 256;
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

/// Hands changes to the thread that writes. What waits together is committed together, which costs
/// one wait for the disk instead of many; each change is still done wholly or not at all.
pub(super) struct Writer {
    /// Taken when the writer is dropped, which ends the thread.
    queue: Option<mpsc::Sender<Change>>,
    thread: Option<JoinHandle<()>>,
}

/// Does its work and returns how to tell the caller once the group is committed, or that it is not.
type Change = Box<dyn FnOnce(&Connection) -> Told + Send>;
type Told = Box<dyn FnOnce(Result<(), Arc<rusqlite::Error>>) + Send>;

impl Writer {
    /// Takes the connection over into a thread, which closes it when the writer is dropped.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("gatehand-writer".into())
            .spawn(move || write_groups(&connection, waiting))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Does `work` in a transaction and returns once it is on disk. An error undoes it.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let change: Change = Box::new(move |connection| {
            let done = in_savepoint(connection, work);
            Box::new(move |committed: Result<(), Arc<rusqlite::Error>>| {
                let result = match (done, committed) {
                    (Ok(done), Ok(())) => Ok(done),
                    (Ok(_), Err(error)) => Err(StoreError::Database(error.into())),
                    (Err(error), _) => Err(error),
                };
                // A caller that has gone need not be told.
                let _ = tell.send(result);
            })
        });
        let queue = self.queue.as_ref().ok_or(StoreError::Unavailable)?;
        let sent = queue.send(change).await;
        sent.map_err(|_| StoreError::Unavailable)?;
        told.await.map_err(|_| StoreError::Unavailable)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        // Whoever dropped the store may take the file away.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn write_groups(connection: &Connection, mut waiting: mpsc::Receiver<Change>) {
    while let Some(first) = waiting.blocking_recv() {
        if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
            // The change is dropped, by which its caller learns that it was not done.
            tracing::error!(%error, "the database can't be written");
            continue;
        }
        let mut told = vec![first(connection)];
        // SQLite itself rolls back on a full disk or an I/O error: then nothing more is begun.
        while told.len() < GROUP
            && !connection.is_autocommit()
            && let Ok(next) = waiting.try_recv()
        {
            told.push(next(connection));
        }
        let committed = connection.execute_batch("COMMIT");
        if committed.is_err() && !connection.is_autocommit() {
            // What can't be rolled back now keeps the next group from beginning, and is logged there.
            let _ = connection.execute_batch("ROLLBACK");
        }
        let committed = committed.map_err(Arc::new);
        for tell in told {
            tell(committed.clone());
        }
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("SAVEPOINT one")?.execute([])?;
    // A panic must not take the thread along that all others wait for.
    let done = catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(StoreError::Database("a change panicked".into())));
    if done.is_err() && !connection.is_autocommit() {
        connection.prepare_cached("ROLLBACK TO one")?.execute([])?;
    }
    if !connection.is_autocommit() {
        connection.prepare_cached("RELEASE one")?.execute([])?;
    }
    done
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
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| StoreError::Unavailable)?;
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
            .map_err(|error| StoreError::Database(error.into()))?
    }
}
