//! What a device should scan for now: an event or a date of an event series, and a check-in list.
//!
//! A pure function of the time, the events and what the device has selected. The caller passes the
//! events that the device may access; whether they are live and have a list at the device's gate
//! is judged here. What the device has selected may be any event of its organizer.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::server::model::{CheckinList, Event, Schedule};

/// Events that are told one by one at most.
const TOLD: usize = 5;

/// What the device has selected, as far as it can be understood.
#[derive(Clone, Copy, Debug, Default)]
pub struct Current<'a> {
    event: Option<&'a Event>,
    subevent: Option<i64>,
    checkin_list: Option<i64>,
}

impl<'a> Current<'a> {
    /// The event that `current_event` of the query string names, with `current_subevent` and
    /// `current_checkinlist`, decoded. A number that is none counts as absent.
    pub fn read(
        event: Option<&'a Event>,
        subevent: Option<&str>,
        checkin_list: Option<&str>,
    ) -> Self {
        let number = |text: &str| text.trim().parse().ok();
        Self {
            event,
            subevent: subevent.and_then(number),
            checkin_list: checkin_list.and_then(number),
        }
    }

    /// What takes place, be it something that can be suggested or not. A date that an event does not
    /// have counts as absent, a series without its date as nothing.
    fn occasion(self) -> Option<Occasion<'a>> {
        let event = self.event?;
        if !event.is_series() {
            return Some(Occasion::new(event, None, &event.schedule));
        }
        let dates = &mut event.subevents.iter();
        let date = dates.find(|date| Some(date.id) == self.subevent)?;
        Some(Occasion::new(event, Some(date.id), &date.schedule))
    }

    /// The list, if it is one of what takes place or of another date of it.
    fn list(self) -> Option<&'a CheckinList> {
        let lists = &mut self.occasion()?.event.checkin_lists.iter();
        lists.find(|list| Some(list.id) == self.checkin_list)
    }
}

/// The answer to a device.
#[derive(Clone, Debug)]
pub enum Selection<'a> {
    /// 200: this is what to scan for.
    Suggest {
        /// The event, or the series that the date belongs to.
        event: &'a Event,
        /// The date, if the event is a series.
        subevent: Option<i64>,
        /// The check-in list, if there is one.
        checkin_list: Option<i64>,
    },
    /// 304: keep what you have.
    Keep,
    /// 404: there is nothing to scan for.
    Nothing,
}

/// Suggests what to scan for at `now`, at the gate of this number if the device has one.
///
/// Of what is running, that which started last. If nothing is: the next if there are only upcoming
/// events, the last to end if there are only past ones; else the one of these two that begins today if
/// the other does not, in the time zone of the current event, or else of the next; else the last until
/// half-way to the next. What is equal in this is ordered by
/// slug and number of the date, but the current one comes first.
///
/// A current event that is suggested again is kept. While it is running it is kept whatever its
/// check-in list, and even if it can't be suggested, until another starts.
pub fn select<'a>(
    now: Timestamp,
    events: &'a [Event],
    gate: Option<i64>,
    current: Current<'_>,
) -> Selection<'a> {
    let occasions: Vec<Occasion<'a>> = events
        .iter()
        .filter(|event| event.live)
        .flat_map(|event| Occasion::of(event, gate))
        .collect();
    let held = current.occasion();
    let best = choose(now, &occasions, held.as_ref().map(|held| held.event));
    let another_runs = best.is_some_and(|best| best.is_running(now));
    if !another_runs && held.as_ref().is_some_and(|held| held.is_running(now)) {
        return Selection::Keep;
    }
    let Some(best) = best else {
        return Selection::Nothing;
    };
    // Of two that are equally good the device keeps the one it has.
    let kept = occasions.iter().find(|occasion| {
        held.as_ref().is_some_and(|held| occasion.is(held))
            && occasion.standing(now) == best.standing(now)
    });
    let chosen = kept.unwrap_or(best);

    let checkin_list = chosen.checkin_list(gate, current.list());
    if kept.is_some() && (chosen.is_running(now) || checkin_list == current.checkin_list) {
        return Selection::Keep;
    }
    Selection::Suggest {
        event: chosen.event,
        subevent: chosen.subevent,
        checkin_list,
    }
}

/// What runs at a gate at `now` and ran at `then` already: of several what started last.
pub fn runs_since(
    now: Timestamp,
    then: Timestamp,
    events: &[Event],
    gate: i64,
) -> Option<(&Event, Option<i64>)> {
    let live = events.iter().filter(|event| event.live);
    let occasions = live.flat_map(|event| Occasion::of(event, Some(gate)));
    let running =
        occasions.filter(|occasion| occasion.is_running(now) && occasion.is_running(then));
    let latest = running.max_by_key(|occasion| occasion.start)?;
    Some((latest.event, latest.subevent))
}

/// What runs at `now` and ran at `then` already, and is at no gate at all.
pub fn runs_at_no_gate(now: Timestamp, then: Timestamp, events: &[Event]) -> Option<&Event> {
    let is_at_none = |event: &&Event| event.checkin_lists.iter().all(|list| list.gates.is_empty());
    let runs = |event: &&Event| {
        let occasions = Occasion::of(event, None);
        let mut running = occasions.iter();
        running.any(|occasion| occasion.is_running(now) && occasion.is_running(then))
    };
    let mut live = events.iter().filter(|event| event.live);
    live.find(|event| is_at_none(event) && runs(event))
}

/// Why an event can't be suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not on sale.
    NotLive,
    /// It is a series of which no date takes place.
    NoActiveDate,
    /// No check-in list is at the device's gate, neither for the event nor for a date that takes place.
    NoListAtGate,
}

impl Obstacle {
    /// What keeps `event` from being suggested at `gate`. That it is over does not: of events that are
    /// over, the last to end is suggested.
    fn of(event: &Event, gate: Option<i64>) -> Option<Self> {
        if !event.live {
            Some(Self::NotLive)
        } else if !Occasion::of(event, gate).is_empty() {
            None
        } else if Occasion::of(event, None).is_empty() {
            Some(Self::NoActiveDate)
        } else {
            Some(Self::NoListAtGate)
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotLive => "is not live",
            Self::NoActiveDate => "has no active date",
            Self::NoListAtGate => "has no check-in list at the device's gate",
        })
    }
}

/// Why [`select`] finds nothing among these events, for a log: of the first few what is in the way, and
/// how many more there are.
pub fn why_nothing(events: &[Event], gate: Option<i64>) -> String {
    let mut by_slug: Vec<&Event> = events.iter().collect();
    by_slug.sort_by(|one, other| one.slug.cmp(&other.slug));
    let mut reasons: Vec<String> = by_slug
        .into_iter()
        .filter_map(|event| Some((event, Obstacle::of(event, gate)?)))
        .take(TOLD)
        .map(|(event, obstacle)| format!("{} {obstacle}", event.slug))
        .collect();
    match events.len() {
        0 => reasons.push("the device may access no event".to_owned()),
        all if all > TOLD => reasons.push(format!("{} more events", all - TOLD)),
        _ => {}
    }
    reasons.join(", ")
}

/// What is best, where the current event, or without one the next, says in whose zone it is today.
fn choose<'o, 'a>(
    now: Timestamp,
    occasions: &'o [Occasion<'a>],
    current: Option<&Event>,
) -> Option<&'o Occasion<'a>> {
    let first = |phase| {
        occasions
            .iter()
            .map(|occasion| (occasion.standing(now), occasion))
            .filter(|((its_phase, _), _)| *its_phase == phase)
            .min_by_key(|((_, away), occasion)| (*away, &occasion.event.slug, occasion.subevent))
            .map(|((_, away), occasion)| (away, occasion))
    };
    if let Some((_, running)) = first(Phase::Running) {
        return Some(running);
    }
    match (first(Phase::Past), first(Phase::Upcoming)) {
        (Some((since, last)), Some((until, next))) => {
            let place = current.unwrap_or(next.event);
            Some(
                match (last.is_today(now, place), next.is_today(now, place)) {
                    (true, false) => last,
                    (false, true) => next,
                    _ if since < until => last,
                    _ => next,
                },
            )
        }
        (last, next) => last.or(next).map(|(_, only)| only),
    }
}

/// Something that can be suggested: an event, or a date of a series.
struct Occasion<'a> {
    event: &'a Event,
    subevent: Option<i64>,
    /// From when on it is running: people are admitted.
    start: Timestamp,
    /// When it begins itself.
    begins: Timestamp,
    end: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Past,
    Upcoming,
}

impl<'a> Occasion<'a> {
    /// What of `event` can be suggested at `gate`.
    fn of(event: &'a Event, gate: Option<i64>) -> Vec<Self> {
        // A series may have thousands of dates and lists: each is looked at once.
        let lists_at_gate = event.checkin_lists.iter().filter(|list| list.is_at(gate));
        let dates_at_gate: HashSet<Option<i64>> = lists_at_gate.map(|list| list.subevent).collect();
        let is_at_gate = |subevent| {
            gate.is_none() || dates_at_gate.contains(&None) || dates_at_gate.contains(&subevent)
        };

        let dates: Vec<(Option<i64>, &Schedule)> = if event.is_series() {
            let active = event.subevents.iter().filter(|date| date.active);
            active.map(|date| (Some(date.id), &date.schedule)).collect()
        } else {
            vec![(None, &event.schedule)]
        };
        dates
            .into_iter()
            .filter(|(subevent, _)| is_at_gate(*subevent))
            .map(|(subevent, schedule)| Self::new(event, subevent, schedule))
            .collect()
    }

    fn new(event: &'a Event, subevent: Option<i64>, schedule: &Schedule) -> Self {
        Self {
            event,
            subevent,
            start: schedule.start(),
            begins: schedule.date_from,
            end: schedule.end(),
        }
    }

    fn is(&self, other: &Occasion<'_>) -> bool {
        self.event.slug == other.event.slug && self.subevent == other.subevent
    }

    fn is_running(&self, now: Timestamp) -> bool {
        self.standing(now).0 == Phase::Running
    }

    /// Where it stands at `now`, and how long since it started, since it ended or until it starts:
    /// the shortest comes first. The end does not belong to it, so that of two events back to back
    /// only one is running.
    fn standing(&self, now: Timestamp) -> (Phase, SignedDuration) {
        if now < self.start {
            (Phase::Upcoming, self.start.duration_since(now))
        } else if now < self.end {
            (Phase::Running, now.duration_since(self.start))
        } else {
            (Phase::Past, now.duration_since(self.end))
        }
    }

    /// Whether it begins, people admitted or not, on the day that it is now where `place` is.
    fn is_today(&self, now: Timestamp, place: &Event) -> bool {
        let zone = TimeZone::get(&place.timezone).unwrap_or(TimeZone::UTC);
        let day = |time| zone.to_datetime(time).date();
        day(self.begins) == day(now)
    }

    /// The current list if it serves here too, else one of the same name, else the first by name.
    fn checkin_list(&self, gate: Option<i64>, current: Option<&CheckinList>) -> Option<i64> {
        let is_current = |list: &CheckinList| current.is_some_and(|held| held.id == list.id);
        let has_its_name = |list: &CheckinList| current.is_some_and(|held| held.name == list.name);

        let lists = self.event.checkin_lists.iter();
        lists
            .filter(|list| list.subevent.is_none() || list.subevent == self.subevent)
            .filter(|list| list.is_at(gate))
            .min_by_key(|list| (!is_current(list), !has_its_name(list), &list.name, list.id))
            .map(|list| list.id)
    }
}
