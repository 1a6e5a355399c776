//! Teams and their tokens.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::callers::permissions;
use super::organizers::{expect_changed, expect_created, unknown};
use super::{micros, time};
use crate::server::organizers_file::Permissions;
use crate::server::store::{StoreError, TeamChange, TeamSummary, TokenChange, TokenSummary};

pub(super) fn all(connection: &Connection, organizer: i64) -> Result<Vec<TeamSummary>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM team WHERE organizer = ?1 ORDER BY name")?;
    let teams = statement.query_map([organizer], |row| {
        Ok(TeamSummary {
            id: row.get("id")?,
            name: row.get("name")?,
            permissions: permissions(row.get("permissions")?),
            active: row.get("active")?,
        })
    })?;
    Ok(teams.collect::<Result<_, _>>()?)
}

pub(super) fn row_of(
    connection: &Connection,
    organizer: i64,
    name: &str,
) -> Result<i64, StoreError> {
    connection
        .prepare_cached("SELECT id FROM team WHERE organizer = ?1 AND name = ?2")?
        .query_row(params![organizer, name], |row| row.get(0))
        .optional()?
        .ok_or_else(|| unknown("team", name))
}

pub(super) fn create(
    connection: &Connection,
    organizer: i64,
    name: &str,
    permissions: &Permissions,
) -> Result<i64, StoreError> {
    let created = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO team (organizer, name, permissions) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![organizer, name, stored(permissions)])?;
    expect_created(created, "a team", name)?;
    Ok(connection.last_insert_rowid())
}

fn stored(permissions: &Permissions) -> Option<String> {
    match permissions {
        Permissions::All => None,
        Permissions::Listed(list) => Some(serde_json::json!(list).to_string()),
    }
}

pub(super) fn change(
    connection: &Connection,
    organizer: i64,
    name: &str,
    change: &TeamChange,
) -> Result<(), StoreError> {
    let row = row_of(connection, organizer, name)?;
    if let Some(new) = change.name.as_deref().filter(|new| *new != name) {
        let renamed = connection
            .prepare_cached("UPDATE OR IGNORE team SET name = ?2 WHERE id = ?1")?
            .execute(params![row, new])?;
        expect_created(renamed, "a team", new)?;
    }
    if let Some(permissions) = &change.permissions {
        connection
            .prepare_cached("UPDATE team SET permissions = ?2 WHERE id = ?1")?
            .execute(params![row, stored(permissions)])?;
    }
    connection
        .prepare_cached("UPDATE team SET active = coalesce(?2, active) WHERE id = ?1")?
        .execute(params![row, change.active])?;
    Ok(())
}

pub(super) fn tokens(
    connection: &Connection,
    organizer: i64,
    team: &str,
) -> Result<Vec<TokenSummary>, StoreError> {
    let team = row_of(connection, organizer, team)?;
    let mut statement =
        connection.prepare_cached("SELECT * FROM team_token WHERE team = ?1 ORDER BY id")?;
    let tokens = statement.query_map([team], |row| {
        Ok(TokenSummary {
            id: row.get("id")?,
            name: row.get("name")?,
            active: row.get("active")?,
            created: time(row.get("created")?)?,
        })
    })?;
    Ok(tokens.collect::<Result<_, _>>()?)
}

pub(super) fn add_token(
    connection: &Connection,
    team: i64,
    name: &str,
    hash: &[u8; 32],
    active: bool,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO team_token (team, name, hash, active, created)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![team, name, hash, active, micros(Timestamp::now())])?;
    Ok(())
}

pub(super) fn change_token(
    connection: &Connection,
    organizer: i64,
    team: &str,
    token: i64,
    change: &TokenChange,
) -> Result<(), StoreError> {
    let team = row_of(connection, organizer, team)?;
    let changed = connection
        .prepare_cached(
            "UPDATE team_token SET name = coalesce(?3, name), active = coalesce(?4, active)
             WHERE team = ?1 AND id = ?2",
        )?
        .execute(params![team, token, change.name, change.active])?;
    expect_changed(changed, "token", &token.to_string())
}
