//! All rows of one database on their way into another one, with the proof that all have come.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::error::{FAULT, StoreError};
use super::operations::tables::{KeptRow, Sum, TABLES, sums};
use super::session::Session;

/// Pieces that are read and not yet written.
const AHEAD: usize = 4;

/// What goes from one database to the other.
enum Piece {
    /// Rows of the table with this number.
    Rows(usize, Vec<KeptRow>),
    /// That was all, and summed up to this.
    End(Vec<Sum>),
}

/// Where the rows of a database go to.
pub(super) struct Sender(SyncSender<Piece>);

/// Where they come from. They come once.
pub(super) struct Arrival(Mutex<Option<Receiver<Piece>>>);

/// Both ends of a way between two databases.
pub(super) fn way() -> (Sender, Arrival) {
    let (send, receive) = sync_channel(AHEAD);
    (Sender(send), Arrival(Mutex::new(Some(receive))))
}

impl Sender {
    /// Sends all rows; what they sum up to. It was given up if nobody takes them.
    pub(super) fn all(&self, session: &mut dyn Session) -> Result<Vec<Sum>, StoreError> {
        let mut all = Vec::with_capacity(TABLES.len());
        for (number, table) in TABLES.iter().enumerate() {
            let sum = table.read(session, &mut |rows| {
                let sent = self.0.send(Piece::Rows(number, rows));
                sent.map_err(|_| StoreError::GivenUp)
            })?;
            all.push(sum);
        }
        let sent = self.0.send(Piece::End(all.clone()));
        sent.map(|()| all).map_err(|_| StoreError::GivenUp)
    }
}

impl Arrival {
    /// Writes all that comes into empty tables, and reads it again: it has to come to the same.
    pub(super) fn write_all(&self, session: &mut dyn Session) -> Result<(), StoreError> {
        let receive = self.0.lock();
        let receive = receive.unwrap_or_else(PoisonError::into_inner).take();
        let receive = receive.ok_or_else(|| failed("the copy would have to be begun anew"))?;
        for piece in receive {
            match piece {
                Piece::Rows(number, rows) => {
                    let table = TABLES
                        .get(number)
                        .ok_or_else(|| failed("a table without a name"))?;
                    table.insert(session, &rows)?;
                }
                Piece::End(expected) => {
                    return match sums(session)? == expected {
                        true => Ok(()),
                        false => Err(failed("what was written is not what was read")),
                    };
                }
            }
        }
        Err(failed("the other database was not read to its end"))
    }
}

/// Refuses a database that has anything in it.
pub(super) fn expect_empty(session: &mut dyn Session) -> Result<(), StoreError> {
    let first: Option<String> =
        session.one("SELECT slug FROM organizer ORDER BY id LIMIT 1", &[])?;
    match first {
        None => Ok(()),
        Some(name) => Err(StoreError::Exists {
            kind: "an organizer",
            name,
        }),
    }
}

fn failed(what: &'static str) -> StoreError {
    StoreError::Database {
        advice: FAULT,
        source: what.into(),
    }
}
