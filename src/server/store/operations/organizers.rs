//! Organizers with their gates and keys for NFC media.

use super::found::{expect_changed, expect_created, unknown};
use crate::server::installation_keys::InstallationKeys;
use crate::server::model::{MediumKeys, Organizer, Slug};
use crate::server::store::administration::{GateChange, OrganizerChange, OrganizerSummary};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};
use crate::wire;

/// The numbers of those whose devices have access.
pub(in crate::server::store) fn active(session: &mut dyn Session) -> Result<Vec<i64>, StoreError> {
    session.rows(
        "SELECT id FROM organizer WHERE active ORDER BY id",
        values![],
        |columns| columns.next(),
    )
}

pub(in crate::server::store) fn all(
    session: &mut dyn Session,
) -> Result<Vec<OrganizerSummary>, StoreError> {
    session.rows(
        "SELECT slug, name, active,
            device_count - (SELECT CAST(coalesce(sum(numbers), 0) AS BIGINT)
                FROM skipped_numbers WHERE skipped_numbers.organizer = organizer.id)
         FROM organizer ORDER BY slug",
        values![],
        |columns| {
            Ok(OrganizerSummary {
                slug: columns.next()?,
                name: columns.next()?,
                active: columns.next()?,
                devices: columns.next()?,
            })
        },
    )
}

pub(in crate::server::store) fn find(
    session: &mut dyn Session,
    slug: &str,
) -> Result<Organizer, StoreError> {
    let found = session.row(
        "SELECT id, slug, active FROM organizer WHERE slug = ?1",
        values![slug],
        |columns| {
            Ok(Organizer {
                id: columns.next()?,
                slug: columns.next()?,
                active: columns.next()?,
            })
        },
    )?;
    found.ok_or_else(|| unknown("organizer", slug))
}

pub(in crate::server::store) fn create(
    session: &mut dyn Session,
    slug: &Slug,
    name: &str,
) -> Result<Organizer, StoreError> {
    let made = session.one(
        "INSERT INTO organizer (slug, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING id",
        values![slug.as_str(), name],
    )?;
    Ok(Organizer {
        id: expect_created(made, "an organizer", slug.as_str())?,
        slug: slug.to_string(),
        active: true,
    })
}

pub(in crate::server::store) fn change(
    session: &mut dyn Session,
    slug: &str,
    change: &OrganizerChange,
) -> Result<(), StoreError> {
    let changed = session.execute(
        "UPDATE organizer SET name = coalesce(?2, name), active = coalesce(?3, active)
         WHERE slug = ?1",
        values![slug, change.name.as_ref(), change.active],
    )?;
    expect_changed(changed, "organizer", slug)
}

pub(in crate::server::store) fn gates(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<Vec<(wire::Gate, bool)>, StoreError> {
    session.rows(
        "SELECT id, name, identifier, active FROM gate WHERE organizer = ?1 ORDER BY identifier",
        values![organizer],
        |columns| {
            let gate = wire::Gate {
                id: columns.next()?,
                name: columns.next()?,
                identifier: columns.next()?,
            };
            Ok((gate, columns.next()?))
        },
    )
}

pub(in crate::server::store) fn create_gate(
    session: &mut dyn Session,
    organizer: i64,
    identifier: &str,
    name: &str,
) -> Result<wire::Gate, StoreError> {
    let made = session.one(
        "INSERT INTO gate (organizer, identifier, name) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING RETURNING id",
        values![organizer, identifier, name],
    )?;
    Ok(wire::Gate {
        id: expect_created(made, "a gate", identifier)?,
        name: name.to_owned(),
        identifier: identifier.to_owned(),
    })
}

pub(in crate::server::store) fn change_gate(
    session: &mut dyn Session,
    organizer: i64,
    identifier: &str,
    change: &GateChange,
) -> Result<(), StoreError> {
    let changed = session.execute(
        "UPDATE gate SET name = coalesce(?3, name), active = coalesce(?4, active)
         WHERE organizer = ?1 AND identifier = ?2",
        values![organizer, identifier, change.name.as_ref(), change.active],
    )?;
    expect_changed(changed, "gate", identifier)
}

/// The number of the gate with this identifier.
pub(super) fn gate_row(
    session: &mut dyn Session,
    organizer: i64,
    identifier: &str,
) -> Result<i64, StoreError> {
    let row = find_gate(session, organizer, identifier)?;
    row.ok_or_else(|| unknown("gate", identifier))
}

/// All of these that are no gate of the organizer.
pub(in crate::server::store) fn unknown_gates(
    session: &mut dyn Session,
    organizer: i64,
    identifiers: &[String],
) -> Result<Vec<String>, StoreError> {
    let mut unknown = Vec::new();
    for identifier in identifiers {
        if find_gate(session, organizer, identifier)?.is_none() {
            unknown.push(identifier.clone());
        }
    }
    Ok(unknown)
}

pub(super) fn find_gate(
    session: &mut dyn Session,
    organizer: i64,
    identifier: &str,
) -> Result<Option<i64>, StoreError> {
    session.one(
        "SELECT id FROM gate WHERE organizer = ?1 AND identifier = ?2",
        values![organizer, identifier],
    )
}

pub(in crate::server::store) fn medium_keys(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
) -> Result<Vec<MediumKeys>, StoreError> {
    session.rows(
        "SELECT public_id, active, media_type, uid_key, diversification_key
         FROM medium_key_set WHERE organizer = ?1 ORDER BY public_id",
        values![organizer],
        |columns| {
            let public_id = columns.next()?;
            let unseal =
                |column, sealed: Vec<u8>| keys.unseal(&medium_purpose(public_id, column), &sealed);
            Ok(MediumKeys {
                public_id,
                active: columns.next()?,
                media_type: columns.next()?,
                uid_key: unseal("uid_key", columns.next()?)?,
                diversification_key: unseal("diversification_key", columns.next()?)?,
            })
        },
    )
}

pub(in crate::server::store) fn create_medium_keys(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    set: &MediumKeys,
) -> Result<(), StoreError> {
    let seal = |column, key| keys.seal(&medium_purpose(set.public_id, column), key);
    let made = session.one::<i64>(
        "INSERT INTO medium_key_set
            (public_id, organizer, active, media_type, uid_key, diversification_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO NOTHING RETURNING public_id",
        values![
            set.public_id,
            organizer,
            set.active,
            &set.media_type,
            &seal("uid_key", &set.uid_key)?,
            &seal("diversification_key", &set.diversification_key)?,
        ],
    )?;
    expect_created(made, "a medium key set", &set.public_id.to_string()).map(drop)
}

/// Binds a sealed key to its set and column.
fn medium_purpose(public_id: i64, column: &str) -> String {
    format!("{column} of medium key set {public_id}")
}
