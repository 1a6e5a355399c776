mod days;
mod properties;
mod rules;

use super::*;
use crate::server::model::Subevent;

const HOUR: i64 = 60;

/// The time from which the tests count minutes: noon in UTC.
fn noon() -> Timestamp {
    time("2026-06-15T12:00:00Z")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn after_noon(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn schedule(start: i64, end: impl Into<Option<i64>>) -> Schedule {
    Schedule {
        date_from: after_noon(start),
        date_to: end.into().map(after_noon),
        date_admission: None,
    }
}

fn event(slug: &str, schedule: Schedule, checkin_lists: Vec<CheckinList>) -> Event {
    Event {
        slug: slug.into(),
        name: slug.to_uppercase(),
        live: true,
        timezone: "UTC".into(),
        schedule,
        has_subevents: false,
        subevents: Vec::new(),
        checkin_lists,
    }
}

fn between(slug: &str, start: &str, end: &str, timezone: &str) -> Event {
    let schedule = Schedule {
        date_from: time(start),
        date_to: Some(time(end)),
        date_admission: None,
    };
    Event {
        timezone: timezone.into(),
        ..event(slug, schedule, Vec::new())
    }
}

fn series(subevents: Vec<Subevent>, checkin_lists: Vec<CheckinList>) -> Event {
    Event {
        has_subevents: true,
        subevents,
        ..event("series", schedule(-30, None), checkin_lists)
    }
}

fn date(id: i64, start: i64, end: i64) -> Subevent {
    Subevent {
        id,
        active: true,
        schedule: schedule(start, end),
    }
}

fn list(id: i64, name: &str) -> CheckinList {
    CheckinList {
        id,
        name: name.into(),
        subevent: None,
        gates: Vec::new(),
    }
}

fn list_of(subevent: i64, id: i64, name: &str) -> CheckinList {
    CheckinList {
        subevent: Some(subevent),
        ..list(id, name)
    }
}

fn at_gate(gate: i64, list: CheckinList) -> CheckinList {
    CheckinList {
        gates: vec![gate],
        ..list
    }
}

/// A selection as one line: `slug subevent list`, `keep` or `nothing`.
fn line(selection: &Selection<'_>) -> String {
    let number = |id: &Option<i64>| id.map_or("-".to_owned(), |id| id.to_string());
    match selection {
        Selection::Keep => "keep".into(),
        Selection::Nothing => "nothing".into(),
        Selection::Suggest {
            event,
            subevent,
            checkin_list,
        } => format!(
            "{} {} {}",
            event.slug,
            number(subevent),
            number(checkin_list)
        ),
    }
}

fn named<'a>(events: &'a [Event], slug: Option<&str>) -> Option<&'a Event> {
    events.iter().find(|event| Some(&*event.slug) == slug)
}

/// Selects at `now` with `current` as `slug subevent list`, where `-` is absent.
fn select_at(now: Timestamp, events: &[Event], gate: Option<i64>, current: &str) -> String {
    let mut words = current.split(' ').map(|word| (word != "-").then_some(word));
    let mut word = || words.next().flatten();
    let current = Current::read(named(events, word()), word(), word());
    line(&select(now, events, gate, current))
}

fn at_noon(events: &[Event], current: &str) -> String {
    select_at(noon(), events, None, current)
}

fn running_and_upcoming() -> Vec<Event> {
    vec![
        event("e1", schedule(-30, 90), vec![list(1, "Main")]),
        event(
            "e2",
            schedule(3 * HOUR, 4 * HOUR),
            vec![list(2, "Main"), list(3, "VIP")],
        ),
    ]
}
