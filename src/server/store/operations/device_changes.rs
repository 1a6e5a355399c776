//! Making devices and changing them: what each change is logged as stands beside it.

use serde_json::{Value, json};

use super::found::{exists, unknown};
use super::{Context, devices, initialization_tokens, log, organizers};
use crate::server::installation_keys::KeyHash;
use crate::server::model::{DeviceChange, NewDevice, VersionedDevice};
use crate::server::organizers_file::ReportEntry;
use crate::server::store::error::StoreError;
use crate::server::store::session::{LOCKING_DEVICE, Session, values};
use crate::server::tokens;
use crate::wire;

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
    devices::between(session, context.keys, organizer, (before, last))
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
        _ => devices::row_of(session, organizer, new.device_id).map(Some),
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
    let device = devices::find(session, context.keys, organizer, device_id)?;
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
