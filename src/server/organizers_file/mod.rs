//! The organizers file: what `gatehand admin import` takes.
//!
//! A file is read wholly or not at all. What is wrong with it is told all at once, in the order of
//! the file, each fault with the place, the value found and what was expected there.

mod json;
mod reader;
mod schema;
#[cfg(test)]
mod tests;
mod values;

use serde::Serialize;

use super::event_selection::Schedule;
use crate::secret::Secret;

/// Largest file that is read, in bytes.
pub const SIZE_LIMIT: usize = 16 * 1024 * 1024;

/// How many faults are told in full; the rest is counted.
pub const FAULT_LIMIT: usize = 20;

/// A file whose parts fit together: what refers to something refers to something in the file.
pub struct OrganizersFile {
    /// With slugs unique in the file.
    pub organizers: Vec<Organizer>,
}

/// An organizer with all that belongs to it.
pub struct Organizer {
    /// Letters, digits and `._-`.
    pub slug: String,
    /// For people.
    pub name: String,
    /// With identifiers unique in the organizer.
    pub gates: Vec<Gate>,
    /// With slugs unique in the organizer.
    pub events: Vec<Event>,
    /// The callers that manage devices.
    pub teams: Vec<Team>,
    /// Numbered in this order.
    pub devices: Vec<Device>,
}

/// An entrance.
pub struct Gate {
    /// For people.
    pub name: String,
    /// Unique in the organizer.
    pub identifier: String,
}

/// An event or event series.
pub struct Event {
    /// Unique in the organizer.
    pub slug: String,
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
    pub subevents: Vec<Subevent>,
    /// The check-in lists.
    pub checkin_lists: Vec<CheckinList>,
}

/// A date of an event series.
pub struct Subevent {
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
pub struct CheckinList {
    /// Unique among the lists in the file, above 0; without, the server picks one.
    pub id: Option<i64>,
    /// For people, and to find the same entrance in another event.
    pub name: String,
    /// The id of a date of the same event; without, the list is for all dates.
    pub subevent: Option<i64>,
    /// Identifiers of gates of the same organizer, each once.
    pub gates: Vec<String>,
}

/// A name in one or several languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// One name for all languages.
    Plain(String),
    /// Languages with their name, in the order of the file; at least one.
    ByLanguage(Vec<(String, String)>),
}

impl Name {
    /// The name as one text: the English one, else the first.
    pub fn text(&self) -> &str {
        let names = match self {
            Self::Plain(name) => return name,
            Self::ByLanguage(names) => names,
        };
        let english = names
            .iter()
            .find(|(language, _)| language == "en")
            .or_else(|| {
                names
                    .iter()
                    .find(|(language, _)| language.starts_with("en-"))
            });
        english.or(names.first()).map_or("", |(_, name)| name)
    }
}

/// A group of API callers.
pub struct Team {
    /// For people.
    pub name: String,
    /// What its tokens may do.
    pub permissions: Permissions,
    /// The keys of its callers.
    pub tokens: Vec<TeamToken>,
}

/// What a team may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permissions {
    /// Everything.
    All,
    /// As `organizer.devices:read`; those of other resources of the API are kept too.
    Listed(Vec<String>),
}

/// The key of an API caller.
pub struct TeamToken {
    /// For people.
    pub name: String,
    /// 64 of a-z0-9; no token or API key comes twice in the file.
    pub token: Secret,
    /// Whether it lets the caller in.
    pub active: bool,
}

/// A device, initialized if it has an API key.
pub struct Device {
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
    pub report: Report,
}

/// What a device told of itself, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
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

/// Something in the file that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The place, as `organizers[2].events[0].date_from`.
    pub path: String,
    /// The value there, shortened; of what may be secret only its kind.
    pub found: String,
    /// What was expected instead.
    pub expected: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            path,
            found,
            expected,
        } = self;
        write!(formatter, "{path}: found {found}, expected {expected}")
    }
}

/// Why a file can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum OrganizersFileError {
    /// It is larger than [`SIZE_LIMIT`].
    #[error("the organizers file is larger than {} MiB; split it", SIZE_LIMIT / 1024 / 1024)]
    TooLarge,
    /// It can't be read as JSON; the cause tells the line and column.
    #[error("the organizers file is not JSON")]
    Syntax(#[source] serde_json::Error),
    /// It is JSON, but not as expected.
    #[error("{}", list(faults, *more))]
    Faults {
        /// The first [`FAULT_LIMIT`] in the order of the file.
        faults: Vec<Fault>,
        /// How many there are beyond these.
        more: usize,
    },
}

fn list(faults: &[Fault], more: usize) -> String {
    let mut text = "the organizers file is not as expected:".to_owned();
    for fault in faults {
        text += &format!("\n  {fault}");
    }
    if more > 0 {
        text += &format!("\n  and {more} more");
    }
    text
}

impl OrganizersFile {
    /// Reads the content of a file.
    pub fn parse(content: &[u8]) -> Result<Self, OrganizersFileError> {
        if content.len() > SIZE_LIMIT {
            return Err(OrganizersFileError::TooLarge);
        }
        let tree = json::parse(content).map_err(OrganizersFileError::Syntax)?;
        reader::read(&tree, schema::organizers_file)
    }
}
