//! The connections that read. They never wait for the one that writes.
//!
//! A read is done by a thread of the runtime: handing it to one that is kept for that takes longer than the read. As
//! many places as the runtime has threads, less one, leave that one to all that must not wait for the disk, such as
//! deadlines.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::Instrument;

use super::connection::Home;
use super::place::Place;
use super::reopen_error::ReopenError;
use super::session::SqliteSession;
use super::watch::Watch;
use crate::server::store::driver::State;
use crate::server::store::error::{FAULT, StoreError};
use crate::server::store::session::Session;
use crate::sqlite::{Failure, PATIENCE};

/// How long what was read before is given again after the files of the database were found where they are: so much longer
/// an old one is believed that another has replaced. What is read or written is looked for at that moment.
const FRESH: Duration = Duration::from_millis(10);

/// Readers at most; more than there are processors would only wait for each other.
const READERS: usize = 8;

/// Connections that only read.
pub(super) struct Readers {
    home: Home,
    idle: Arc<Idle>,
    places: Arc<Semaphore>,
}

/// Readers that wait for work.
#[derive(Default)]
pub(super) struct Idle {
    round: Mutex<Round>,
    watch: Watch,
    /// Told when a reader is not at work any more.
    returned: Condvar,
}

/// Readers that were opened since the last renewal.
#[derive(Default)]
struct Round {
    number: u64,
    readers: Vec<Connection>,
    /// Where the file is that they have open; none is until the next one is opened.
    place: Option<Arc<Place>>,
    /// When it was last found there.
    found: Option<Instant>,
    /// Readers at work, of any round.
    at_work: usize,
    /// Whether none may be opened.
    is_closed: bool,
}

/// A reader at work; counted as long as it is there.
struct AtWork<'i> {
    idle: &'i Idle,
    round: u64,
    /// None where it is to be opened.
    reader: Option<Connection>,
}

impl Idle {
    /// Has all later work done by readers that are opened anew: the database may be another file than
    /// the one that they have open.
    pub(super) fn renew(&self) {
        let mut round = self.round();
        round.renew();
        round.is_closed = false;
    }

    /// Has nothing be read until they are renewed, and waits until no reader is open any more; whether that came
    /// to be in time.
    pub(super) fn close(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        let mut round = self.round();
        round.renew();
        round.is_closed = true;
        while round.at_work > 0 {
            let Some(left) = patience.checked_sub(begun.elapsed()) else {
                return false;
            };
            let waited = self.returned.wait_timeout(round, left);
            round = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(round);
        // Nobody asks it until the next renewal.
        self.watch.close();
        true
    }

    fn round(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a reader, for as long as this is there.
    fn count(&self) -> Result<AtWork<'_>, ReopenError> {
        self.enter(|_| None)
    }

    /// Takes a reader that is idle, or the place of one that is to be opened.
    fn take(&self) -> Result<AtWork<'_>, ReopenError> {
        self.enter(|round| round.readers.pop())
    }

    fn enter(
        &self,
        reader: impl FnOnce(&mut Round) -> Option<Connection>,
    ) -> Result<AtWork<'_>, ReopenError> {
        let mut round = self.round();
        if round.is_closed {
            return Err(ReopenError::Away);
        }
        round.at_work += 1;
        Ok(AtWork {
            idle: self,
            round: round.number,
            reader: reader(&mut round),
        })
    }

    /// Whether nothing is to be read until the writer has closed the database and opened it anew: with some of its
    /// files not where they were, one log would be mistaken for another. It may wait for the disk.
    fn is_away(&self) -> bool {
        let (number, place) = {
            let round = self.round();
            if round.is_closed {
                return true;
            }
            (round.number, round.place.clone())
        };
        let asked = Instant::now();
        let is_kept = place.is_none_or(|place| place.is_kept());
        let mut round = self.round();
        if is_kept && round.number == number {
            round.found = Some(asked);
        }
        !is_kept
    }

    /// The state that the database is in, if a look at memory tells it. The next read sees to it that one does.
    fn state(&self) -> Option<State> {
        let round = self.round();
        if round.is_closed || !round.is_fresh() {
            return None;
        }
        // The file stays open meanwhile.
        self.watch.state(round.number)
    }

    /// Does `work` with a reader that is idle, or a new one; nothing if the database is away.
    fn read<T>(
        &self,
        home: &Home,
        span: Span,
        work: impl Fn(&mut dyn Session) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        if self.is_away() {
            return Ok(None);
        }
        let mut at_work = self.take()?;
        let reader = match at_work.reader.take() {
            Some(reader) => reader,
            None => at_work.open(home)?,
        };
        let done = read_with(&reader, span, work)?;
        at_work.reader = Some(reader);
        at_work.have_watched(home);
        done.map(Some)
    }
}

impl Round {
    /// Whether its files were found where they are a moment ago.
    fn is_fresh(&self) -> bool {
        self.found.is_some_and(|found| found.elapsed() < FRESH)
    }

    fn renew(&mut self) {
        self.number += 1;
        self.readers.clear();
        self.place = None;
        self.found = None;
    }
}

impl AtWork<'_> {
    /// Opens a reader of what is in the database's place, if that is the database.
    fn open(&mut self, home: &Home) -> Result<Connection, StoreError> {
        let known = self.idle.round().place.clone();
        let place = known.unwrap_or_else(|| Arc::new(home.place()));
        let reader = home.open_reader()?;
        home.expect_ours(&reader)?;
        if !place.is_kept() {
            return Err(ReopenError::Away.into());
        }
        let mut round = self.idle.round();
        if round.number == self.round && round.place.is_none() {
            round.place = Some(place);
        }
        Ok(reader)
    }

    /// Has the database watched, if it is not. What keeps it from that, as a log that is put in order, is no want: then
    /// it is read.
    fn have_watched(&self, home: &Home) {
        let watch = &self.idle.watch;
        if watch.is_of(self.round) || watch.open(home, self.round).is_err() {
            return;
        }
        let place = self.idle.round().place.clone();
        if place.is_none_or(|place| !place.is_kept()) {
            watch.close();
        }
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let mut round = self.idle.round();
        round.at_work -= 1;
        // One that failed is of no use, nor is one of an earlier round.
        if let Some(reader) = self.reader.take()
            && round.number == self.round
        {
            round.readers.push(reader);
        }
        let is_awaited = round.is_closed;
        drop(round);
        // The kernel is asked even where nobody waits.
        if is_awaited {
            self.idle.returned.notify_all();
        }
    }
}

/// What came of a read.
pub(super) enum Read<T, W> {
    Done(T),
    /// Nothing: the writer has to open the database anew before this is done.
    Away(W),
}

/// What of a read sees one state of the database.
#[derive(Clone, Copy)]
pub(super) enum Span {
    /// Its one statement, which does so by itself.
    Statement,
    /// All that it asks.
    Transaction,
}

/// The outer error is the transaction's: the reader is of no use then.
fn read_with<T>(
    reader: &Connection,
    span: Span,
    work: impl Fn(&mut dyn Session) -> Result<T, StoreError>,
) -> rusqlite::Result<Result<T, StoreError>> {
    if let Span::Statement = span {
        return Ok(work(&mut SqliteSession(reader)));
    }
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
    pub(super) fn open(home: &Home) -> rusqlite::Result<Self> {
        let threads = Handle::try_current().map_or(1, |handle| handle.metrics().num_workers());
        let places = threads.saturating_sub(1).clamp(1, READERS);
        let readers = (0..places).map(|_| home.open_whole_reader());
        let round = Round {
            readers: readers.collect::<Result<_, _>>()?,
            place: Some(Arc::new(home.place())),
            ..Round::default()
        };
        let idle = Idle {
            round: Mutex::new(round),
            watch: Watch::default(),
            returned: Condvar::new(),
        };
        // So that no want of files keeps it from being watched later. Else the first read sees to that.
        if let Err(error) = idle.watch.open(home, 0) {
            tracing::debug!(%error, "the database is not watched yet");
        }
        Ok(Self {
            home: home.clone(),
            idle: Arc::new(idle),
            places: Arc::new(Semaphore::new(places)),
        })
    }

    /// Those that wait for work, but not kept open: the writer has to be the last to close.
    pub(super) fn idle(&self) -> Weak<Idle> {
        Arc::downgrade(&self.idle)
    }

    /// The state that the database is in now, if that is known without asking the disk.
    pub(super) fn state(&self) -> Option<State> {
        self.idle.state()
    }

    /// Does `work` on a state of the database that does not change meanwhile.
    pub(super) async fn read<T, W>(&self, span: Span, work: W) -> Result<Read<T, W>, StoreError>
    where
        T: Send + 'static,
        W: Fn(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.map_err(fault)?;
        let (home, idle) = (self.home.clone(), Arc::clone(&self.idle));
        // In a task of its own: a disk that hangs holds up its thread and place, not whoever waits for it so long.
        let read = async move {
            let done = idle.read(&home, span, &work);
            (done, work, place)
        };
        let (done, work, _place) = tokio::spawn(read.in_current_span()).await.map_err(fault)?;
        let busy = match done {
            Ok(Some(value)) => return Ok(Read::Done(value)),
            Ok(None) => return Ok(Read::Away(work)),
            Err(error) if is_busy(&error) => error,
            Err(error) => return Err(error),
        };
        // Seldom: another process puts the log in order. That is waited for where it stops nobody.
        tracing::debug!(error = %busy, "a read waits for another process");
        let (home, idle) = (self.home.clone(), Arc::clone(&self.idle));
        let wait = move || {
            let _counted = idle.count()?;
            if idle.is_away() {
                return Err(ReopenError::Away.into());
            }
            let reader = home.open_reader()?;
            reader.busy_timeout(PATIENCE)?;
            home.expect_ours(&reader)?;
            read_with(&reader, span, work)?
        };
        let waited = tokio::task::spawn_blocking(wait).await.map_err(fault)?;
        waited.map(Read::Done)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::server::store;
    use crate::server::store::driver::Purpose;
    use crate::server::store::sqlite::connection::open_writer;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_waits_for_a_disk_that_hangs_still_looks_at_the_clock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.db");
        drop(store::open(&path.clone().into(), None).unwrap());
        let _writer = open_writer(&path).unwrap();
        let home = Home::new(&path, [0; 32], Purpose::Administering);
        let readers = Readers::open(&home).unwrap();
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let hangs = move |_: &mut dyn Session| {
            let _ = released.lock().unwrap().recv();
            Ok(())
        };
        let soon = Duration::from_millis(50);
        let read = tokio::time::timeout(soon, readers.read(Span::Statement, hangs));
        assert!(read.await.is_err());
        assert_eq!(readers.places.available_permits(), 0, "its place is taken");
        release.send(()).unwrap();
        let read = readers.read(Span::Statement, |_: &mut dyn Session| Ok(()));
        assert!(matches!(read.await, Ok(Read::Done(()))));
    }
}
