//! What an organizers file holds.

use crate::secret::Secret;
use crate::server::model::{Name, Permissions, Schedule, Slug};

/// A file whose parts fit together: what refers to something refers to something in the file.
pub struct OrganizersFile {
    /// With slugs unique in the file.
    pub organizers: Vec<OrganizerEntry>,
}

/// An organizer with all that belongs to it.
pub struct OrganizerEntry {
    /// Unique in the file.
    pub slug: Slug,
    /// For people.
    pub name: String,
    /// With identifiers unique in the organizer.
    pub gates: Vec<GateEntry>,
    /// With slugs unique in the organizer.
    pub events: Vec<EventEntry>,
    /// The callers that manage devices.
    pub teams: Vec<TeamEntry>,
    /// Numbered in this order.
    pub devices: Vec<DeviceEntry>,
}

/// An entrance.
pub struct GateEntry {
    /// For people.
    pub name: String,
    /// Unique in the organizer.
    pub identifier: String,
}

/// An event or event series.
pub struct EventEntry {
    /// Unique in the organizer.
    pub slug: Slug,
    /// In one or several languages.
    pub name: Name,
    /// Whether it is on sale.
    pub live: bool,
    /// A time zone of the IANA database.
    pub timezone: String,
    /// When it takes place; it never ends before it starts.
    pub schedule: Schedule,
    /// Whether it is a series. One that is not has no dates.
    pub has_subevents: bool,
    /// The dates of the series.
    pub subevents: Vec<SubeventEntry>,
    /// The check-in lists.
    pub checkin_lists: Vec<CheckinListEntry>,
}

/// A date of an event series.
pub struct SubeventEntry {
    /// Unique among the dates in the file, above 0; without, the server picks one.
    pub id: Option<i64>,
    /// In one or several languages.
    pub name: Name,
    /// Whether it takes place.
    pub active: bool,
    /// When it takes place; it never ends before it starts.
    pub schedule: Schedule,
}

/// A check-in list.
pub struct CheckinListEntry {
    /// Unique among the lists in the file, above 0; without, the server picks one.
    pub id: Option<i64>,
    /// For people, and to find the same entrance in another event.
    pub name: String,
    /// The id of a date of the same event; without, the list is for all dates.
    pub subevent: Option<i64>,
    /// Identifiers of gates of the same organizer, each once.
    pub gates: Vec<String>,
}

/// A group of API callers.
pub struct TeamEntry {
    /// For people.
    pub name: String,
    /// What its tokens may do.
    pub permissions: Permissions,
    /// The keys of its callers.
    pub tokens: Vec<TokenEntry>,
}

/// The key of an API caller.
pub struct TokenEntry {
    /// For people.
    pub name: String,
    /// 64 of a-z0-9; no token or API key comes twice in the file.
    pub token: Secret,
    /// Whether it lets the caller in.
    pub active: bool,
}

/// A device, initialized if it has an API key.
pub struct DeviceEntry {
    /// For people.
    pub name: String,
    /// Whether it may access all events.
    pub all_events: bool,
    /// Otherwise the slugs of those it may access: of the same organizer, each once.
    pub limit_events: Vec<String>,
    /// The identifier of a gate of the same organizer.
    pub gate: Option<String>,
    /// One of [`SECURITY_PROFILES`](crate::wire::SECURITY_PROFILES).
    pub security_profile: String,
    /// Whether its access has ended for good.
    pub revoked: bool,
    /// 64 of a-z0-9; no token or API key comes twice in the file.
    pub api_token: Option<Secret>,
    /// What it told of itself.
    pub report: ReportEntry,
}

/// What a device told of itself, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportEntry {
    /// As `Zebra`.
    pub hardware_brand: Option<String>,
    /// As `TC25`.
    pub hardware_model: Option<String>,
    /// As `Android`.
    pub os_name: Option<String>,
    /// As `8.1.0`.
    pub os_version: Option<String>,
    /// As `pretixSCAN`.
    pub software_brand: Option<String>,
    /// As `1.5.1`.
    pub software_version: Option<String>,
}
