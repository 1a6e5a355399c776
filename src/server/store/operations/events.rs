//! Events, as far as devices need them.

use std::collections::HashMap;

use super::found::{expect_changed, expect_created, unknown};
use crate::server::model::Name;
use crate::server::model::{CheckinList, Event, Schedule, Subevent};
use crate::server::store::administration::{EventChange, EventSummary, NewEvent};
use crate::server::store::error::StoreError;
use crate::server::store::session::{Columns, Session, Value, values};

pub(in crate::server::store) fn first_unknown(
    session: &mut dyn Session,
    organizer: i64,
    slugs: &[String],
) -> Result<Option<String>, StoreError> {
    for slug in slugs {
        if row_of(session, organizer, slug)?.is_none() {
            return Ok(Some(slug.clone()));
        }
    }
    Ok(None)
}

/// All of these that are no event of the organizer.
pub(in crate::server::store) fn unknown_of(
    session: &mut dyn Session,
    organizer: i64,
    slugs: &[String],
) -> Result<Vec<String>, StoreError> {
    let mut unknown = Vec::new();
    for slug in slugs {
        if row_of(session, organizer, slug)?.is_none() {
            unknown.push(slug.clone());
        }
    }
    Ok(unknown)
}

/// The number of the event with this slug.
pub(super) fn row_of(
    session: &mut dyn Session,
    organizer: i64,
    slug: &str,
) -> Result<Option<i64>, StoreError> {
    session.one(
        "SELECT id FROM event WHERE organizer = ?1 AND slug = ?2",
        values![organizer, slug],
    )
}

/// The number of an event of which nobody else changes its lists until the transaction ends.
pub(super) fn row_to_change(
    session: &mut dyn Session,
    organizer: i64,
    slug: &str,
) -> Result<i64, StoreError> {
    let row = session.one(
        "UPDATE event SET slug = slug WHERE organizer = ?1 AND slug = ?2 RETURNING id",
        values![organizer, slug],
    )?;
    row.ok_or_else(|| unknown("event", slug))
}

/// What is read of events, each statement for a choice of them.
struct Statements {
    events: &'static str,
    subevents: &'static str,
    checkin_lists: &'static str,
    gates_of_lists: &'static str,
}

macro_rules! statements {
    ($chosen:literal) => {
        Statements {
            events: concat!(
                "SELECT event.id, event.slug, event.name, event.live, event.timezone,
                    event.date_from, event.date_to, event.date_admission, event.has_subevents ",
                $chosen
            ),
            subevents: concat!(
                "SELECT event, id, active, date_from, date_to, date_admission
                 FROM subevent WHERE event IN (SELECT event.id ",
                $chosen,
                ")"
            ),
            checkin_lists: concat!(
                "SELECT event, id, name, subevent FROM checkin_list
                 WHERE event IN (SELECT event.id ",
                $chosen,
                ")"
            ),
            gates_of_lists: concat!(
                "SELECT checkin_list_gate.checkin_list, checkin_list_gate.gate
                 FROM checkin_list
                 JOIN checkin_list_gate ON checkin_list_gate.checkin_list = checkin_list.id
                 WHERE checkin_list.event IN (SELECT event.id ",
                $chosen,
                ")"
            ),
        }
    };
}

/// Those that a device may access.
const ACCESSIBLE: Statements = statements!(
    "FROM device JOIN event ON event.organizer = device.organizer
     WHERE device.id = ?1
        AND (device.all_events OR EXISTS (
            SELECT 1 FROM device_event
            WHERE device_event.device = device.id AND device_event.event = event.id))"
);

/// All of an organizer.
const OF_ORGANIZER: Statements = statements!("FROM event WHERE event.organizer = ?1");

/// That of the same organizer as a device which has this slug.
const BESIDE: Statements = statements!(
    "FROM device JOIN event ON event.organizer = device.organizer
     WHERE device.id = ?1 AND event.slug = ?2"
);

pub(in crate::server::store) fn accessible(
    session: &mut dyn Session,
    device: i64,
) -> Result<Vec<Event>, StoreError> {
    ACCESSIBLE.read(session, values![device])
}

pub(in crate::server::store) fn of_organizer(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<Vec<Event>, StoreError> {
    OF_ORGANIZER.read(session, values![organizer])
}

pub(in crate::server::store) fn beside(
    session: &mut dyn Session,
    device: i64,
    slug: &str,
) -> Result<Option<Event>, StoreError> {
    Ok(BESIDE.read(session, values![device, slug])?.pop())
}

impl Statements {
    fn read(
        &self,
        session: &mut dyn Session,
        values: &[Value<'_>],
    ) -> Result<Vec<Event>, StoreError> {
        let mut subevents = self.subevents(session, values)?;
        let mut lists = self.checkin_lists(session, values)?;
        session.rows(self.events, values, |columns| {
            let id: i64 = columns.next()?;
            Ok(Event {
                slug: columns.next()?,
                name: columns.next()?,
                live: columns.next()?,
                timezone: columns.next()?,
                schedule: schedule(columns)?,
                has_subevents: columns.next()?,
                subevents: subevents.remove(&id).unwrap_or_default(),
                checkin_lists: lists.remove(&id).unwrap_or_default(),
            })
        })
    }

    fn subevents(
        &self,
        session: &mut dyn Session,
        values: &[Value<'_>],
    ) -> Result<HashMap<i64, Vec<Subevent>>, StoreError> {
        let mut by_event: HashMap<i64, Vec<Subevent>> = HashMap::new();
        session.query(self.subevents, values, &mut |columns| {
            by_event.entry(columns.next()?).or_default().push(Subevent {
                id: columns.next()?,
                active: columns.next()?,
                schedule: schedule(columns)?,
            });
            Ok(())
        })?;
        Ok(by_event)
    }

    fn checkin_lists(
        &self,
        session: &mut dyn Session,
        values: &[Value<'_>],
    ) -> Result<HashMap<i64, Vec<CheckinList>>, StoreError> {
        let mut gates: HashMap<i64, Vec<i64>> = HashMap::new();
        session.query(self.gates_of_lists, values, &mut |columns| {
            let list = columns.next()?;
            gates.entry(list).or_default().push(columns.next()?);
            Ok(())
        })?;
        let mut by_event: HashMap<i64, Vec<CheckinList>> = HashMap::new();
        session.query(self.checkin_lists, values, &mut |columns| {
            let (event, id) = (columns.next()?, columns.next()?);
            by_event.entry(event).or_default().push(CheckinList {
                id,
                name: columns.next()?,
                subevent: columns.next()?,
                gates: gates.remove(&id).unwrap_or_default(),
            });
            Ok(())
        })?;
        Ok(by_event)
    }
}

/// The columns `date_from`, `date_to` and `date_admission`.
pub(super) fn schedule(columns: &mut Columns<'_>) -> Result<Schedule, StoreError> {
    Ok(Schedule {
        date_from: columns.next()?,
        date_to: columns.next()?,
        date_admission: columns.next()?,
    })
}

pub(in crate::server::store) fn all(
    session: &mut dyn Session,
    organizer: i64,
) -> Result<Vec<EventSummary>, StoreError> {
    session.rows(
        "SELECT slug, name, names, live, timezone, date_from, date_to, date_admission
         FROM event WHERE organizer = ?1 ORDER BY date_from, name, slug",
        values![organizer],
        |columns| {
            Ok(EventSummary {
                slug: columns.next()?,
                name: name(columns)?,
                live: columns.next()?,
                timezone: columns.next()?,
                schedule: schedule(columns)?,
            })
        },
    )
}

/// The columns `name` and `names`.
pub(super) fn name(columns: &mut Columns<'_>) -> Result<Name, StoreError> {
    let plain = columns.next()?;
    let names: Option<String> = columns.next()?;
    let names = names.and_then(|names| serde_json::from_str(&names).ok());
    Ok(names.map_or(Name::Plain(plain), Name::ByLanguage))
}

/// What the column `names` holds: the languages in their order.
pub(super) fn names(name: &Name) -> Option<String> {
    match name {
        Name::Plain(_) => None,
        Name::ByLanguage(names) => Some(serde_json::json!(names).to_string()),
    }
}

pub(in crate::server::store) fn create(
    session: &mut dyn Session,
    organizer: i64,
    event: &NewEvent,
) -> Result<(), StoreError> {
    let made = session.one::<i64>(
        "INSERT INTO event (organizer, slug, name, names, live, timezone,
            date_from, date_to, date_admission, has_subevents)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, FALSE)
         ON CONFLICT DO NOTHING RETURNING id",
        values![
            organizer,
            event.slug.as_str(),
            event.name.text(),
            names(&event.name).as_ref(),
            event.live,
            &event.timezone,
            event.schedule.date_from,
            event.schedule.date_to,
            event.schedule.date_admission,
        ],
    )?;
    expect_created(made, "an event", event.slug.as_str()).map(drop)
}

pub(in crate::server::store) fn change(
    session: &mut dyn Session,
    organizer: i64,
    slug: &str,
    change: &EventChange,
) -> Result<(), StoreError> {
    let changed = session.execute(
        "UPDATE event SET live = coalesce(?3, live) WHERE organizer = ?1 AND slug = ?2",
        values![organizer, slug, change.live],
    )?;
    expect_changed(changed, "event", slug)?;
    if let Some(name) = &change.name {
        session.execute(
            "UPDATE event SET name = ?3, names = ?4 WHERE organizer = ?1 AND slug = ?2",
            values![organizer, slug, name.text(), names(name).as_ref()],
        )?;
    }
    Ok(())
}
