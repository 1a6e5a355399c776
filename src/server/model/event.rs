//! Events with their dates and check-in lists.

use super::schedule::Schedule;

/// An event of the device's organizer.
#[derive(Clone, Debug)]
pub struct Event {
    /// Unique among the events passed.
    pub slug: String,
    /// The name as text.
    pub name: String,
    /// Whether the event is on sale; others are never suggested.
    pub live: bool,
    /// IANA name of the zone in which the event has its days. A name that is unknown counts as UTC.
    pub timezone: String,
    /// When the event takes place.
    pub schedule: Schedule,
    /// Whether this is a series: then its dates are suggested, never the event itself.
    pub has_subevents: bool,
    /// The dates of the series.
    pub subevents: Vec<Subevent>,
    /// The check-in lists, in any order.
    pub checkin_lists: Vec<CheckinList>,
}

impl Event {
    /// Whether it is a series, be it said or seen by its dates.
    pub fn is_series(&self) -> bool {
        self.has_subevents || !self.subevents.is_empty()
    }
}

/// A date of an event series.
#[derive(Clone, Debug)]
pub struct Subevent {
    /// Unique in the installation.
    pub id: i64,
    /// Whether the date takes place; others are never suggested.
    pub active: bool,
    /// When the date takes place.
    pub schedule: Schedule,
}

/// A check-in list of an event.
#[derive(Clone, Debug)]
pub struct CheckinList {
    /// Unique in the installation.
    pub id: i64,
    /// Equal names in several events mean the same entrance.
    pub name: String,
    /// The date that the list is for; without, it is for all.
    pub subevent: Option<i64>,
    /// Numbers of the gates at which the list is used.
    pub gates: Vec<i64>,
}

impl CheckinList {
    /// Whether the list is used at this gate; without a gate all are.
    pub fn is_at(&self, gate: Option<i64>) -> bool {
        gate.is_none_or(|gate| self.gates.contains(&gate))
    }
}
