//! Who calls: the holder of a team's token, or a device.

use crate::server::model::{EnrolledDevice, Organizer, TeamCaller};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, LOCKING_DEVICE, Session, values};
use crate::wire;

use super::teams::permissions;

pub(in crate::server::store) fn team(
    session: &mut dyn Session,
    hash: &[u8; 32],
) -> Result<Option<TeamCaller>, StoreError> {
    session.row(
        "SELECT team_token.id, team_token.active AND team.active,
            organizer.id, organizer.slug, organizer.active, team.permissions
         FROM team_token
         JOIN team ON team.id = team_token.team
         JOIN organizer ON organizer.id = team.organizer
         WHERE team_token.hash = ?1",
        values![hash],
        |columns| {
            Ok(TeamCaller {
                token: columns.next()?,
                active: columns.next()?,
                organizer: organizer(columns)?,
                permissions: permissions(columns.next()?),
            })
        },
    )
}

/// Enrolled devices, by a condition.
macro_rules! devices_where {
    ($condition:literal) => {
        concat!(
            "SELECT device.id, organizer.id, organizer.slug, organizer.active, device.device_id,
                device.unique_serial, device.name, device.security_profile,
                gate.id, gate.name, gate.identifier, device.revoked, device.rsa_pubkey,
                device.initialized IS NOT NULL, device.reconnecting
             FROM device
             JOIN organizer ON organizer.id = device.organizer
             LEFT JOIN gate ON gate.id = device.gate AND gate.active
             WHERE ",
            $condition
        )
    };
}

pub(in crate::server::store) fn device(
    session: &mut dyn Session,
    key_hash: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let sql = devices_where!("device.api_key_hash = ?1");
    session.row(sql, values![key_hash], enrolled)
}

/// The same, and nobody else changes it until the transaction ends.
pub(super) fn device_to_change(
    session: &mut dyn Session,
    key_hash: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let sql = devices_where!("device.api_key_hash = ?1 FOR UPDATE OF device");
    debug_assert!(sql.ends_with(LOCKING_DEVICE));
    session.row(sql, values![key_hash], enrolled)
}

/// The device with this initialization token, whether it was redeemed, and whether it may be again; nobody else changes it until the
/// transaction ends.
pub(super) fn device_to_initialize(
    session: &mut dyn Session,
    token_lookup: &[u8; 32],
) -> Result<Option<(EnrolledDevice, bool, bool)>, StoreError> {
    let sql = devices_where!("device.token_lookup = ?1 AND organizer.active FOR UPDATE OF device");
    debug_assert!(sql.ends_with(LOCKING_DEVICE));
    session.row(sql, values![token_lookup], |columns| {
        Ok((enrolled(columns)?, columns.next()?, columns.next()?))
    })
}

fn enrolled(columns: &mut Columns<'_>) -> Result<EnrolledDevice, StoreError> {
    Ok(EnrolledDevice {
        id: columns.next()?,
        organizer: organizer(columns)?,
        device_id: columns.next()?,
        unique_serial: columns.next()?,
        name: columns.next()?,
        security_profile: columns.next()?,
        gate: gate(columns)?,
        revoked: columns.next()?,
        rsa_pubkey: columns.next()?,
    })
}

pub(super) fn organizer(columns: &mut Columns<'_>) -> Result<Organizer, StoreError> {
    Ok(Organizer {
        id: columns.next()?,
        slug: columns.next()?,
        active: columns.next()?,
    })
}

/// A gate that may be none.
pub(super) fn gate(columns: &mut Columns<'_>) -> Result<Option<wire::Gate>, StoreError> {
    let (id, name, identifier) = (columns.next()?, columns.next()?, columns.next()?);
    Ok(match (id, name, identifier) {
        (Some(id), Some(name), Some(identifier)) => Some(wire::Gate {
            id,
            name,
            identifier,
        }),
        _ => None,
    })
}
