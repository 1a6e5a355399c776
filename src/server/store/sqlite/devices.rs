//! Devices: as their organizer sees them, and what they do themselves.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::{Context, callers, log, micros, time};
use crate::secret::Secret;
use crate::server::installation_keys::InstallationKeys;
use crate::server::store::{
    DeviceChange, EnrolledDevice, NewDevice, PlacedDevice, Redemption, Report, ReportRefusal,
    StoreError, TokenRefusal, Update,
};
use crate::server::tokens;
use crate::wire;

pub(super) fn count(connection: &Connection, organizer: i64) -> Result<u64, StoreError> {
    let count = connection
        .prepare_cached("SELECT device_count FROM organizer WHERE id = ?1")?
        .query_row([organizer], |row| row.get(0))?;
    Ok(count)
}

pub(super) fn page(
    connection: &Connection,
    keys: &InstallationKeys,
    organizer: i64,
    skip: u64,
    limit: u64,
) -> Result<Vec<wire::Device>, StoreError> {
    // Their numbers have no gaps, so that the skipped ones need not be counted through.
    let after = i64::try_from(skip).unwrap_or(i64::MAX);
    let last = i64::try_from(skip.saturating_add(limit)).unwrap_or(i64::MAX);
    let mut limits = event_limits(connection, organizer, after, last)?;
    let mut statement = connection.prepare_cached(
        "SELECT * FROM device WHERE organizer = ?1 AND device_id > ?2 AND device_id <= ?3
         ORDER BY device_id",
    )?;
    let mut rows = statement.query(params![organizer, after, last])?;
    let mut devices = Vec::new();
    while let Some(row) = rows.next()? {
        devices.push(device(row, keys, &mut limits)?);
    }
    Ok(devices)
}

pub(super) fn find(
    connection: &Connection,
    keys: &InstallationKeys,
    organizer: i64,
    device_id: u64,
) -> Result<Option<wire::Device>, StoreError> {
    match device_id.checked_sub(1) {
        Some(skip) => page(connection, keys, organizer, skip, 1).map(|mut page| page.pop()),
        None => Ok(None),
    }
}

/// The slugs of the events that devices are limited to, by the device's number.
fn event_limits(
    connection: &Connection,
    organizer: i64,
    after: i64,
    last: i64,
) -> rusqlite::Result<HashMap<u64, Vec<String>>> {
    let mut statement = connection.prepare_cached(
        "SELECT device.device_id, event.slug
         FROM device
         JOIN device_event ON device_event.device = device.id
         JOIN event ON event.id = device_event.event
         WHERE device.organizer = ?1 AND device.device_id > ?2 AND device.device_id <= ?3
         ORDER BY event.date_from, event.name, event.slug",
    )?;
    let mut limits: HashMap<u64, Vec<String>> = HashMap::new();
    let mut rows = statement.query(params![organizer, after, last])?;
    while let Some(row) = rows.next()? {
        limits.entry(row.get(0)?).or_default().push(row.get(1)?);
    }
    Ok(limits)
}

fn device(
    row: &Row<'_>,
    keys: &InstallationKeys,
    limits: &mut HashMap<u64, Vec<String>>,
) -> Result<wire::Device, StoreError> {
    let unique_serial: String = row.get("unique_serial")?;
    let token = keys.unseal(
        &token_purpose(&unique_serial),
        &row.get::<_, Vec<u8>>("token_sealed")?,
    )?;
    let device_id = row.get("device_id")?;
    Ok(wire::Device {
        device_id,
        unique_serial,
        initialization_token: Some(Secret::new(String::from_utf8_lossy(&token).into_owned())),
        all_events: row.get("all_events")?,
        limit_events: limits.remove(&device_id).unwrap_or_default(),
        revoked: row.get("revoked")?,
        name: row.get("name")?,
        created: time(row.get("created")?)?,
        initialized: row
            .get::<_, Option<i64>>("initialized")?
            .map(time)
            .transpose()?,
        hardware_brand: row.get("hardware_brand")?,
        hardware_model: row.get("hardware_model")?,
        os_name: row.get("os_name")?,
        os_version: row.get("os_version")?,
        software_brand: row.get("software_brand")?,
        software_version: row.get("software_version")?,
        security_profile: row.get("security_profile")?,
    })
}

/// Binds a sealed initialization token to its device.
fn token_purpose(unique_serial: &str) -> String {
    format!("initialization token of {unique_serial}")
}

pub(super) fn create(
    connection: &Connection,
    context: &Context<'_>,
    organizer: i64,
    new: &NewDevice,
) -> Result<wire::Device, StoreError> {
    let gate = gate(connection, organizer, new.gate.as_deref())?;
    let device_id: u64 = connection
        .prepare_cached(
            "UPDATE organizer SET device_count = device_count + 1 WHERE id = ?1
             RETURNING device_count",
        )?
        .query_row([organizer], |row| row.get(0))?;
    let (serial, token) = (tokens::serial()?, tokens::initialization_token()?);
    let sealed = context
        .keys
        .seal(&token_purpose(&serial), token.expose().as_bytes())?;
    connection
        .prepare_cached(
            "INSERT INTO device (organizer, device_id, unique_serial, token_lookup, token_sealed,
                name, all_events, security_profile, gate, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            organizer,
            device_id,
            serial,
            context.keys.token_lookup(&token),
            sealed,
            new.name,
            new.all_events,
            new.security_profile,
            gate,
            micros(context.now),
        ])?;
    let row = connection.last_insert_rowid();
    limit_to(connection, organizer, row, &new.limit_events)?;
    let data = json!({
        "name": new.name, "all_events": new.all_events, "limit_events": new.limit_events,
        "security_profile": new.security_profile, "gate": new.gate,
    });
    log::write(connection, context, row, "created", &data)?;
    existing(connection, context, organizer, device_id)
}

pub(super) fn change(
    connection: &Connection,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
    change: &DeviceChange,
) -> Result<wire::Device, StoreError> {
    let row = row_of(connection, organizer, device_id)?;
    connection
        .prepare_cached(
            "UPDATE device SET name = coalesce(?2, name), all_events = coalesce(?3, all_events),
                security_profile = coalesce(?4, security_profile)
             WHERE id = ?1",
        )?
        .execute(params![
            row,
            change.name,
            change.all_events,
            change.security_profile
        ])?;
    if let Some(events) = &change.limit_events {
        connection
            .prepare_cached("DELETE FROM device_event WHERE device = ?1")?
            .execute([row])?;
        limit_to(connection, organizer, row, events)?;
    }
    if let Some(identifier) = &change.gate {
        let gate = gate(connection, organizer, identifier.as_deref())?;
        connection
            .prepare_cached("UPDATE device SET gate = ?2 WHERE id = ?1")?
            .execute(params![row, gate])?;
    }
    log::write(connection, context, row, "changed", &changed(change))?;
    existing(connection, context, organizer, device_id)
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

pub(super) fn row_of(
    connection: &Connection,
    organizer: i64,
    device_id: u64,
) -> Result<i64, StoreError> {
    connection
        .prepare_cached("SELECT id FROM device WHERE organizer = ?1 AND device_id = ?2")?
        .query_row(params![organizer, device_id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| unknown(device_id))
}

fn existing(
    connection: &Connection,
    context: &Context<'_>,
    organizer: i64,
    device_id: u64,
) -> Result<wire::Device, StoreError> {
    find(connection, context.keys, organizer, device_id)?.ok_or_else(|| unknown(device_id))
}

fn unknown(device_id: u64) -> StoreError {
    StoreError::Unknown {
        kind: "device",
        name: device_id.to_string(),
    }
}

fn limit_to(
    connection: &Connection,
    organizer: i64,
    device: i64,
    slugs: &[String],
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO device_event (device, event)
         SELECT ?1, id FROM event WHERE organizer = ?2 AND slug = ?3",
    )?;
    let mut known =
        connection.prepare_cached("SELECT 1 FROM event WHERE organizer = ?1 AND slug = ?2")?;
    for slug in slugs {
        if !known.exists(params![organizer, slug])? {
            return Err(StoreError::Unknown {
                kind: "event",
                name: slug.clone(),
            });
        }
        statement.execute(params![device, organizer, slug])?;
    }
    Ok(())
}

fn gate(
    connection: &Connection,
    organizer: i64,
    identifier: Option<&str>,
) -> Result<Option<i64>, StoreError> {
    let Some(identifier) = identifier else {
        return Ok(None);
    };
    connection
        .prepare_cached("SELECT id FROM gate WHERE organizer = ?1 AND identifier = ?2")?
        .query_row(params![organizer, identifier], |row| row.get(0))
        .optional()?
        .map(Some)
        .ok_or_else(|| StoreError::Unknown {
            kind: "gate",
            name: identifier.to_owned(),
        })
}

pub(super) fn redeem(
    connection: &Connection,
    context: &Context<'_>,
    token_lookup: &[u8; 32],
    report: &Report,
    api_key: &[u8; 32],
) -> Result<Redemption, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT device.id, device.initialized IS NOT NULL, device.revoked
             FROM device JOIN organizer ON organizer.id = device.organizer
             WHERE token_lookup = ?1 AND organizer.active",
        )?
        .query_row([token_lookup], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let row: i64 = match found {
        None => return Ok(Err(TokenRefusal::Unknown)),
        Some((_, true, _)) => return Ok(Err(TokenRefusal::Used)),
        Some((_, false, true)) => return Ok(Err(TokenRefusal::Revoked)),
        Some((row, false, false)) => row,
    };
    connection
        .prepare_cached("UPDATE device SET initialized = ?2, api_key_hash = ?3 WHERE id = ?1")?
        .execute(params![row, micros(context.now), api_key])?;
    store_report(connection, row, report)?;
    log::write(connection, context, row, "initialized", &reported(report))?;
    callers::device_by_row(connection, row).map(Ok)
}

pub(super) fn update(
    connection: &Connection,
    context: &Context<'_>,
    key: &[u8; 32],
    report: &Report,
) -> Result<Update, StoreError> {
    let Some(device) = with_access(connection, key)? else {
        return Ok(Err(ReportRefusal::NoAccess));
    };
    if device.rsa_pubkey.is_some()
        && report.rsa_pubkey.is_some()
        && device.rsa_pubkey != report.rsa_pubkey
    {
        return Ok(Err(ReportRefusal::OtherPublicKey));
    }
    store_report(connection, device.id, report)?;
    log::write(connection, context, device.id, "updated", &reported(report))?;
    callers::device_by_row(connection, device.id).map(Ok)
}

pub(super) fn roll(
    connection: &Connection,
    context: &Context<'_>,
    key: &[u8; 32],
    new: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let Some(device) = with_access(connection, key)? else {
        return Ok(None);
    };
    connection
        .prepare_cached("UPDATE device SET api_key_hash = ?2 WHERE id = ?1")?
        .execute(params![device.id, new])?;
    log::write(connection, context, device.id, "key rolled", &json!({}))?;
    Ok(Some(device))
}

pub(super) fn revoke_by_key(
    connection: &Connection,
    context: &Context<'_>,
    key: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let Some(device) = with_access(connection, key)? else {
        return Ok(None);
    };
    revoke(connection, context, device.id)?;
    Ok(Some(device))
}

/// Ends a device's access for good. Its key stays known, so that it is told so.
pub(super) fn revoke(
    connection: &Connection,
    context: &Context<'_>,
    row: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE device SET revoked = 1 WHERE id = ?1")?
        .execute([row])?;
    log::write(connection, context, row, "revoked", &json!({}))
}

fn with_access(
    connection: &Connection,
    key: &[u8; 32],
) -> Result<Option<EnrolledDevice>, StoreError> {
    let device = callers::device(connection, key)?;
    Ok(device.filter(|device| !device.revoked && device.organizer.active))
}

fn store_report(connection: &Connection, row: i64, report: &Report) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE device SET hardware_brand = ?2, hardware_model = ?3, os_name = ?4,
                os_version = ?5, software_brand = ?6, software_version = ?7, info = ?8,
                rsa_pubkey = coalesce(rsa_pubkey, ?9)
             WHERE id = ?1",
        )?
        .execute(params![
            row,
            report.hardware_brand,
            report.hardware_model,
            report.os_name,
            report.os_version,
            report.software_brand,
            report.software_version,
            report.info.as_ref().map(Value::to_string),
            report.rsa_pubkey,
        ])?;
    Ok(())
}

/// A report for the log: without its diagnostics, which are long and soon outdated.
fn reported(report: &Report) -> Value {
    json!({
        "hardware_brand": report.hardware_brand,
        "hardware_model": report.hardware_model,
        "os_name": report.os_name,
        "os_version": report.os_version,
        "software_brand": report.software_brand,
        "software_version": report.software_version,
        "rsa_pubkey": report.rsa_pubkey,
    })
}

pub(super) fn placed(
    connection: &Connection,
    keys: &InstallationKeys,
    organizer: i64,
    skip: u64,
    limit: u64,
) -> Result<Vec<PlacedDevice>, StoreError> {
    let devices = page(connection, keys, organizer, skip, limit)?;
    let mut statement = connection.prepare_cached(
        "SELECT device.device_id, gate.id, gate.name, gate.identifier
         FROM device JOIN gate ON gate.id = device.gate
         WHERE device.organizer = ?1 AND device.device_id BETWEEN ?2 AND ?3",
    )?;
    let first = devices.first().map_or(0, |device| device.device_id);
    let last = devices.last().map_or(0, |device| device.device_id);
    let gates = statement.query_map(params![organizer, first, last], |row| {
        let gate = wire::Gate {
            id: row.get(1)?,
            name: row.get(2)?,
            identifier: row.get(3)?,
        };
        Ok((row.get(0)?, gate))
    })?;
    let mut gates = gates.collect::<Result<HashMap<u64, wire::Gate>, _>>()?;
    let placed = devices.into_iter().map(|device| PlacedDevice {
        gate: gates.remove(&device.device_id),
        device,
    });
    Ok(placed.collect())
}
