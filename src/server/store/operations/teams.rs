//! Teams and their tokens.

use jiff::Timestamp;

use super::found::{expect_changed, expect_created, unknown};
use crate::server::model::Permissions;
use crate::server::store::administration::{TeamChange, TeamSummary, TokenChange, TokenSummary};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

/// Permissions as they are stored: a JSON list, or nothing for all.
pub(super) fn permissions(stored: Option<String>) -> Permissions {
    match stored {
        None => Permissions::All,
        // What can't be read permits nothing.
        Some(list) => Permissions::Listed(serde_json::from_str(&list).unwrap_or_default()),
    }
}

fn stored(permissions: &Permissions) -> Option<String> {
    match permissions {
        Permissions::All => None,
        Permissions::Listed(list) => Some(serde_json::json!(list).to_string()),
    }
}

pub(in crate::server::store) fn all(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<Vec<TeamSummary>, StoreError> {
    session.rows(
        "SELECT id, name, permissions, active FROM team WHERE organizer = ?1 ORDER BY name",
        values![organizer],
        |columns| {
            Ok(TeamSummary {
                id: columns.next()?,
                name: columns.next()?,
                permissions: permissions(columns.next()?),
                active: columns.next()?,
            })
        },
    )
}

/// A team that is there.
pub(super) struct FoundTeam {
    pub(super) row: i64,
    pub(super) permissions: Permissions,
    pub(super) active: bool,
}

pub(super) fn find(
    session: &mut dyn Session,
    organizer: i64,
    name: &str,
) -> Result<Option<FoundTeam>, StoreError> {
    session.row(
        "SELECT id, permissions, active FROM team WHERE organizer = ?1 AND name = ?2",
        values![organizer, name],
        |columns| {
            Ok(FoundTeam {
                row: columns.next()?,
                permissions: permissions(columns.next()?),
                active: columns.next()?,
            })
        },
    )
}

fn row_of(session: &mut dyn Session, organizer: i64, name: &str) -> Result<i64, StoreError> {
    let found = find(session, organizer, name)?;
    let found = found.ok_or_else(|| unknown("team", name))?;
    Ok(found.row)
}

pub(in crate::server::store) fn create(
    session: &mut dyn Session,
    organizer: i64,
    name: &str,
    permissions: &Permissions,
    active: bool,
) -> Result<i64, StoreError> {
    let made = session.one(
        "INSERT INTO team (organizer, name, permissions, active) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING RETURNING id",
        values![organizer, name, stored(permissions).as_ref(), active],
    )?;
    expect_created(made, "a team", name)
}

pub(in crate::server::store) fn change(
    session: &mut dyn Session,
    organizer: i64,
    name: &str,
    change: &TeamChange,
) -> Result<(), StoreError> {
    let row = row_of(session, organizer, name)?;
    if let Some(new) = change.name.as_deref().filter(|new| *new != name) {
        let renamed = session.one::<i64>(
            "UPDATE team SET name = ?3 WHERE id = ?1 AND NOT EXISTS (
                SELECT 1 FROM team AS other WHERE other.organizer = ?2 AND other.name = ?3)
             RETURNING id",
            values![row, organizer, new],
        )?;
        expect_created(renamed, "a team", new)?;
    }
    if let Some(permissions) = &change.permissions {
        session.execute(
            "UPDATE team SET permissions = ?2 WHERE id = ?1",
            values![row, stored(permissions).as_ref()],
        )?;
    }
    session.execute(
        "UPDATE team SET active = coalesce(?2, active) WHERE id = ?1",
        values![row, change.active],
    )?;
    Ok(())
}

pub(in crate::server::store) fn tokens(
    session: &mut dyn Session,
    organizer: i64,
    team: &str,
) -> Result<Vec<TokenSummary>, StoreError> {
    let team = row_of(session, organizer, team)?;
    session.rows(
        "SELECT id, name, active, created FROM team_token WHERE team = ?1 ORDER BY id",
        values![team],
        |columns| {
            Ok(TokenSummary {
                id: columns.next()?,
                name: columns.next()?,
                active: columns.next()?,
                created: columns.next()?,
            })
        },
    )
}

pub(in crate::server::store) fn create_token(
    session: &mut dyn Session,
    organizer: i64,
    team: &str,
    name: &str,
    hash: &[u8; 32],
) -> Result<i64, StoreError> {
    let team = row_of(session, organizer, team)?;
    add_token(session, team, name, hash, true)
}

pub(super) fn add_token(
    session: &mut dyn Session,
    team: i64,
    name: &str,
    hash: &[u8; 32],
    active: bool,
) -> Result<i64, StoreError> {
    let made = session.one(
        "INSERT INTO team_token (team, name, hash, active, created) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO NOTHING RETURNING id",
        values![team, name, hash, active, Timestamp::now()],
    )?;
    expect_created(made, "a token", name)
}

/// A token that is there.
pub(super) struct HeldToken {
    /// The row of the team that holds it.
    pub(super) team: i64,
    pub(super) name: String,
    pub(super) active: bool,
}

/// The token with this hash.
pub(super) fn holder(
    session: &mut dyn Session,
    hash: &[u8; 32],
) -> Result<Option<HeldToken>, StoreError> {
    session.row(
        "SELECT team, name, active FROM team_token WHERE hash = ?1",
        values![hash],
        |columns| {
            Ok(HeldToken {
                team: columns.next()?,
                name: columns.next()?,
                active: columns.next()?,
            })
        },
    )
}

pub(in crate::server::store) fn change_token(
    session: &mut dyn Session,
    organizer: i64,
    team: &str,
    token: i64,
    change: &TokenChange,
) -> Result<(), StoreError> {
    let team = row_of(session, organizer, team)?;
    let changed = session.execute(
        "UPDATE team_token SET name = coalesce(?3, name), active = coalesce(?4, active)
         WHERE team = ?1 AND id = ?2",
        values![team, token, change.name.as_ref(), change.active],
    )?;
    expect_changed(changed, "token", &token.to_string())
}
