//! Events, as far as devices need them.

use std::collections::HashMap;

use rusqlite::{Connection, Row, ToSql, params};

use super::organizers::{expect_changed, expect_created};
use super::{micros, time};
use crate::server::event_selection::{CheckinList, Event, Schedule, Subevent};
use crate::server::organizers_file::Name;
use crate::server::store::{self, EventChange, StoreError};

pub(super) fn first_unknown(
    connection: &Connection,
    organizer: i64,
    slugs: Vec<String>,
) -> Result<Option<String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM event WHERE organizer = ?1 AND slug = ?2")?;
    for slug in slugs {
        if !statement.exists(params![organizer, slug])? {
            return Ok(Some(slug));
        }
    }
    Ok(None)
}

/// Of these events: those that the device may access.
const ACCESSIBLE: &str = "
    FROM device JOIN event ON event.organizer = device.organizer
    WHERE device.id = ?1
        AND (device.all_events OR EXISTS (
            SELECT 1 FROM device_event
            WHERE device_event.device = device.id AND device_event.event = event.id))";

/// Of these events: that of one organizer with a device which has this slug.
const BESIDE: &str = "
    FROM device JOIN event ON event.organizer = device.organizer
    WHERE device.id = ?1 AND event.slug = ?2";

pub(super) fn accessible(connection: &Connection, device: i64) -> Result<Vec<Event>, StoreError> {
    Ok(Selected(ACCESSIBLE, &[&device]).read(connection)?)
}

pub(super) fn beside(
    connection: &Connection,
    device: i64,
    slug: &str,
) -> Result<Option<Event>, StoreError> {
    Ok(Selected(BESIDE, &[&device, &slug]).read(connection)?.pop())
}

/// Events from a part of a query on, with its parameters.
struct Selected<'a>(&'a str, &'a [&'a dyn ToSql]);

impl Selected<'_> {
    fn read(&self, connection: &Connection) -> rusqlite::Result<Vec<Event>> {
        let mut subevents = self.subevents(connection)?;
        let mut lists = self.checkin_lists(connection)?;
        let mut statement = connection.prepare_cached(&format!("SELECT event.* {}", self.0))?;
        let mut rows = statement.query(self.1)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let id: i64 = row.get("id")?;
            events.push(Event {
                slug: row.get("slug")?,
                name: row.get("name")?,
                live: row.get("live")?,
                timezone: row.get("timezone")?,
                schedule: schedule(row)?,
                has_subevents: row.get("has_subevents")?,
                subevents: subevents.remove(&id).unwrap_or_default(),
                checkin_lists: lists.remove(&id).unwrap_or_default(),
            });
        }
        Ok(events)
    }

    fn subevents(&self, connection: &Connection) -> rusqlite::Result<HashMap<i64, Vec<Subevent>>> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT subevent.* FROM subevent WHERE event IN (SELECT event.id {})",
            self.0
        ))?;
        let mut by_event: HashMap<i64, Vec<Subevent>> = HashMap::new();
        let mut rows = statement.query(self.1)?;
        while let Some(row) = rows.next()? {
            by_event
                .entry(row.get("event")?)
                .or_default()
                .push(Subevent {
                    id: row.get("id")?,
                    active: row.get("active")?,
                    schedule: schedule(row)?,
                });
        }
        Ok(by_event)
    }

    fn checkin_lists(
        &self,
        connection: &Connection,
    ) -> rusqlite::Result<HashMap<i64, Vec<CheckinList>>> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT checkin_list_gate.checkin_list, checkin_list_gate.gate
             FROM checkin_list JOIN checkin_list_gate ON checkin_list_gate.checkin_list = checkin_list.id
             WHERE checkin_list.event IN (SELECT event.id {})",
            self.0
        ))?;
        let mut gates: HashMap<i64, Vec<i64>> = HashMap::new();
        let mut rows = statement.query(self.1)?;
        while let Some(row) = rows.next()? {
            gates.entry(row.get(0)?).or_default().push(row.get(1)?);
        }

        let mut statement = connection.prepare_cached(&format!(
            "SELECT * FROM checkin_list WHERE event IN (SELECT event.id {})",
            self.0
        ))?;
        let mut by_event: HashMap<i64, Vec<CheckinList>> = HashMap::new();
        let mut rows = statement.query(self.1)?;
        while let Some(row) = rows.next()? {
            let id = row.get("id")?;
            by_event
                .entry(row.get("event")?)
                .or_default()
                .push(CheckinList {
                    id,
                    name: row.get("name")?,
                    subevent: row.get("subevent")?,
                    gates: gates.remove(&id).unwrap_or_default(),
                });
        }
        Ok(by_event)
    }
}

/// The columns `date_from`, `date_to` and `date_admission`.
pub(super) fn schedule(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    let optional = |column| row.get::<_, Option<i64>>(column)?.map(time).transpose();
    Ok(Schedule {
        date_from: time(row.get("date_from")?)?,
        date_to: optional("date_to")?,
        date_admission: optional("date_admission")?,
    })
}

pub(super) fn all(
    connection: &Connection,
    organizer: i64,
) -> Result<Vec<store::Event>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM event WHERE organizer = ?1 ORDER BY date_from, name, slug",
    )?;
    let events = statement.query_map([organizer], |row| {
        Ok(store::Event {
            slug: row.get("slug")?,
            name: name(row)?,
            live: row.get("live")?,
            timezone: row.get("timezone")?,
            schedule: schedule(row)?,
        })
    })?;
    Ok(events.collect::<Result<_, _>>()?)
}

/// The columns `name` and `names`.
fn name(row: &Row<'_>) -> rusqlite::Result<Name> {
    let names: Option<String> = row.get("names")?;
    let names = names.and_then(|names| serde_json::from_str(&names).ok());
    Ok(match names {
        Some(names) => Name::ByLanguage(names),
        None => Name::Plain(row.get("name")?),
    })
}

/// What the column `names` holds: the languages in their order.
pub(super) fn names(name: &Name) -> Option<String> {
    match name {
        Name::Plain(_) => None,
        Name::ByLanguage(names) => Some(serde_json::json!(names).to_string()),
    }
}

pub(super) fn create(
    connection: &Connection,
    organizer: i64,
    event: &store::Event,
) -> Result<(), StoreError> {
    let created = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO event (organizer, slug, name, names, live, timezone,
                date_from, date_to, date_admission, has_subevents)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
        )?
        .execute(params![
            organizer,
            event.slug,
            event.name.text(),
            names(&event.name),
            event.live,
            event.timezone,
            micros(event.schedule.date_from),
            event.schedule.date_to.map(micros),
            event.schedule.date_admission.map(micros),
        ])?;
    expect_created(created, "an event", &event.slug)
}

pub(super) fn change(
    connection: &Connection,
    organizer: i64,
    slug: &str,
    change: &EventChange,
) -> Result<(), StoreError> {
    let changed = connection
        .prepare_cached(
            "UPDATE event SET live = coalesce(?3, live) WHERE organizer = ?1 AND slug = ?2",
        )?
        .execute(params![organizer, slug, change.live])?;
    expect_changed(changed, "event", slug)?;
    if let Some(name) = &change.name {
        connection
            .prepare_cached(
                "UPDATE event SET name = ?3, names = ?4 WHERE organizer = ?1 AND slug = ?2",
            )?
            .execute(params![organizer, slug, name.text(), names(name)])?;
    }
    Ok(())
}
