//! Telling all that an organizers file can hold.

use std::collections::HashMap;

use super::{checkin_lists, events, teams};
use crate::server::installation_keys::KeyHash;
use crate::server::model::Slug;
use crate::server::organizers_file::{
    CheckinListEntry, DeviceEntry, EventEntry, GateEntry, OrganizerEntry, ReportEntry,
    SubeventEntry, TeamEntry, TokenEntry,
};
use crate::server::store::administration::ExportSink;
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, Session, values};

/// Devices in memory at once.
const PIECE: u64 = 1000;

/// Tells everything in the order in which it was made, so that an import makes it in the same order.
pub(in crate::server::store) fn export(
    session: &mut dyn Session,
    sink: &mut dyn ExportSink,
) -> Result<(), StoreError> {
    let organizers = session.rows(
        "SELECT id, device_count, slug, name, active FROM organizer ORDER BY id",
        values![],
        |columns| {
            let (row, devices) = (columns.next::<i64>()?, columns.next::<u64>()?);
            Ok((
                row,
                devices,
                slug(columns, 2)?,
                columns.next()?,
                columns.next()?,
            ))
        },
    )?;
    for (row, devices, slug, name, active) in organizers {
        let organizer = OrganizerEntry {
            slug,
            name,
            active: Some(active),
            gates: gates(session, row)?,
            events: events(session, row)?,
            teams: teams(session, row)?,
        };
        sink.organizer(&organizer).map_err(StoreError::Output)?;
        for after in (0..devices).step_by(PIECE as usize) {
            for device in page(session, row, after)? {
                sink.device(&device).map_err(StoreError::Output)?;
            }
        }
    }
    sink.end().map_err(StoreError::Output)
}

/// What is stored as a slug is one.
fn slug(columns: &mut Columns<'_>, column: usize) -> Result<Slug, StoreError> {
    let text: String = columns.next()?;
    text.parse().map_err(|_| StoreError::Unreadable { column })
}

fn key_hash(column: usize, hash: Vec<u8>) -> Result<KeyHash, StoreError> {
    hash.try_into()
        .map_err(|_| StoreError::Unreadable { column })
}

fn gates(session: &mut dyn Session, organizer: i64) -> Result<Vec<GateEntry>, StoreError> {
    session.rows(
        "SELECT name, identifier, active FROM gate WHERE organizer = ?1 ORDER BY id",
        values![organizer],
        |columns| {
            Ok(GateEntry {
                name: columns.next()?,
                identifier: columns.next()?,
                active: Some(columns.next()?),
            })
        },
    )
}

fn events(session: &mut dyn Session, organizer: i64) -> Result<Vec<EventEntry>, StoreError> {
    let mut dates: HashMap<i64, Vec<SubeventEntry>> = HashMap::new();
    session.query(
        "SELECT subevent.event, subevent.id, subevent.name, subevent.names, subevent.active,
            subevent.date_from, subevent.date_to, subevent.date_admission
         FROM event JOIN subevent ON subevent.event = event.id
         WHERE event.organizer = ?1 ORDER BY subevent.id",
        values![organizer],
        &mut |columns| {
            let event = columns.next()?;
            let date = SubeventEntry {
                id: Some(columns.next()?),
                name: events::name(columns)?,
                active: columns.next()?,
                schedule: events::schedule(columns)?,
            };
            dates.entry(event).or_default().push(date);
            Ok(())
        },
    )?;
    let mut gates = checkin_lists::gates_of(session, organizer)?;
    let mut lists: HashMap<i64, Vec<CheckinListEntry>> = HashMap::new();
    session.query(
        "SELECT checkin_list.event, checkin_list.id, checkin_list.name, checkin_list.subevent
         FROM event JOIN checkin_list ON checkin_list.event = event.id
         WHERE event.organizer = ?1 ORDER BY checkin_list.id",
        values![organizer],
        &mut |columns| {
            let (event, id) = (columns.next()?, columns.next()?);
            let list = CheckinListEntry {
                id: Some(id),
                name: columns.next()?,
                subevent: columns.next()?,
                gates: gates.remove(&id).unwrap_or_default(),
            };
            lists.entry(event).or_default().push(list);
            Ok(())
        },
    )?;
    session.rows(
        "SELECT id, slug, name, names, live, timezone, date_from, date_to, date_admission,
            has_subevents
         FROM event WHERE organizer = ?1 ORDER BY id",
        values![organizer],
        |columns| {
            let row: i64 = columns.next()?;
            let subevents = dates.remove(&row).unwrap_or_default();
            Ok(EventEntry {
                slug: slug(columns, 1)?,
                name: events::name(columns)?,
                live: columns.next()?,
                timezone: columns.next()?,
                schedule: events::schedule(columns)?,
                // One that has dates is a series, whatever it is called.
                has_subevents: columns.next::<bool>()? || !subevents.is_empty(),
                subevents,
                checkin_lists: lists.remove(&row).unwrap_or_default(),
            })
        },
    )
}

fn teams(session: &mut dyn Session, organizer: i64) -> Result<Vec<TeamEntry>, StoreError> {
    let mut tokens: HashMap<i64, Vec<TokenEntry>> = HashMap::new();
    session.query(
        "SELECT team_token.team, team_token.name, team_token.hash, team_token.active
         FROM team JOIN team_token ON team_token.team = team.id
         WHERE team.organizer = ?1 ORDER BY team_token.id",
        values![organizer],
        &mut |columns| {
            let team = columns.next()?;
            let token = TokenEntry {
                name: columns.next()?,
                hash: key_hash(2, columns.next()?)?,
                active: columns.next()?,
            };
            tokens.entry(team).or_default().push(token);
            Ok(())
        },
    )?;
    session.rows(
        "SELECT id, name, permissions, active FROM team WHERE organizer = ?1 ORDER BY id",
        values![organizer],
        |columns| {
            let row: i64 = columns.next()?;
            Ok(TeamEntry {
                name: columns.next()?,
                permissions: teams::permissions(columns.next()?),
                active: columns.next()?,
                tokens: tokens.remove(&row).unwrap_or_default(),
            })
        },
    )
}

/// The devices after this number.
fn page(
    session: &mut dyn Session,
    organizer: i64,
    after: u64,
) -> Result<Vec<DeviceEntry>, StoreError> {
    let last = after.saturating_add(PIECE);
    let mut limits: HashMap<i64, Vec<String>> = HashMap::new();
    session.query(
        "SELECT device.id, event.slug
         FROM device
         JOIN device_event ON device_event.device = device.id
         JOIN event ON event.id = device_event.event
         WHERE device.organizer = ?1 AND device.device_id > ?2 AND device.device_id <= ?3
         ORDER BY event.id",
        values![organizer, after, last],
        &mut |columns| {
            let events = limits.entry(columns.next()?).or_default();
            events.push(columns.next()?);
            Ok(())
        },
    )?;
    session.rows(
        "SELECT device.id, device.name, device.unique_serial, device.all_events,
            gate.identifier, device.security_profile, device.revoked, device.api_key_hash,
            device.hardware_brand, device.hardware_model, device.os_name, device.os_version,
            device.software_brand, device.software_version
         FROM device LEFT JOIN gate ON gate.id = device.gate
         WHERE device.organizer = ?1 AND device.device_id > ?2 AND device.device_id <= ?3
         ORDER BY device.device_id",
        values![organizer, after, last],
        |columns| {
            let row: i64 = columns.next()?;
            Ok(DeviceEntry {
                name: columns.next()?,
                unique_serial: columns.next()?,
                all_events: columns.next()?,
                limit_events: limits.remove(&row).unwrap_or_default(),
                gate: columns.next()?,
                security_profile: columns.next()?,
                revoked: columns.next()?,
                api_key_hash: match columns.next::<Option<Vec<u8>>>()? {
                    Some(hash) => Some(key_hash(7, hash)?),
                    None => None,
                },
                report: ReportEntry {
                    hardware_brand: columns.next()?,
                    hardware_model: columns.next()?,
                    os_name: columns.next()?,
                    os_version: columns.next()?,
                    software_brand: columns.next()?,
                    software_version: columns.next()?,
                },
            })
        },
    )
}
