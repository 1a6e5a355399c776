//! What was done to a device, and by whom.

use jiff::Timestamp;
use serde_json::Value;

use super::Context;
use crate::server::store::api::{Actor, LogEntry};
use crate::server::store::error::StoreError;
use crate::server::store::fleet_page::{LogRange, News};
use crate::server::store::session::{Columns, Session, values};

/// Entries of its own that are kept of a device: what others did to it is never pushed out by them.
const OWN_ENTRIES: u64 = 256;

/// Entries looked at in one transaction of a sweep.
const PIECE: u64 = 1000;

/// Writes an entry; `data` must hold no secret.
pub(super) fn write(
    session: &mut dyn Session,
    context: &Context<'_>,
    device: i64,
    action: &str,
    data: &Value,
) -> Result<(), StoreError> {
    let (actor, token) = match context.actor {
        Actor::Team(token) => ("team", Some(token)),
        Actor::Device => ("device", None),
        Actor::Administrator => ("administrator", None),
    };
    session.execute(
        "INSERT INTO log_entry (created, device, action, actor, token, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        values![context.now, device, action, actor, token, &data.to_string()],
    )?;
    if let Actor::Device = context.actor {
        session.execute(
            "DELETE FROM log_entry WHERE id IN (
                SELECT id FROM log_entry WHERE device = ?1 AND actor = ?2
                ORDER BY id DESC LIMIT ?4 OFFSET ?3)",
            values![device, actor, OWN_ENTRIES, i64::MAX],
        )?;
    }
    Ok(())
}

/// Drops entries written before `before`, of the next so many after `after`; the last of these, if one was
/// dropped, so that there may be more. They are numbered by age, but for those that a wrong clock wrote.
pub(in crate::server::store) fn sweep_some(
    session: &mut dyn Session,
    before: Timestamp,
    after: i64,
) -> Result<Option<i64>, StoreError> {
    let last: Option<Option<i64>> = session.one(
        "SELECT max(id) FROM (SELECT id FROM log_entry WHERE id > ?1 ORDER BY id LIMIT ?2) AS piece",
        values![after, PIECE],
    )?;
    let Some(last) = last.flatten() else {
        return Ok(None);
    };
    let dropped = session.execute(
        "DELETE FROM log_entry WHERE id > ?1 AND id <= ?2 AND created < ?3",
        values![after, last, before],
    )?;
    Ok((dropped > 0).then_some(last))
}

/// How many entries there are of the device in this row.
pub(in crate::server::store) fn count(
    session: &mut dyn Session,
    device: i64,
) -> Result<u64, StoreError> {
    let count = session.one(
        "SELECT count(*) FROM log_entry WHERE device = ?1",
        values![device],
    )?;
    Ok(count.unwrap_or_default())
}

/// At most `limit` entries of what was done to the device in this row, after the first `skip`, oldest first.
pub(in crate::server::store) fn page(
    session: &mut dyn Session,
    device: i64,
    skip: u64,
    limit: u64,
) -> Result<Vec<LogEntry>, StoreError> {
    session.rows(
        "SELECT log_entry.created, log_entry.action, log_entry.actor, team.name, team_token.name,
            log_entry.data
         FROM log_entry
         LEFT JOIN team_token ON team_token.id = log_entry.token
         LEFT JOIN team ON team.id = team_token.team
         WHERE device = ?1 ORDER BY log_entry.id LIMIT ?3 OFFSET ?2",
        values![device, skip, limit],
        entry,
    )
}

fn entry(columns: &mut Columns<'_>) -> Result<LogEntry, StoreError> {
    Ok(LogEntry {
        created: columns.next()?,
        action: columns.next()?,
        actor: columns.next()?,
        team: columns.next()?,
        token: columns.next()?,
        data: columns.next()?,
    })
}

/// The number of the last entry; 0 if there is none.
pub(in crate::server::store) fn last(session: &mut dyn Session) -> Result<i64, StoreError> {
    let last: Option<Option<i64>> = session.one("SELECT max(id) FROM log_entry", &[])?;
    Ok(last.flatten().unwrap_or_default())
}

/// At most `limit` entries of a range of all devices' log, the least first.
pub(in crate::server::store) fn between(
    session: &mut dyn Session,
    (after, last): LogRange,
    limit: u64,
) -> Result<Vec<News>, StoreError> {
    session.rows(
        "SELECT log_entry.id, device.organizer, device.device_id, device.name, log_entry.created,
            log_entry.action, log_entry.actor, team.name, team_token.name, log_entry.data
         FROM log_entry JOIN device ON device.id = log_entry.device
         LEFT JOIN team_token ON team_token.id = log_entry.token
         LEFT JOIN team ON team.id = team_token.team
         WHERE log_entry.id > ?1 AND log_entry.id <= ?2 ORDER BY log_entry.id LIMIT ?3",
        values![after, last, limit],
        |columns| {
            Ok(News {
                id: columns.next()?,
                organizer: columns.next()?,
                device_id: columns.next()?,
                name: columns.next()?,
                entry: entry(columns)?,
            })
        },
    )
}
