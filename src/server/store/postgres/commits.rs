//! Looking up how a transaction ended of whose COMMIT nothing certain was heard.
//!
//! Each changing transaction stores a random mark of its own. To settle it, another transaction stores the
//! same mark as refused: the unique index has it wait for the first one's end, and whichever mark stands
//! then, stands for good. That holds on a replica that was made the primary too, where the first one may
//! not have arrived.

use std::fmt::Write;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::connection::{Connection, Mark, never};
use super::connector::Connector;
use super::failure::Failure;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

/// How long PostgreSQL may take to answer a COMMIT before it is looked up. It may wait for replicas, and is not
/// asked to stop: the look-up waits for the same.
const COMMIT_PATIENCE: Duration = Duration::from_secs(5);
/// How long to look up how a COMMIT ended, and the pause between two looks.
const SETTLING: Duration = Duration::from_secs(30);
const SETTLING_PAUSE: Duration = Duration::from_millis(200);

/// Stores it as refused if it is not there, and tells whether it stands. It always writes, so that its own
/// COMMIT, if it ends without a warning, has all replicas know the first one too.
const SETTLE: &str = "INSERT INTO commit_mark (id, created, stands) VALUES (?1, ?2, FALSE)
     ON CONFLICT (id) DO UPDATE SET created = excluded.created
     RETURNING stands";

/// Marks the transaction that is open and ends it, in one message; forgets the mark of one whose end is known.
pub(super) fn commit(
    connection: &mut Connection,
    runtime: &Runtime,
    mark: &Mark,
) -> Result<(), Failure> {
    let mut sql = String::new();
    if let Some(known) = &connection.known {
        let _ = write!(
            sql,
            "DELETE FROM commit_mark WHERE id = {}; ",
            literal(known)
        );
    }
    let now = Timestamp::now().as_microsecond();
    let mark = literal(mark);
    let _ = write!(
        sql,
        "INSERT INTO commit_mark (id, created, stands) VALUES ({mark}, {now}, TRUE); COMMIT"
    );
    end(connection, runtime, &sql)
}

/// Ends a transaction; a warning is a failure.
fn end(connection: &mut Connection, runtime: &Runtime, sql: &str) -> Result<(), Failure> {
    connection.take_warnings();
    connection.batch_within(runtime, sql, COMMIT_PATIENCE)?;
    match connection.take_warnings().pop() {
        None => Ok(()),
        Some(warning) => Err(Failure::Warned(warning)),
    }
}

fn literal(mark: &Mark) -> String {
    format!("'\\x{}'::bytea", base16ct::lower::encode_string(mark))
}

/// Finds out whether the transaction with this mark stands, for good, which `failure` left open. Returns the
/// connection too. `None` if that can't be found out.
pub(super) fn settle(
    connector: &Connector,
    runtime: &Runtime,
    mark: &Mark,
    failure: &Failure,
) -> Option<(bool, Connection)> {
    let begun = Instant::now();
    let causes = crate::causes::of(failure);
    loop {
        match settle_once(connector, runtime, mark) {
            Ok((is_done, connection)) => {
                let advice = failure.advice();
                tracing::error!(error = %failure, ?causes, advice, is_done, "a COMMIT failed, and was looked up");
                return Some((is_done, connection));
            }
            Err(failed) if begun.elapsed() >= SETTLING => {
                let (advice, looking_up) = (failed.advice(), crate::causes::of(&failed));
                tracing::error!(
                    error = %failure, ?causes, %failed, ?looking_up, advice,
                    "a COMMIT failed, and can't be looked up; its caller gets no answer"
                );
                return None;
            }
            Err(_) => std::thread::sleep(SETTLING_PAUSE),
        }
    }
}

fn settle_once(
    connector: &Connector,
    runtime: &Runtime,
    mark: &Mark,
) -> Result<(bool, Connection), Failure> {
    let mut connection = connector.connect(runtime)?;
    match stands(&mut connection, runtime, mark) {
        Ok(stands) => Ok((stands, connection)),
        Err(failure) => {
            connector.give_up(connection);
            Err(failure)
        }
    }
}

/// Whether the transaction with this mark stands, for good.
fn stands(connection: &mut Connection, runtime: &Runtime, mark: &Mark) -> Result<bool, Failure> {
    connection.batch(runtime, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
    let now = Timestamp::now().as_microsecond();
    let found = connection.query(runtime, &mut never, SETTLE, &[&mark.as_slice(), &now])?;
    let stands: Option<bool> = match found.first() {
        Some(row) => row.try_get(0).ok(),
        None => None,
    };
    let stands = stands.ok_or(Failure::Fault("a mark was neither stored nor found"))?;
    end(connection, runtime, "COMMIT")?;
    connection.known = Some(*mark);
    Ok(stands)
}

/// Forgets the marks that nobody will look up any more.
pub(super) fn sweep(session: &mut dyn Session, before: Timestamp) -> Result<(), StoreError> {
    session.execute(
        "DELETE FROM commit_mark WHERE created < ?1",
        values![before],
    )?;
    Ok(())
}
