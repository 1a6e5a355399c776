//! Doing an operation in a transaction, again where that has to be.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::commits;
use super::connection::{Connection, Gone, Mark};
use super::connector::Connector;
use super::failure::{Failure, Kind};
use super::session::PostgresSession;
use crate::server::store::decision::Decision;
use crate::server::store::error::StoreError;
use crate::server::store::session::Session;

/// How often a transaction is tried that meets others.
const TRIES: u32 = 12;
/// The pause before the second try, at most; before each later one it is twice as long, up to the limit.
const PAUSE: u64 = 4;
const PAUSE_LIMIT: u64 = 200;

const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Rows are locked where what was read decides (`FOR UPDATE`), or by the change itself, and unique indices do the rest: more isolation would
/// have all who take the organizer's next number fail but one. A server that hangs in its middle, or was cut off, loses its locks
/// before others lose their patience.
macro_rules! begin_write {
    ($patience:literal, $more:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL idle_in_transaction_session_timeout = '",
            $patience,
            "'",
            $more
        )
    };
}
const BEGIN_WRITE: &str = begin_write!("5s", "");
/// What an import reads and changes, nobody else changes meanwhile; reading goes on.
const BEGIN_MUCH: &str = begin_write!(
    "60s",
    "; LOCK TABLE organizer, device, device_event, gate, event, subevent, checkin_list, checkin_list_gate, team, team_token IN EXCLUSIVE MODE"
);

/// What a thread works with.
pub(super) struct Desk<'a> {
    pub(super) connector: &'a Connector,
    pub(super) runtime: &'a Runtime,
    /// None after one was closed whose state is not certain.
    pub(super) connection: &'a mut Option<Connection>,
}

/// An operation as it comes from the store.
pub(super) trait Work<T>: Fn(&mut dyn Session) -> Result<T, StoreError> {}
impl<T, W: Fn(&mut dyn Session) -> Result<T, StoreError>> Work<T> for W {}

/// How a read sees the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// By one statement, which needs no transaction.
    Once,
    /// In one state throughout.
    Throughout,
}

/// How a change is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Changing {
    Little,
    /// While nobody else changes anything.
    Much,
}

/// What became of one try.
enum Tried<T> {
    Ended(Result<T, StoreError>),
    Again(Kind, StoreError),
}

impl Desk<'_> {
    /// Does what only reads.
    pub(super) fn read<T>(
        mut self,
        gone: Gone<'_>,
        reading: Reading,
        work: impl Work<T>,
    ) -> Result<T, StoreError> {
        self.repeat(|desk| desk.read_once(gone, reading, &work))
    }

    /// Does a change, and returns once it is on disk.
    pub(super) fn write<T>(
        mut self,
        gone: Gone<'_>,
        decision: &Decision,
        changing: Changing,
        work: impl Work<T>,
    ) -> Result<T, StoreError> {
        self.repeat(|desk| desk.write_once(gone, decision, changing, &work))
    }

    /// Tries again where a transaction met others, or an old connection turned out to be dead.
    fn repeat<T>(&mut self, mut once: impl FnMut(&mut Self) -> Tried<T>) -> Result<T, StoreError> {
        let mut tries = 1;
        loop {
            let was_open = self.connection.is_some();
            match once(self) {
                Tried::Ended(ended) => return ended,
                Tried::Again(Kind::Conflict, _) if tries < TRIES => pause(tries)?,
                Tried::Again(Kind::Lost, _) if was_open && tries < TRIES => {}
                Tried::Again(_, error) => return Err(error),
            }
            tries += 1;
            self.connector.retries.one();
        }
    }

    fn connection(&mut self) -> Result<Connection, Failure> {
        match self.connection.take() {
            // Others have found that another host is the one to ask.
            Some(connection) if self.connector.is_at_first(&connection) => Ok(connection),
            _ => self.connector.connect(self.runtime),
        }
    }

    fn read_once<T>(&mut self, gone: Gone<'_>, reading: Reading, work: &impl Work<T>) -> Tried<T> {
        let mut connection = match self.connection() {
            Ok(connection) => connection,
            Err(failure) => return Tried::Ended(Err(failure.into())),
        };
        if reading == Reading::Throughout
            && let Err(failure) = connection.batch(self.runtime, BEGIN_READ)
        {
            let kind = failure.kind();
            self.keep_after(kind, connection, true);
            return Tried::Again(kind, failure.into());
        }
        let mut session = PostgresSession::new(&mut connection, self.runtime, gone);
        session.left = (reading == Reading::Once).then_some(1);
        let done = work(&mut session);
        let (failed, has_answered) = (session.failed, session.has_answered);
        match (done, failed) {
            // What was told of it may have gone further already, as an export.
            (Err(error), Some(kind)) if !has_answered => {
                self.keep_after(kind, connection, reading == Reading::Throughout);
                Tried::Again(kind, error)
            }
            (done, Some(kind)) => {
                self.keep_after(kind, connection, reading == Reading::Throughout);
                Tried::Ended(done)
            }
            (done, None) => {
                if reading == Reading::Once || connection.batch(self.runtime, "COMMIT").is_ok() {
                    *self.connection = Some(connection);
                }
                Tried::Ended(done)
            }
        }
    }

    /// Keeps a connection in which something failed, if it can be used on.
    fn keep_after(&mut self, kind: Kind, mut connection: Connection, is_begun: bool) {
        match kind {
            Kind::Gone => {}
            Kind::Conflict | Kind::Other
                if !is_begun || connection.batch(self.runtime, "ROLLBACK").is_ok() =>
            {
                *self.connection = Some(connection);
            }
            _ => self.connector.give_up(connection),
        }
    }

    fn write_once<T>(
        &mut self,
        gone: Gone<'_>,
        decision: &Decision,
        changing: Changing,
        work: &impl Work<T>,
    ) -> Tried<T> {
        if decision.is_given_up() {
            return Tried::Ended(Err(StoreError::GivenUp));
        }
        let mut connection = match self.connection() {
            Ok(connection) => connection,
            Err(failure) => return Tried::Ended(Err(failure.into())),
        };
        let begin = match changing {
            Changing::Little => BEGIN_WRITE,
            Changing::Much => BEGIN_MUCH,
        };
        if let Err(failure) = connection.batch(self.runtime, begin) {
            let kind = failure.kind();
            self.keep_after(kind, connection, true);
            return Tried::Again(kind, failure.into());
        }
        let mut session = PostgresSession::new(&mut connection, self.runtime, gone);
        let done = work(&mut session);
        let (failed, has_changed) = (session.failed, session.has_changed);
        let done = match (done, failed) {
            (Ok(done), None) => done,
            (Err(error), Some(kind)) => {
                self.keep_after(kind, connection, true);
                return Tried::Again(kind, error);
            }
            (Ok(_), Some(kind)) => {
                self.keep_after(kind, connection, true);
                let fault = Failure::Fault("an operation went on after a statement had failed");
                return Tried::Ended(Err(fault.into()));
            }
            (Err(error), None) => {
                self.keep_after(Kind::Other, connection, true);
                return Tried::Ended(Err(error));
            }
        };
        // From here on its caller waits for the COMMIT.
        if !decision.take() {
            self.keep_after(Kind::Other, connection, true);
            return Tried::Ended(Err(StoreError::GivenUp));
        }
        if !has_changed {
            self.keep_after(Kind::Other, connection, true);
            return Tried::Ended(Ok(done));
        }
        let mut mark = Mark::default();
        if let Err(error) = getrandom::fill(&mut mark) {
            self.keep_after(Kind::Other, connection, true);
            return Tried::Ended(Err(error.into()));
        }
        match commits::commit(&mut connection, self.runtime, &mark) {
            Ok(()) => {
                connection.known = Some(mark);
                *self.connection = Some(connection);
                Tried::Ended(Ok(done))
            }
            Err(failure) if failure.refuses_commit() => {
                let kind = failure.kind();
                self.keep_after(kind, connection, true);
                Tried::Again(kind, failure.into())
            }
            Err(failure) => {
                self.connector.give_up(connection);
                let settled = commits::settle(self.connector, self.runtime, &mark, &failure);
                let Some((stands, connection)) = settled else {
                    return Tried::Ended(Err(StoreError::Unsettled));
                };
                *self.connection = Some(connection);
                Tried::Ended(match stands {
                    true => Ok(done),
                    false => Err(failure.into()),
                })
            }
        }
    }
}

/// Waits for a random time, so that those who met don't meet again.
fn pause(tries: u32) -> Result<(), StoreError> {
    let limit = (PAUSE << tries.min(10)).min(PAUSE_LIMIT);
    let mut random = [0; 8];
    getrandom::fill(&mut random)?;
    std::thread::sleep(Duration::from_millis(u64::from_le_bytes(random) % limit));
    Ok(())
}
