//! The thread that writes: it does changes in groups, and tells each caller what became of its own.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::advice::advice;
use super::commits::{self, Mark};
use super::connection::{Home, Opened};
use super::place::Place;
use super::readers::Idle;
use super::reopen_error::ReopenError;
use super::session::SqliteSession;
use crate::server::store::decision::Decision;
use crate::server::store::error::{FAULT, NO_RANDOM, StoreError};
use crate::server::store::session::Session;
use crate::sqlite::Failure;

/// Changes that may wait for the writer; those beyond wait for a place.
const QUEUE: usize = 1024;
/// Changes committed together at most.
const GROUP: usize = 256;
/// How long to look up how a COMMIT ended that failed, and the pause between two looks.
const SETTLING: Duration = Duration::from_secs(5);
const SETTLING_PAUSE: Duration = Duration::from_millis(100);

/// Hands changes to the thread that writes. What waits together is committed together, which costs
/// one wait for the disk instead of many; each change is still done wholly or not at all.
pub(super) struct Writer {
    /// Taken when the writer is dropped, which ends the thread.
    queue: Option<mpsc::Sender<Box<dyn Change>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Takes the connection over into a thread, which closes it when the writer is dropped. Where it has
    /// to open another one, the readers are opened anew too.
    pub(super) fn start(home: Home, opened: Opened, readers: Weak<Idle>) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let groups = Groups {
            home,
            opened: Some(opened),
            left: None,
            readers,
            waiting,
            known: None,
        };
        let thread = std::thread::Builder::new()
            .name("gatehand-writer".into())
            .spawn(move || groups.write())?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Does `work` in a transaction and returns once it is on disk. An error undoes it, and so does
    /// a caller who gives up before it is taken.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        decision: &Decision,
        work: impl FnOnce(&mut dyn Session) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let change = Box::new(Waiting {
            decision: decision.clone(),
            work: Some(work),
            done: Err(StoreError::GivenUp),
            tell,
        });
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        queue.send(change).await.map_err(|_| ended())?;
        told.await.unwrap_or_else(|_| match decision.is_taken() {
            true => Err(StoreError::Unsettled),
            false => Err(ended()),
        })
    }
}

fn ended() -> StoreError {
    StoreError::Database {
        advice: "restart the server",
        source: "the thread that writes has ended".into(),
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

/// A change and its caller.
trait Change: Send {
    fn is_given_up(&self) -> bool;

    /// Does the work in the open transaction. An error is one of the transaction itself, which has to
    /// be undone then.
    fn run(&mut self, connection: &Connection) -> rusqlite::Result<Ran>;

    /// Tells the caller how the transaction ended.
    fn tell(self: Box<Self>, ending: &Ending);
}

/// What became of a change in its transaction.
enum Ran {
    /// It is part of it, and is done once that is committed.
    Joined,
    /// Nothing of it is left.
    LeftOut,
    /// SQLite has undone the whole transaction; what to do about it.
    AllUndone(&'static str),
}

/// How a transaction ended.
enum Ending {
    Done,
    NotDone {
        /// What to do about it.
        advice: &'static str,
        source: Arc<dyn Error + Send + Sync>,
    },
    Unknown,
}

impl From<rusqlite::Error> for Ending {
    fn from(error: rusqlite::Error) -> Self {
        ReopenError::from(error).into()
    }
}

impl From<ReopenError> for Ending {
    fn from(error: ReopenError) -> Self {
        Self::NotDone {
            advice: error.advice(),
            source: Arc::new(error),
        }
    }
}

struct Waiting<T, W> {
    decision: Decision,
    /// Taken when it is begun.
    work: Option<W>,
    done: Result<T, StoreError>,
    tell: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Change for Waiting<T, W>
where
    T: Send,
    W: FnOnce(&mut dyn Session) -> Result<T, StoreError> + Send,
{
    fn is_given_up(&self) -> bool {
        self.decision.is_given_up()
    }

    fn run(&mut self, connection: &Connection) -> rusqlite::Result<Ran> {
        connection.prepare_cached("SAVEPOINT one")?.execute([])?;
        if let Some(work) = self.work.take() {
            // A panic must not take the thread along that all others wait for.
            self.done = catch_unwind(AssertUnwindSafe(|| work(&mut SqliteSession(connection))))
                .unwrap_or_else(|_| {
                    Err(StoreError::Database {
                        advice: FAULT,
                        source: "a change panicked".into(),
                    })
                });
        }
        if connection.is_autocommit() {
            let advice = match &self.done {
                Err(StoreError::Database { advice, .. }) => advice,
                _ => FAULT,
            };
            return Ok(Ran::AllUndone(advice));
        }
        // Later changes build on this one: from here on its caller waits for the COMMIT.
        let stays = self.done.is_ok() && self.decision.take();
        if !stays {
            connection.prepare_cached("ROLLBACK TO one")?.execute([])?;
        }
        connection.prepare_cached("RELEASE one")?.execute([])?;
        if stays {
            return Ok(Ran::Joined);
        }
        if self.done.is_ok() {
            self.done = Err(StoreError::GivenUp);
        }
        Ok(Ran::LeftOut)
    }

    fn tell(self: Box<Self>, ending: &Ending) {
        let was_begun = self.work.is_none();
        let result = match (self.done, ending) {
            // What is wrong with the change itself counts more than what is wrong with its group.
            (Err(error), _) if was_begun => Err(error),
            (done, Ending::Done) => done,
            (_, Ending::NotDone { advice, source }) => Err(StoreError::Database {
                advice,
                source: Arc::clone(source).into(),
            }),
            (_, Ending::Unknown) => Err(StoreError::Unsettled),
        };
        // A caller that has gone need not be told.
        let _ = self.tell.send(result);
    }
}

/// What the thread works with.
struct Groups {
    home: Home,
    /// None after one was closed whose state is not certain.
    opened: Option<Opened>,
    /// Where the files were of what was closed last.
    left: Option<Place>,
    readers: Weak<Idle>,
    waiting: mpsc::Receiver<Box<dyn Change>>,
    /// The mark of the last transaction, whose end is known.
    known: Option<Mark>,
}

/// Why a transaction was not committed.
enum Uncommitted {
    /// Nothing of it is in the database, nor will be.
    Surely(Ending),
    /// All of it may be.
    Perhaps(Mark, rusqlite::Error),
    /// All of it is in a file that is not any more where the next start looks for it.
    Away,
}

impl From<rusqlite::Error> for Uncommitted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Surely(error.into())
    }
}

impl Groups {
    /// Has the readers opened anew, unless the store is being closed.
    fn renew_readers(&self) {
        if let Some(readers) = self.readers.upgrade() {
            readers.renew();
        }
    }

    fn write(mut self) {
        while let Some(first) = self.waiting.blocking_recv() {
            if first.is_given_up() {
                first.tell(&Ending::Done);
                continue;
            }
            let mut group = vec![first];
            let ending = self.write_group(&mut group);
            for change in group {
                change.tell(&ending);
            }
        }
    }

    /// The connection to write with; a new one where the last was closed, or its files are not where they were.
    fn open(&mut self) -> Result<Opened, ReopenError> {
        match self.opened.take() {
            Some(opened) if opened.place.is_kept() => return Ok(opened),
            Some(opened) => self.close(opened)?,
            None => {}
        }
        let left = self.left.as_ref();
        if left.is_some_and(Place::is_log_beside_another) {
            return Err(ReopenError::OtherLog);
        }
        let opened = self.home.reopen_writer()?;
        self.left = None;
        self.renew_readers();
        Ok(opened)
    }

    /// Closes what is not in its place any more. A log that was removed is taken into its database before.
    fn close(&mut self, opened: Opened) -> Result<(), ReopenError> {
        let error = ReopenError::Away;
        tracing::error!(%error, advice = error.advice(), "the database is looked for where it was");
        // Of one file two logs would be open by one name.
        let readers = self.readers.upgrade();
        let is_closed = readers.is_none_or(|readers| readers.close(SETTLING));
        let is_whole = || {
            let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
            let is_busy = opened
                .connection
                .query_row(checkpoint, [], |row| row.get::<_, bool>(0));
            is_busy.is_ok_and(|is_busy| !is_busy)
        };
        if is_closed && (!opened.place.has_database() || is_whole()) {
            self.left = Some(opened.place);
            return Ok(());
        }
        self.opened = Some(opened);
        Err(ReopenError::InUse)
    }

    /// Does the change in the group and those that wait behind it, which are added to the group.
    fn write_group(&mut self, group: &mut Vec<Box<dyn Change>>) -> Ending {
        let opened = match self.open() {
            Ok(opened) => opened,
            Err(error) => return error.into(),
        };
        let ending = match self.in_transaction(&opened, group) {
            Ok(()) => Ending::Done,
            Err(Uncommitted::Surely(ending)) => ending,
            Err(Uncommitted::Perhaps(mark, error)) => {
                let Opened { connection, place } = opened;
                drop(connection);
                let ending = self.settle(&place, &mark, error);
                self.left = Some(place);
                return ending;
            }
            Err(Uncommitted::Away) => Ending::Unknown,
        };
        let connection = &opened.connection;
        // One that can't be rolled back is closed, which comes to the same.
        let is_ended = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
        self.opened = is_ended.then_some(opened);
        ending
    }

    fn in_transaction(
        &mut self,
        opened: &Opened,
        group: &mut Vec<Box<dyn Change>>,
    ) -> Result<(), Uncommitted> {
        let connection = &opened.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let before = connection.total_changes();
        let mut has_joined = false;
        let mut next = group.pop();
        while let Some(mut change) = next.take() {
            let ran = change.run(connection);
            group.push(change);
            match ran? {
                Ran::Joined => has_joined = true,
                Ran::LeftOut => {}
                Ran::AllUndone(advice) => {
                    return Err(Uncommitted::Surely(Ending::NotDone {
                        advice,
                        source: Arc::from(Box::from("a change of the same group failed")),
                    }));
                }
            }
            if group.len() < GROUP {
                next = self.waiting.try_recv().ok();
            }
        }
        match has_joined && connection.total_changes() != before {
            true => self.commit(opened),
            false => Ok(()),
        }
    }

    fn commit(&mut self, opened: &Opened) -> Result<(), Uncommitted> {
        let Opened { connection, place } = opened;
        let mut mark = Mark::default();
        getrandom::fill(&mut mark).map_err(|error| {
            Uncommitted::Surely(Ending::NotDone {
                advice: NO_RANDOM,
                source: Arc::new(error),
            })
        })?;
        commits::mark(connection, &mark, self.known.as_ref())?;
        if !place.is_kept() {
            return Err(Uncommitted::Surely(ReopenError::Away.into()));
        }
        match connection.execute_batch("COMMIT") {
            // Whoever moved it may bring it back, or not.
            Ok(()) if !place.is_kept() => {
                let error = ReopenError::Away;
                tracing::error!(
                    %error,
                    advice = error.advice(),
                    "a COMMIT met the database being moved; its callers get no answer"
                );
                Err(Uncommitted::Away)
            }
            Ok(()) => {
                self.known = Some(mark);
                Ok(())
            }
            // What makes it a transaction is written last: on a full disk that is not whole. One that
            // is still open waits for another process.
            Err(error) if Failure::of(&error) == Failure::Full || !connection.is_autocommit() => {
                Err(error.into())
            }
            Err(error) => Err(Uncommitted::Perhaps(mark, error)),
        }
    }

    /// Finds out how a transaction ended whose COMMIT failed.
    fn settle(&mut self, ended_in: &Place, mark: &Mark, error: rusqlite::Error) -> Ending {
        let begun = Instant::now();
        loop {
            match commits::settle(&self.home, ended_in, mark) {
                Ok((stands, opened)) => {
                    self.renew_readers();
                    self.opened = Some(opened);
                    self.known = Some(*mark);
                    tracing::error!(
                        %error,
                        advice = advice(&error),
                        is_done = stands,
                        "a COMMIT failed, and was looked up"
                    );
                    return if stands { Ending::Done } else { error.into() };
                }
                Err(failed) if begun.elapsed() >= SETTLING => {
                    tracing::error!(
                        %error,
                        looking_up = %failed,
                        advice = failed.advice(),
                        "a COMMIT failed, and can't be looked up; its callers get no answer"
                    );
                    return Ending::Unknown;
                }
                Err(_) => std::thread::sleep(SETTLING_PAUSE),
            }
        }
    }
}
