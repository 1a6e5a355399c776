//! What was done to a device, and by whom.

use rusqlite::types::Type;
use rusqlite::{Connection, params};
use serde_json::Value;

use super::{Context, devices, micros, time};
use crate::server::store::{Actor, LogEntry, StoreError};

/// Writes an entry; `data` must hold no secret.
pub(super) fn write(
    connection: &Connection,
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
    connection
        .prepare_cached(
            "INSERT INTO log_entry (created, device, action, actor, token, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            micros(context.now),
            device,
            action,
            actor,
            token,
            data.to_string()
        ])?;
    Ok(())
}

pub(super) fn of_device(
    connection: &Connection,
    organizer: i64,
    device_id: u64,
) -> Result<Vec<LogEntry>, StoreError> {
    let row = devices::row_of(connection, organizer, device_id)?;
    let mut statement = connection.prepare_cached(
        "SELECT log_entry.*, team_token.name AS token_name
         FROM log_entry LEFT JOIN team_token ON team_token.id = log_entry.token
         WHERE device = ?1 ORDER BY log_entry.id",
    )?;
    let entries = statement.query_map([row], |row| {
        let data: String = row.get("data")?;
        Ok(LogEntry {
            created: time(row.get("created")?)?,
            action: row.get("action")?,
            actor: row.get("actor")?,
            token: row.get("token_name")?,
            data: serde_json::from_str(&data).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
            })?,
        })
    })?;
    Ok(entries.collect::<Result<_, _>>()?)
}
