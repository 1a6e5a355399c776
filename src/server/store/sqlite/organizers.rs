//! Organizers with their gates and keys for NFC media.

use rusqlite::{Connection, OptionalExtension, params};

use crate::server::installation_keys::InstallationKeys;
use crate::server::store::{
    GateChange, MediumKeys, Organizer, OrganizerChange, OrganizerSummary, StoreError,
};
use crate::wire;

pub(super) fn all(connection: &Connection) -> Result<Vec<OrganizerSummary>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM organizer ORDER BY slug")?;
    let organizers = statement.query_map([], |row| {
        Ok(OrganizerSummary {
            slug: row.get("slug")?,
            name: row.get("name")?,
            active: row.get("active")?,
            devices: row.get("device_count")?,
        })
    })?;
    Ok(organizers.collect::<Result<_, _>>()?)
}

pub(super) fn find(connection: &Connection, slug: &str) -> Result<Organizer, StoreError> {
    connection
        .prepare_cached("SELECT id, slug, active FROM organizer WHERE slug = ?1")?
        .query_row([slug], |row| {
            Ok(Organizer {
                id: row.get(0)?,
                slug: row.get(1)?,
                active: row.get(2)?,
            })
        })
        .optional()?
        .ok_or_else(|| unknown("organizer", slug))
}

pub(super) fn create(
    connection: &Connection,
    slug: &str,
    name: &str,
) -> Result<Organizer, StoreError> {
    let created = connection
        .prepare_cached("INSERT OR IGNORE INTO organizer (slug, name) VALUES (?1, ?2)")?
        .execute([slug, name])?;
    expect_created(created, "an organizer", slug)?;
    find(connection, slug)
}

pub(super) fn change(
    connection: &Connection,
    slug: &str,
    change: &OrganizerChange,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE organizer SET name = coalesce(?2, name), active = coalesce(?3, active)
             WHERE slug = ?1",
        )?
        .execute(params![slug, change.name, change.active])?;
    expect_changed(changed, "organizer", slug)
}

pub(super) fn gates(
    connection: &Connection,
    organizer: i64,
) -> Result<Vec<(wire::Gate, bool)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT * FROM gate WHERE organizer = ?1 ORDER BY identifier")?;
    let gates = statement.query_map([organizer], |row| {
        let gate = wire::Gate {
            id: row.get("id")?,
            name: row.get("name")?,
            identifier: row.get("identifier")?,
        };
        Ok((gate, row.get("active")?))
    })?;
    Ok(gates.collect::<Result<_, _>>()?)
}

pub(super) fn create_gate(
    connection: &Connection,
    organizer: i64,
    identifier: &str,
    name: &str,
) -> Result<wire::Gate, StoreError> {
    let created = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO gate (organizer, identifier, name) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![organizer, identifier, name])?;
    expect_created(created, "a gate", identifier)?;
    Ok(wire::Gate {
        id: connection.last_insert_rowid(),
        name: name.to_owned(),
        identifier: identifier.to_owned(),
    })
}

pub(super) fn change_gate(
    connection: &Connection,
    organizer: i64,
    identifier: &str,
    change: &GateChange,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE gate SET name = coalesce(?3, name), active = coalesce(?4, active)
             WHERE organizer = ?1 AND identifier = ?2",
        )?
        .execute(params![organizer, identifier, change.name, change.active])?;
    expect_changed(changed, "gate", identifier)
}

pub(super) fn medium_keys(
    connection: &Connection,
    keys: &InstallationKeys,
    organizer: i64,
) -> Result<Vec<MediumKeys>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM medium_key_set WHERE organizer = ?1 ORDER BY public_id")?;
    let mut rows = statement.query([organizer])?;
    let mut sets = Vec::new();
    while let Some(row) = rows.next()? {
        let public_id = row.get("public_id")?;
        let unseal = |column: &str| {
            let sealed: Vec<u8> = row.get(column)?;
            Ok::<_, StoreError>(keys.unseal(&medium_purpose(public_id, column), &sealed)?)
        };
        sets.push(MediumKeys {
            public_id,
            active: row.get("active")?,
            media_type: row.get("media_type")?,
            uid_key: unseal("uid_key")?,
            diversification_key: unseal("diversification_key")?,
        });
    }
    Ok(sets)
}

pub(super) fn create_medium_keys(
    connection: &Connection,
    keys: &InstallationKeys,
    organizer: i64,
    set: &MediumKeys,
) -> Result<(), StoreError> {
    let seal = |column, key| keys.seal(&medium_purpose(set.public_id, column), key);
    let created = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO medium_key_set
                (public_id, organizer, active, media_type, uid_key, diversification_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            set.public_id,
            organizer,
            set.active,
            set.media_type,
            seal("uid_key", &set.uid_key)?,
            seal("diversification_key", &set.diversification_key)?,
        ])?;
    expect_created(created, "a medium key set", &set.public_id.to_string())
}

/// Binds a sealed key to its set and column.
fn medium_purpose(public_id: i64, column: &str) -> String {
    format!("{column} of medium key set {public_id}")
}

pub(super) fn unknown(kind: &'static str, name: &str) -> StoreError {
    StoreError::Unknown {
        kind,
        name: name.to_owned(),
    }
}

/// An `INSERT OR IGNORE` that inserted nothing met what is there already.
pub(super) fn expect_created(
    rows: usize,
    kind: &'static str,
    name: &str,
) -> Result<(), StoreError> {
    match rows {
        0 => Err(StoreError::Exists {
            kind,
            name: name.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// An `UPDATE` that changed nothing met nothing.
pub(super) fn expect_changed(
    rows: usize,
    kind: &'static str,
    name: &str,
) -> Result<(), StoreError> {
    match rows {
        0 => Err(unknown(kind, name)),
        _ => Ok(()),
    }
}
