//! Answers kept for retries.

use jiff::Timestamp;

use crate::server::installation_keys::KeptId;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};
use crate::server::store::terms::{KeptAnswer, REFUSALS_KEPT, oldest_kept};

/// Answers dropped in one transaction.
const PIECE: u64 = 1000;

pub(in crate::server::store) fn find(
    session: &mut dyn Session,
    id: &KeptId,
    since: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    session.one(
        "SELECT answer FROM kept_answer WHERE id = ?1 AND created >= ?2",
        values![id, since],
    )
}

pub(in crate::server::store) fn refuse_if_kept(
    session: &mut dyn Session,
    id: &KeptId,
    now: Timestamp,
) -> Result<(), StoreError> {
    match find(session, id, oldest_kept(now))? {
        Some(_) => Err(StoreError::AlreadyKept),
        None => Ok(()),
    }
}

pub(in crate::server::store) fn keep(
    session: &mut dyn Session,
    id: &KeptId,
    answer: &KeptAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    // Another may have kept one since it was looked for.
    let kept = session.execute(
        "INSERT INTO kept_answer (id, created, answer, refused_to, device) VALUES (?1, ?2, ?3, ?4, ?6)
         ON CONFLICT (id) DO UPDATE SET created = excluded.created, answer = excluded.answer,
            refused_to = excluded.refused_to, device = excluded.device
         WHERE kept_answer.created < ?5",
        values![
            id,
            now,
            &answer.sealed,
            answer.refused_to.as_ref(),
            oldest_kept(now),
            answer.device,
        ],
    )?;
    if kept == 0 {
        return Err(StoreError::AlreadyKept);
    }
    if let Some(address) = &answer.refused_to {
        session.execute(
            "DELETE FROM kept_answer WHERE id IN (
                SELECT id FROM kept_answer WHERE refused_to = ?1
                ORDER BY created DESC LIMIT ?3 OFFSET ?2)",
            values![address, REFUSALS_KEPT, i64::MAX],
        )?;
    }
    Ok(())
}

/// Drops what a device was answered under the keys that it had.
pub(super) fn drop_of(session: &mut dyn Session, device: i64) -> Result<(), StoreError> {
    session.execute("DELETE FROM kept_answer WHERE device = ?1", values![device])?;
    Ok(())
}

/// Drops some of the answers kept before `before`; whether there may be more.
pub(in crate::server::store) fn sweep_some(
    session: &mut dyn Session,
    before: Timestamp,
) -> Result<bool, StoreError> {
    let last: Option<Option<Timestamp>> = session.one(
        "SELECT max(created) FROM (
            SELECT created FROM kept_answer WHERE created < ?1 ORDER BY created LIMIT ?2) AS piece",
        values![before, PIECE],
    )?;
    let Some(last) = last.flatten() else {
        return Ok(false);
    };
    let dropped = session.execute("DELETE FROM kept_answer WHERE created <= ?1", values![last])?;
    Ok(dropped >= PIECE)
}
