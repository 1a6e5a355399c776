//! What was done to a device, and by whom.

use rusqlite::{Connection, params};
use serde_json::Value;

use super::{Context, micros};
use crate::server::store::{Actor, StoreError};

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
