//! One change of many devices: planned, and done as it was planned or not at all.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json, json};

use super::filtered_devices::{Bounds, Condition};
use super::{Context, device_changes};
use crate::server::model::{
    BATCH_LIMIT, BatchPlan, BatchRefusal, BatchSetting, DeviceChange, DeviceFilter, PlannedChange,
    Version,
};
use crate::server::store::api::BatchOutcome;
use crate::server::store::error::StoreError;
use crate::server::store::session::{LOCKING_DEVICE, Session, values};

/// A device that is meant, as it is.
struct Found {
    row: i64,
    device_id: u64,
    gate: Option<String>,
    all_events: bool,
    limit_events: BTreeSet<String>,
    security_profile: String,
    revoked: bool,
}

/// Whether others may change the devices until the transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    Open,
    Held,
}

pub(in crate::server::store) fn plan(
    session: &mut dyn Session,
    organizer: i64,
    filter: &DeviceFilter,
    setting: &BatchSetting,
) -> Result<BatchOutcome, StoreError> {
    let found = find(session, organizer, filter, Lock::Open)?;
    Ok(found.map(|found| planned(organizer, setting, &found)))
}

pub(in crate::server::store) fn change(
    session: &mut dyn Session,
    context: &Context<'_>,
    organizer: i64,
    filter: &DeviceFilter,
    setting: &BatchSetting,
) -> Result<BatchOutcome, StoreError> {
    let found = match find(session, organizer, filter, Lock::Held)? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let plan = planned(organizer, setting, &found);
    if !context.expected.holds(&plan.version) {
        return Ok(Err(BatchRefusal::Outdated));
    }
    for (device, planned) in found.iter().zip(&plan.devices) {
        let change = part(&setting.change, &planned.changes);
        if change != DeviceChange::default() {
            device_changes::apply(session, context, organizer, device.row, &change)?;
        }
        if planned.changes.contains_key(REVOKED) {
            device_changes::revoke(session, context, device.row)?;
        }
    }
    Ok(Ok(plan))
}

const GATE: &str = "gate";
const ALL_EVENTS: &str = "all_events";
const LIMIT_EVENTS: &str = "limit_events";
const SECURITY_PROFILE: &str = "security_profile";
const REVOKED: &str = "revoked";

/// The devices of a filter as they are, by number.
fn find(
    session: &mut dyn Session,
    organizer: i64,
    filter: &DeviceFilter,
    lock: Lock,
) -> Result<Result<Vec<Found>, BatchRefusal>, StoreError> {
    let named: BTreeSet<u64> = filter.numbers.iter().flatten().copied().collect();
    if named.len() > BATCH_LIMIT {
        return Ok(Err(BatchRefusal::TooMany));
    }
    let bounds = Bounds::of(session, organizer, filter)?;
    let mut condition = Condition::of(organizer, filter, &bounds);
    if let Some(before) = filter.last_seen_before {
        condition.and_not_seen_since(before);
    }
    let limit = condition.place(BATCH_LIMIT as u64 + 1);
    let lock = match lock {
        Lock::Open => "",
        Lock::Held => LOCKING_DEVICE,
    };
    let Condition { sql, values } = condition;
    // Not joined: PostgreSQL reads a locked row anew, but not what was joined to it.
    let sql = format!(
        "SELECT device.id, device.device_id, (SELECT gate.identifier FROM gate WHERE gate.id = device.gate),
            device.all_events, device.security_profile, device.revoked
         FROM device
         WHERE {sql} ORDER BY device.device_id LIMIT {limit}{lock}"
    );
    let mut found = session.rows(&sql, &values, |columns| {
        Ok(Found {
            row: columns.next()?,
            device_id: columns.next()?,
            gate: columns.next()?,
            all_events: columns.next()?,
            security_profile: columns.next()?,
            revoked: columns.next()?,
            limit_events: BTreeSet::new(),
        })
    })?;
    // More names or serials begin so than were looked at: which devices are meant is not known then.
    let is_cut = found.len() <= BATCH_LIMIT && bounds.are_cut(session, organizer, filter)?;
    if found.len() > BATCH_LIMIT || is_cut {
        return Ok(Err(BatchRefusal::TooMany));
    }
    let there: BTreeSet<u64> = found.iter().map(|device| device.device_id).collect();
    let missing: Vec<u64> = named.difference(&there).copied().collect();
    if !missing.is_empty() {
        return Ok(Err(BatchRefusal::NoDevices(missing)));
    }
    let mut limits = limits(session, &found)?;
    for device in &mut found {
        device.limit_events = limits.remove(&device.row).unwrap_or_default();
    }
    Ok(Ok(found))
}

fn limits(
    session: &mut dyn Session,
    found: &[Found],
) -> Result<HashMap<i64, BTreeSet<String>>, StoreError> {
    let mut limits: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for device in found {
        session.query(
            "SELECT event.slug FROM device_event JOIN event ON event.id = device_event.event
             WHERE device_event.device = ?1",
            values![device.row],
            &mut |columns| {
                limits
                    .entry(device.row)
                    .or_default()
                    .insert(columns.next()?);
                Ok(())
            },
        )?;
    }
    Ok(limits)
}

/// What a setting changes of these devices.
fn planned(organizer: i64, setting: &BatchSetting, found: &[Found]) -> BatchPlan {
    let devices: Vec<PlannedChange> = found
        .iter()
        .map(|device| PlannedChange {
            device_id: device.device_id,
            changes: changes(device, setting),
        })
        .collect();
    // Of what is to be set, and of what is there where it is set.
    let made_of = json!([organizer, set(setting), devices]);
    BatchPlan {
        version: Version::of_bytes(made_of.to_string().as_bytes()),
        devices,
    }
}

/// What is to be set, by field.
fn set(setting: &BatchSetting) -> [Option<Json>; 5] {
    let BatchSetting { change, revoked } = setting;
    [
        change.gate.as_ref().map(|gate| json!(gate)),
        change.all_events.map(|all| json!(all)),
        change.limit_events.as_ref().map(|slugs| {
            let slugs: BTreeSet<&String> = slugs.iter().collect();
            json!(slugs)
        }),
        change.security_profile.as_ref().map(|name| json!(name)),
        revoked.filter(|revoked| *revoked).map(|_| json!(true)),
    ]
}

fn changes(device: &Found, setting: &BatchSetting) -> Map<String, Json> {
    let there = [
        (GATE, json!(device.gate)),
        (ALL_EVENTS, json!(device.all_events)),
        (LIMIT_EVENTS, json!(device.limit_events)),
        (SECURITY_PROFILE, json!(device.security_profile)),
        (REVOKED, json!(device.revoked)),
    ];
    let each = there.into_iter().zip(set(setting));
    each.filter_map(|((field, from), to)| {
        let to = to.filter(|to| *to != from)?;
        Some((field.to_owned(), json!({"from": from, "to": to})))
    })
    .collect()
}

/// What of a change these fields are.
fn part(change: &DeviceChange, fields: &Map<String, Json>) -> DeviceChange {
    let DeviceChange {
        name: _,
        all_events,
        limit_events,
        security_profile,
        gate,
    } = change.clone();
    let is = |field: &str| fields.contains_key(field);
    DeviceChange {
        name: None,
        all_events: all_events.filter(|_| is(ALL_EVENTS)),
        limit_events: limit_events.filter(|_| is(LIMIT_EVENTS)),
        security_profile: security_profile.filter(|_| is(SECURITY_PROFILE)),
        gate: gate.filter(|_| is(GATE)),
    }
}
