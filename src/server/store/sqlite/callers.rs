//! Who calls: the holder of a team's token, or a device.

use rusqlite::{Connection, OptionalExtension, Row};

use crate::server::organizers_file::Permissions;
use crate::server::store::{EnrolledDevice, Organizer, StoreError, TeamCaller};
use crate::wire;

pub(super) fn team(
    connection: &Connection,
    hash: &[u8; 32],
) -> Result<Option<TeamCaller>, StoreError> {
    let caller = connection
        .prepare_cached(
            "SELECT team_token.id AS token, team_token.active AND team.active AS usable,
                team.permissions, organizer.id AS organizer, organizer.slug, organizer.active
             FROM team_token
             JOIN team ON team.id = team_token.team
             JOIN organizer ON organizer.id = team.organizer
             WHERE team_token.hash = ?1",
        )?
        .query_row([hash], |row| {
            Ok(TeamCaller {
                token: row.get("token")?,
                active: row.get("usable")?,
                organizer: organizer(row)?,
                permissions: permissions(row.get("permissions")?),
            })
        })
        .optional()?;
    Ok(caller)
}

/// Permissions as they are stored: a JSON list, or nothing for all.
pub(super) fn permissions(stored: Option<String>) -> Permissions {
    match stored {
        None => Permissions::All,
        // What can't be read permits nothing.
        Some(list) => Permissions::Listed(serde_json::from_str(&list).unwrap_or_default()),
    }
}

const DEVICE: &str = "
    SELECT device.id, device.device_id, device.unique_serial, device.name,
        device.security_profile, device.revoked, device.rsa_pubkey,
        organizer.id AS organizer, organizer.slug, organizer.active,
        gate.id AS gate, gate.name AS gate_name, gate.identifier AS gate_identifier
    FROM device
    JOIN organizer ON organizer.id = device.organizer
    LEFT JOIN gate ON gate.id = device.gate AND gate.active";

pub(super) fn device(
    connection: &Connection,
    key_hash: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let device = connection
        .prepare_cached(&format!("{DEVICE} WHERE device.api_key_hash = ?1"))?
        .query_row([key_hash], enrolled)
        .optional()?;
    Ok(device)
}

pub(super) fn device_by_row(
    connection: &Connection,
    id: i64,
) -> Result<EnrolledDevice, StoreError> {
    let device = connection
        .prepare_cached(&format!("{DEVICE} WHERE device.id = ?1"))?
        .query_row([id], enrolled)?;
    Ok(device)
}

fn enrolled(row: &Row<'_>) -> rusqlite::Result<EnrolledDevice> {
    let gate = match row.get::<_, Option<i64>>("gate")? {
        None => None,
        Some(id) => Some(wire::Gate {
            id,
            name: row.get("gate_name")?,
            identifier: row.get("gate_identifier")?,
        }),
    };
    Ok(EnrolledDevice {
        id: row.get("id")?,
        organizer: organizer(row)?,
        device_id: row.get("device_id")?,
        unique_serial: row.get("unique_serial")?,
        name: row.get("name")?,
        security_profile: row.get("security_profile")?,
        gate,
        revoked: row.get("revoked")?,
        rsa_pubkey: row.get("rsa_pubkey")?,
    })
}

fn organizer(row: &Row<'_>) -> rusqlite::Result<Organizer> {
    Ok(Organizer {
        id: row.get("organizer")?,
        slug: row.get("slug")?,
        active: row.get("active")?,
    })
}
