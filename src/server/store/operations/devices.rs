//! Devices as their organizer sees and manages them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::found::{exists, unknown};
use super::{Context, callers, initialization_tokens, log, numbers, organizers};
use crate::server::installation_keys::{InstallationKeys, KeyHash};
use crate::server::model::{CodeState, DeviceChange, NewDevice, Version, VersionedDevice};
use crate::server::organizers_file::ReportEntry;
use crate::server::store::administration::PlacedDevice;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, LOCKING_DEVICE, Session, values};
use crate::server::tokens;
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
fn between(
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

/// Creates devices with the organizer's next numbers.
pub(in crate::server::store) fn create(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    new: &[NewDevice],
) -> Result<Vec<wire::Device>, StoreError> {
    let count = new.len() as u64;
    let last: Option<u64> = session.one(
        "UPDATE organizer SET device_count = device_count + ?2 WHERE id = ?1
         RETURNING device_count",
        values![organizer, count],
    )?;
    let last = last.ok_or_else(|| unknown("organizer", &organizer.to_string()))?;
    let before = last.saturating_sub(count);
    for (device_id, new) in (before + 1..).zip(new) {
        begin(session, context, organizer, device_id, new)?;
    }
    between(session, context.keys, organizer, (before, last))
}

fn begin(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
    new: &NewDevice,
) -> Result<(), StoreError> {
    let gate = gate(session, organizer, new.gate.as_deref())?;
    let beginning = Beginning {
        device_id,
        serial: &tokens::serial()?,
        name: &new.name,
        all_events: new.all_events,
        security_profile: &new.security_profile,
        gate,
        api_key_hash: None,
        revoked: false,
        report: &ReportEntry::default(),
    };
    let row = insert(session, context, organizer, &beginning)?;
    let row = row.ok_or_else(|| exists("a device", beginning.serial))?;
    limit_to(session, organizer, row, &new.limit_events)?;
    log::write(session, context, row, "created", &created(new))
}

/// What a device is created with, for the log.
pub(super) fn created(new: &NewDevice) -> Value {
    json!({
        "name": new.name, "all_events": new.all_events, "limit_events": new.limit_events,
        "security_profile": new.security_profile, "gate": new.gate,
    })
}

/// What a device has from the beginning.
pub(super) struct Beginning<'d> {
    pub(super) device_id: u64,
    pub(super) serial: &'d str,
    pub(super) name: &'d str,
    pub(super) all_events: bool,
    pub(super) security_profile: &'d str,
    /// The row of its gate.
    pub(super) gate: Option<i64>,
    /// With a key it is initialized.
    pub(super) api_key_hash: Option<&'d KeyHash>,
    pub(super) revoked: bool,
    pub(super) report: &'d ReportEntry,
}

/// Stores a device with a token of its own, and gives its row; `None` if its serial or key is there
/// already.
pub(super) fn insert(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    new: &Beginning<'_>,
) -> Result<Option<i64>, StoreError> {
    let (lookup, sealed) = initialization_tokens::fresh(context.keys, new.serial)?;
    let report = new.report;
    // Its row is looked up: SQLite copies each page that an INSERT with RETURNING changes.
    let inserted = session.execute(
        "INSERT INTO device (organizer, device_id, unique_serial, token_lookup, token_sealed,
            name, all_events, security_profile, gate, created, api_key_hash, initialized, revoked,
            hardware_brand, hardware_model, os_name, os_version, software_brand,
            software_version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19)
         ON CONFLICT DO NOTHING",
        values![
            organizer,
            new.device_id,
            new.serial,
            &lookup,
            &sealed,
            new.name,
            new.all_events,
            new.security_profile,
            new.gate,
            context.now,
            new.api_key_hash,
            new.api_key_hash.map(|_| context.now),
            new.revoked,
            report.hardware_brand.as_ref(),
            report.hardware_model.as_ref(),
            report.os_name.as_ref(),
            report.os_version.as_ref(),
            report.software_brand.as_ref(),
            report.software_version.as_ref(),
        ],
    )?;
    match inserted {
        0 => Ok(None),
        _ => row_of(session, organizer, new.device_id).map(Some),
    }
}

pub(in crate::server::store) fn change(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
    change: &DeviceChange,
) -> Result<VersionedDevice, StoreError> {
    let row = row_to_change(session, organizer, device_id)?;
    expected(session, context, organizer, device_id)?;
    apply(session, context, organizer, row, change)?;
    existing(session, context, organizer, device_id)
}

/// Changes the device in this row.
pub(super) fn apply(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    row: i64,
    change: &DeviceChange,
) -> Result<(), StoreError> {
    session.execute(
        "UPDATE device SET name = coalesce(?2, name), all_events = coalesce(?3, all_events),
            security_profile = coalesce(?4, security_profile)
         WHERE id = ?1",
        values![
            row,
            change.name.as_ref(),
            change.all_events,
            change.security_profile.as_ref(),
        ],
    )?;
    if let Some(events) = &change.limit_events {
        session.execute("DELETE FROM device_event WHERE device = ?1", values![row])?;
        limit_to(session, organizer, row, events)?;
    }
    if let Some(identifier) = &change.gate {
        let gate = gate(session, organizer, identifier.as_deref())?;
        session.execute(
            "UPDATE device SET gate = ?2 WHERE id = ?1",
            values![row, gate],
        )?;
    }
    log::write(session, context, row, "changed", &changed(change))
}

/// What of a change is given, for the log.
fn changed(change: &DeviceChange) -> Value {
    let given = [
        ("name", change.name.as_ref().map(|name| json!(name))),
        ("all_events", change.all_events.map(|all| json!(all))),
        (
            "limit_events",
            change.limit_events.as_ref().map(|slugs| json!(slugs)),
        ),
        (
            "security_profile",
            change.security_profile.as_ref().map(|name| json!(name)),
        ),
        ("gate", change.gate.as_ref().map(|gate| json!(gate))),
    ];
    let given = given.into_iter();
    given
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Ends the access of a device for good, if it has not ended.
pub(in crate::server::store) fn end_access(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
) -> Result<VersionedDevice, StoreError> {
    let row = row_to_change(session, organizer, device_id)?;
    expected(session, context, organizer, device_id)?;
    revoke(session, context, row)?;
    existing(session, context, organizer, device_id)
}

/// Ends a device's access for good. Its key stays known, so that it is told so. What it was answered stays, too: one
/// that lost the answer with its fresh key hears with that key alone that it was revoked.
pub(super) fn revoke(
    session: &mut dyn Session,
    context: &Context<'_>,
    row: i64,
) -> Result<(), StoreError> {
    let revoked = session.execute(
        "UPDATE device SET revoked = TRUE WHERE id = ?1 AND NOT revoked",
        values![row],
    )?;
    match revoked {
        0 => Ok(()),
        _ => log::write(session, context, row, "revoked", &json!({})),
    }
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

/// The row of a device that nobody else changes until the transaction ends.
pub(super) fn row_to_change(
    session: &mut dyn Session,
    organizer: i64,
    device_id: u64,
) -> Result<i64, StoreError> {
    let sql = "SELECT id FROM device WHERE organizer = ?1 AND device_id = ?2 FOR UPDATE OF device";
    debug_assert!(sql.ends_with(LOCKING_DEVICE));
    let row = session.one(sql, values![organizer, device_id])?;
    row.ok_or_else(|| unknown("device", &device_id.to_string()))
}

/// The device before a change, if it is as the caller expects it.
pub(super) fn expected(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
) -> Result<wire::Device, StoreError> {
    let found = existing(session, context, organizer, device_id)?;
    match context.expected.holds(&found.version) {
        true => Ok(found.device),
        false => Err(StoreError::Outdated),
    }
}

pub(super) fn existing(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
) -> Result<VersionedDevice, StoreError> {
    let device = find(session, context.keys, organizer, device_id)?;
    device.ok_or_else(|| unknown("device", &device_id.to_string()))
}

fn limit_to(
    session: &mut dyn Session,
    organizer: i64,
    device: i64,
    slugs: &[String],
) -> Result<(), StoreError> {
    for slug in slugs {
        let event: Option<i64> = session.one(
            "SELECT id FROM event WHERE organizer = ?1 AND slug = ?2",
            values![organizer, slug],
        )?;
        let event = event.ok_or_else(|| unknown("event", slug))?;
        session.execute(
            "INSERT INTO device_event (device, event) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            values![device, event],
        )?;
    }
    Ok(())
}

fn gate(
    session: &mut dyn Session,
    organizer: i64,
    identifier: Option<&str>,
) -> Result<Option<i64>, StoreError> {
    let row = |identifier| organizers::gate_row(session, organizer, identifier);
    identifier.map(row).transpose()
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
