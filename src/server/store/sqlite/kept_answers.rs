//! Answers kept for retries.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::micros;
use crate::server::installation_keys::KeptId;
use crate::server::store::{KeptAnswer, REFUSALS_KEPT, StoreError, oldest_kept};

/// Answers dropped in one transaction.
const PIECE: usize = 1000;

pub(super) fn find(
    connection: &Connection,
    id: &KeptId,
    since: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let answer = connection
        .prepare_cached("SELECT answer FROM kept_answer WHERE id = ?1 AND created >= ?2")?
        .query_row(params![id, micros(since)], |row| row.get(0))
        .optional()?;
    Ok(answer)
}

pub(super) fn refuse_if_kept(
    connection: &Connection,
    id: &KeptId,
    now: Timestamp,
) -> Result<(), StoreError> {
    match find(connection, id, oldest_kept(now))? {
        Some(_) => Err(StoreError::AlreadyKept),
        None => Ok(()),
    }
}

pub(super) fn keep(
    connection: &Connection,
    id: &KeptId,
    answer: &KeptAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO kept_answer (id, created, answer, refused_to)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, micros(now), answer.sealed, answer.refused_to])?;
    if let Some(address) = &answer.refused_to {
        connection
            .prepare_cached(
                "DELETE FROM kept_answer WHERE id IN (
                    SELECT id FROM kept_answer WHERE refused_to = ?1
                    ORDER BY created DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![address, REFUSALS_KEPT])?;
    }
    Ok(())
}

/// Drops some of the answers kept before `before`; whether there may be more.
pub(super) fn sweep_some(connection: &Connection, before: Timestamp) -> Result<bool, StoreError> {
    let dropped = connection
        .prepare_cached(
            "DELETE FROM kept_answer WHERE id IN (
                SELECT id FROM kept_answer WHERE created < ?1 LIMIT ?2)",
        )?
        .execute(params![micros(before), PIECE as i64])?;
    Ok(dropped == PIECE)
}
