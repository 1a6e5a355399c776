//! Check-in lists: what devices scan for, and at which gates.

use std::collections::{HashMap, HashSet};

use super::found::{expect_changed, expect_created, unknown};
use super::{events, organizers};
use crate::server::store::administration::{CheckinListChange, CheckinListSummary, NewCheckinList};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Session, values};

const KIND: &str = "check-in list";

pub(in crate::server::store) fn all(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<Vec<CheckinListSummary>, StoreError> {
    let mut gates = gates_of(session, organizer)?;
    session.rows(
        "SELECT event.slug, checkin_list.id, checkin_list.name, checkin_list.subevent
         FROM event JOIN checkin_list ON checkin_list.event = event.id
         WHERE event.organizer = ?1 ORDER BY event.slug, checkin_list.id",
        values![organizer],
        |columns| {
            let (event, id) = (columns.next()?, columns.next()?);
            Ok(CheckinListSummary {
                id,
                event,
                name: columns.next()?,
                subevent: columns.next()?,
                gates: gates.remove(&id).unwrap_or_default(),
            })
        },
    )
}

/// The gates' identifiers, by the number of the list.
pub(super) fn gates_of(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<HashMap<i64, Vec<String>>, StoreError> {
    let mut gates: HashMap<i64, Vec<String>> = HashMap::new();
    session.query(
        "SELECT checkin_list_gate.checkin_list, gate.identifier
         FROM event
         JOIN checkin_list ON checkin_list.event = event.id
         JOIN checkin_list_gate ON checkin_list_gate.checkin_list = checkin_list.id
         JOIN gate ON gate.id = checkin_list_gate.gate
         WHERE event.organizer = ?1 ORDER BY gate.id",
        values![organizer],
        &mut |columns| {
            let list = gates.entry(columns.next()?).or_default();
            list.push(columns.next()?);
            Ok(())
        },
    )?;
    Ok(gates)
}

/// Makes a list, which an event has no other of for the same date; its number.
pub(in crate::server::store) fn create(
    session: &mut dyn Session,
    organizer: i64,
    event: &str,
    list: &NewCheckinList,
) -> Result<i64, StoreError> {
    let row = events::row_to_change(session, organizer, event)?;
    if let Some(date) = list.subevent {
        let owner: Option<i64> =
            session.one("SELECT event FROM subevent WHERE id = ?1", values![date])?;
        if owner != Some(row) {
            return Err(unknown("date", &date.to_string()));
        }
    }
    let existing = find(session, row, &list.name, list.subevent)?;
    expect_created(
        existing.is_none().then_some(()),
        "a check-in list",
        &list.name,
    )?;
    let made = insert(session, row, &list.name, list.subevent)?;
    put_at(session, organizer, made, &list.gates)?;
    Ok(made)
}

/// The first list of this name for this date.
pub(super) fn find(
    session: &mut dyn Session,
    event: i64,
    name: &str,
    subevent: Option<i64>,
) -> Result<Option<i64>, StoreError> {
    session.one(
        "SELECT id FROM checkin_list
         WHERE event = ?1 AND name = ?2 AND subevent IS NOT DISTINCT FROM ?3
         ORDER BY id LIMIT 1",
        values![event, name, subevent],
    )
}

/// Makes a list with a number that no other has had.
pub(super) fn insert(
    session: &mut dyn Session,
    event: i64,
    name: &str,
    subevent: Option<i64>,
) -> Result<i64, StoreError> {
    let made = session.one(
        "INSERT INTO checkin_list (event, name, subevent) VALUES (?1, ?2, ?3)
         RETURNING id",
        values![event, name, subevent],
    )?;
    made.ok_or_else(|| unknown(KIND, name))
}

pub(in crate::server::store) fn change(
    session: &mut dyn Session,
    organizer: i64,
    list: i64,
    change: &CheckinListChange,
) -> Result<(), StoreError> {
    let of: Option<String> = session.one(
        "SELECT event.slug FROM checkin_list JOIN event ON event.id = checkin_list.event
         WHERE event.organizer = ?1 AND checkin_list.id = ?2",
        values![organizer, list],
    )?;
    let of = of.ok_or_else(|| unknown(KIND, &list.to_string()))?;
    if let Some(name) = &change.name {
        rename(session, organizer, &of, list, name)?;
    }
    match &change.gates {
        Some(gates) => put_at(session, organizer, list, gates),
        None => Ok(()),
    }
}

/// Gives a list of this event a name that no other has for the same date.
fn rename(
    session: &mut dyn Session,
    organizer: i64,
    event: &str,
    list: i64,
    name: &str,
) -> Result<(), StoreError> {
    let row = events::row_to_change(session, organizer, event)?;
    let date = session.row(
        "SELECT subevent FROM checkin_list WHERE id = ?1 AND name <> ?2",
        values![list, name],
        |columns| columns.next(),
    )?;
    // It has that name.
    let Some(date) = date else {
        return Ok(());
    };
    let other = find(session, row, name, date)?;
    expect_created(other.is_none().then_some(()), "a check-in list", name)?;
    let changed = session.execute(
        "UPDATE checkin_list SET name = ?2 WHERE id = ?1",
        values![list, name],
    )?;
    expect_changed(changed, KIND, &list.to_string())
}

fn put_at(
    session: &mut dyn Session,
    organizer: i64,
    list: i64,
    identifiers: &[String],
) -> Result<(), StoreError> {
    let mut gates = HashSet::new();
    for identifier in identifiers {
        gates.insert(organizers::gate_row(session, organizer, identifier)?);
    }
    set_gates(session, list, &gates).map(drop)
}

/// Has a list be at these gates and no others; how many were added or taken.
pub(super) fn set_gates(
    session: &mut dyn Session,
    list: i64,
    gates: &HashSet<i64>,
) -> Result<u64, StoreError> {
    let stored = session.rows(
        "SELECT gate FROM checkin_list_gate WHERE checkin_list = ?1",
        values![list],
        |columns| columns.next(),
    )?;
    let stored: HashSet<i64> = stored.into_iter().collect();
    for gate in stored.difference(gates) {
        session.execute(
            "DELETE FROM checkin_list_gate WHERE checkin_list = ?1 AND gate = ?2",
            values![list, *gate],
        )?;
    }
    for gate in gates.difference(&stored) {
        session.execute(
            "INSERT INTO checkin_list_gate (checkin_list, gate) VALUES (?1, ?2)",
            values![list, *gate],
        )?;
    }
    Ok(gates.symmetric_difference(&stored).count() as u64)
}
