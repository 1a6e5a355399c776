//! The connections that read. They never wait for the one that writes.
//!
//! A read is done in place, on the thread that asks for it: handing it to another thread takes longer
//! than the read. As many places as the runtime has threads, less one, leave that one to all that must
//! not wait for the disk, such as deadlines.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::connection::open_reader;
use super::session::SqliteSession;
use super::watch::Watch;
use crate::server::store::driver::State;
use crate::server::store::error::{FAULT, StoreError};
use crate::server::store::session::Session;
use crate::sqlite::{Failure, PATIENCE};

/// Readers at most; more than there are processors would only wait for each other.
const READERS: usize = 8;

/// Connections that only read.
pub(super) struct Readers {
    path: Arc<Path>,
    idle: Arc<Idle>,
    places: Semaphore,
    watch: Watch,
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

    /// Does `work` with a reader that is idle, or a new one.
    fn read<T>(
        &self,
        path: &Path,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (round, reader) = {
            let mut round = self.round();
            (round.number, round.readers.pop())
        };
        let reader = match reader {
            Some(reader) => reader,
            None => open_reader(path)?,
        };
        let done = read_with(&reader, work)?;
        let mut now = self.round();
        if now.number == round {
            now.readers.push(reader);
        }
        done
    }
}

/// The outer error is the transaction's: the reader is of no use then.
fn read_with<T>(
    reader: &Connection,
    work: impl Fn(&mut dyn Session) -> Result<T, StoreError>,
) -> rusqlite::Result<Result<T, StoreError>> {
    reader.prepare_cached("BEGIN")?.execute([])?;
    let done = work(&mut SqliteSession(reader));
    reader.prepare_cached("COMMIT")?.execute([])?;
    Ok(done)
}

fn fault(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Database {
        advice: FAULT,
        source: error.into(),
    }
}

/// Opens a reader with all of its files, of which SQLite opens some with the first read only.
fn open_whole_reader(path: &Path) -> rusqlite::Result<Connection> {
    let reader = open_reader(path)?;
    let read = reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    match read {
        // The first to need it opens them, once the other process is done.
        Err(error) if Failure::of(&error) != Failure::Busy => Err(error),
        _ => Ok(reader),
    }
}

/// Whether it was another process that kept SQLite from doing it.
fn is_busy(error: &StoreError) -> bool {
    let StoreError::Database { source, .. } = error else {
        return false;
    };
    let error = source.downcast_ref::<rusqlite::Error>();
    error.is_some_and(|error| Failure::of(error) == Failure::Busy)
}

impl Readers {
    /// Opens them, so that no want of files or memory keeps them from being there later.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let threads = Handle::try_current().map_or(1, |handle| handle.metrics().num_workers());
        let places = threads.saturating_sub(1).clamp(1, READERS);
        let readers = (0..places).map(|_| open_whole_reader(path));
        let round = Round {
            number: 0,
            readers: readers.collect::<Result<_, _>>()?,
        };
        Ok(Self {
            path: path.into(),
            idle: Arc::new(Idle(Mutex::new(round))),
            places: Semaphore::new(places),
            watch: Watch::begin(0, open_whole_reader(path)?),
        })
    }

    /// Those that wait for work, but not kept open: the writer has to be the last to close.
    pub(super) fn idle(&self) -> Weak<Idle> {
        Arc::downgrade(&self.idle)
    }

    /// The state that the database is in now. Whatever keeps it from being told, a read meets it too.
    pub(super) async fn state(&self) -> Option<State> {
        let _place = self.places.acquire().await.ok()?;
        let round = self.idle.round().number;
        self.watch.state(&self.path, round).ok()
    }

    /// Does `work` on a state of the database that does not change meanwhile.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.places.acquire().await.map_err(fault)?;
        let busy = match self.idle.read(&self.path, &work) {
            Err(error) if is_busy(&error) => error,
            done => return done,
        };
        // Seldom: another process puts the log in order. That is waited for where it stops nobody.
        tracing::debug!(error = %busy, "a read waits for another process");
        let path = Arc::clone(&self.path);
        let wait = move || {
            let reader = open_reader(&path)?;
            reader.busy_timeout(PATIENCE)?;
            read_with(&reader, work)?
        };
        tokio::task::spawn_blocking(wait).await.map_err(fault)?
    }
}
