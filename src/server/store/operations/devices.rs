//! Devices as their organizer sees them.

use std::collections::HashMap;

use super::found::unknown;
use super::{callers, initialization_tokens, numbers};
use crate::server::installation_keys::InstallationKeys;
use crate::server::model::{CodeState, Version, VersionedDevice};
use crate::server::store::administration::PlacedDevice;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, Session, values};
use crate::wire;

pub(in crate::server::store) fn count(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<u64, StoreError> {
    let count = session.one(
        "SELECT device_count - (SELECT CAST(coalesce(sum(numbers), 0) AS BIGINT)
            FROM skipped_numbers WHERE skipped_numbers.organizer = organizer.id)
         FROM organizer WHERE id = ?1",
        values![organizer],
    )?;
    count.ok_or_else(|| unknown("organizer", &organizer.to_string()))
}

/// Programs looked for at most, for a choice among them.
const PROGRAMS: u64 = 50;

/// The programs that an organizer's devices have reported: each is found behind the one before it.
pub(in crate::server::store) fn software(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<Vec<String>, StoreError> {
    session.rows(
        "WITH RECURSIVE program (name) AS (
            SELECT (SELECT min(software_brand) FROM device
                WHERE organizer = ?1 AND software_brand IS NOT NULL)
            UNION ALL
            SELECT (SELECT min(software_brand) FROM device
                WHERE organizer = ?1 AND software_brand > program.name)
            FROM program WHERE program.name IS NOT NULL)
         SELECT name FROM program WHERE name IS NOT NULL LIMIT ?2",
        values![organizer, PROGRAMS],
        |columns| columns.next(),
    )
}

/// What [`device`] reads.
pub(super) const COLUMNS: &str = "device.device_id, device.unique_serial, device.token_sealed,
    device.all_events, device.revoked, device.name, device.created, device.initialized,
    device.hardware_brand, device.hardware_model, device.os_name, device.os_version,
    device.software_brand, device.software_version, device.security_profile";

pub(in crate::server::store) fn page(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    skip: u64,
    limit: u64,
) -> Result<Vec<wire::Device>, StoreError> {
    let numbers = numbers::range(session, organizer, skip, limit)?;
    between(session, keys, organizer, numbers)
}

/// The devices behind the first of two numbers, up to the other.
pub(super) fn between(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    (after, last): (u64, u64),
) -> Result<Vec<wire::Device>, StoreError> {
    let mut limits = event_limits(session, organizer, after, last)?;
    let sql = format!(
        "SELECT {COLUMNS} FROM device WHERE organizer = ?1 AND device_id > ?2 AND device_id <= ?3
         ORDER BY device_id"
    );
    session.rows(&sql, values![organizer, after, last], |columns| {
        device(columns, keys, &mut limits)
    })
}

pub(in crate::server::store) fn find(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    device_id: u64,
) -> Result<Option<VersionedDevice>, StoreError> {
    let Some(before) = device_id.checked_sub(1) else {
        return Ok(None);
    };
    let mut found = between(session, keys, organizer, (before, device_id))?;
    let Some(device) = found.pop() else {
        return Ok(None);
    };
    let version = session.row(
        "SELECT gate, token_lookup FROM device WHERE organizer = ?1 AND device_id = ?2",
        values![organizer, device_id],
        |columns| {
            let (gate, lookup) = (columns.next()?, columns.next::<Vec<u8>>()?);
            Ok(Version::of(&device, gate, &lookup))
        },
    )?;
    Ok(version.map(|version| VersionedDevice { device, version }))
}

/// The slugs of the events that devices are limited to, by the device's number.
fn event_limits(
    session: &mut dyn Session,
    organizer: i64,
    after: u64,
    last: u64,
) -> Result<HashMap<u64, Vec<String>>, StoreError> {
    let mut limits: HashMap<u64, Vec<String>> = HashMap::new();
    session.query(
        "SELECT device.device_id, event.slug
         FROM device
         JOIN device_event ON device_event.device = device.id
         JOIN event ON event.id = device_event.event
         WHERE device.organizer = ?1 AND device.device_id > ?2 AND device.device_id <= ?3
         ORDER BY event.date_from, event.name, event.slug",
        values![organizer, after, last],
        &mut |columns| {
            limits
                .entry(columns.next()?)
                .or_default()
                .push(columns.next()?);
            Ok(())
        },
    )?;
    Ok(limits)
}

/// Reads [`COLUMNS`], with the events that devices are limited to by their numbers.
pub(super) fn device(
    columns: &mut Columns<'_>,
    keys: &InstallationKeys,
    limits: &mut HashMap<u64, Vec<String>>,
) -> Result<wire::Device, StoreError> {
    let device_id = columns.next()?;
    let unique_serial: String = columns.next()?;
    let token = initialization_tokens::open(keys, &unique_serial, &columns.next::<Vec<u8>>()?)?;
    Ok(wire::Device {
        device_id,
        unique_serial,
        initialization_token: token,
        limit_events: limits.remove(&device_id).unwrap_or_default(),
        all_events: columns.next()?,
        revoked: columns.next()?,
        name: columns.next()?,
        created: columns.next()?,
        initialized: columns.next()?,
        hardware_brand: columns.next()?,
        hardware_model: columns.next()?,
        os_name: columns.next()?,
        os_version: columns.next()?,
        software_brand: columns.next()?,
        software_version: columns.next()?,
        security_profile: columns.next()?,
    })
}

pub(in crate::server::store) fn row_of(
    session: &mut dyn Session,
    organizer: i64,
    device_id: u64,
) -> Result<i64, StoreError> {
    let row = row_if_there(session, organizer, device_id)?;
    row.ok_or_else(|| unknown("device", &device_id.to_string()))
}

pub(in crate::server::store) fn is_there(
    session: &mut dyn Session,
    organizer: i64,
    device_id: u64,
) -> Result<bool, StoreError> {
    Ok(row_if_there(session, organizer, device_id)?.is_some())
}

pub(super) fn row_if_there(
    session: &mut dyn Session,
    organizer: i64,
    device_id: u64,
) -> Result<Option<i64>, StoreError> {
    session.one(
        "SELECT id FROM device WHERE organizer = ?1 AND device_id = ?2",
        values![organizer, device_id],
    )
}

pub(in crate::server::store) fn placed(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
) -> Result<Vec<PlacedDevice>, StoreError> {
    placed_between(session, keys, organizer, (0, u64::MAX))
}

pub(in crate::server::store) fn placed_one(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    device_id: u64,
) -> Result<Option<PlacedDevice>, StoreError> {
    let Some(before) = device_id.checked_sub(1) else {
        return Ok(None);
    };
    let mut found = placed_between(session, keys, organizer, (before, device_id))?;
    Ok(found.pop())
}

fn placed_between(
    session: &mut dyn Session,
    keys: &InstallationKeys,
    organizer: i64,
    (after, last): (u64, u64),
) -> Result<Vec<PlacedDevice>, StoreError> {
    let devices = between(session, keys, organizer, (after, last))?;
    let mut more: HashMap<u64, (Option<wire::Gate>, bool)> = HashMap::new();
    session.query(
        "SELECT device.device_id, device.reconnecting, gate.id, gate.name, gate.identifier
         FROM device LEFT JOIN gate ON gate.id = device.gate
         WHERE device.organizer = ?1 AND device.device_id > ?2 AND device.device_id <= ?3",
        values![organizer, after, last],
        &mut |columns| {
            let (device_id, is_reconnecting) = (columns.next()?, columns.next()?);
            more.insert(device_id, (callers::gate(columns)?, is_reconnecting));
            Ok(())
        },
    )?;
    let placed = devices.into_iter().map(|device| {
        let (gate, is_reconnecting) = more.remove(&device.device_id).unwrap_or_default();
        PlacedDevice {
            gate,
            code: CodeState::of(&device, is_reconnecting),
            device,
        }
    });
    Ok(placed.collect())
}
