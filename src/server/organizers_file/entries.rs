//! What an organizers file holds.

use serde::{Serialize, Serializer};

use crate::server::installation_keys::KeyHash;
use crate::server::model::{Name, Permissions, Schedule, Slug};

/// An organizer with all that belongs to it, but for its devices.
#[derive(Serialize)]
pub struct OrganizerEntry {
    /// Unique in the file.
    pub slug: Slug,
    /// For people.
    pub name: String,
    /// Whether it is served; without, as it is, and a new one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// With identifiers unique in the organizer.
    pub gates: Vec<GateEntry>,
    /// With slugs unique in the organizer.
    pub events: Vec<EventEntry>,
    /// The callers that manage devices.
    pub teams: Vec<TeamEntry>,
}

/// An entrance.
#[derive(Serialize)]
pub struct GateEntry {
    /// For people.
    pub name: String,
    /// Unique in the organizer.
    pub identifier: String,
    /// Whether it is in use; without, as it is, and a new one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// An event or event series.
#[derive(Serialize)]
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
    #[serde(flatten)]
    pub schedule: Schedule,
    /// Whether it is a series. One that is not has no dates.
    pub has_subevents: bool,
    /// The dates of the series.
    pub subevents: Vec<SubeventEntry>,
    /// The check-in lists.
    pub checkin_lists: Vec<CheckinListEntry>,
}

/// A date of an event series.
#[derive(Serialize)]
pub struct SubeventEntry {
    /// Unique among the dates in the file, above 0; without, the server picks one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// In one or several languages.
    pub name: Name,
    /// Whether it takes place.
    pub active: bool,
    /// When it takes place; it never ends before it starts.
    #[serde(flatten)]
    pub schedule: Schedule,
}

/// A check-in list.
#[derive(Serialize)]
pub struct CheckinListEntry {
    /// Unique among the lists in the file, above 0; without, the server picks one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// For people, and to find the same entrance in another event.
    pub name: String,
    /// The id of a date of the same event; without, the list is for all dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subevent: Option<i64>,
    /// Identifiers of gates of the same organizer, each once.
    pub gates: Vec<String>,
}

/// A group of API callers.
#[derive(Serialize)]
pub struct TeamEntry {
    /// For people.
    pub name: String,
    /// What its tokens may do.
    #[serde(rename = "organizer_permissions")]
    pub permissions: Permissions,
    /// Whether its tokens let anybody in.
    pub active: bool,
    /// The keys of its callers.
    pub tokens: Vec<TokenEntry>,
}

/// The key of an API caller.
#[derive(Serialize)]
pub struct TokenEntry {
    /// For people.
    pub name: String,
    /// Of the token; none comes twice in the file, nor as an API key.
    #[serde(rename = "token_sha256", serialize_with = "hexadecimal")]
    pub hash: KeyHash,
    /// Whether it lets the caller in.
    pub active: bool,
}

/// A device, initialized if it has an API key.
#[derive(Serialize)]
pub struct DeviceEntry {
    /// For people.
    pub name: String,
    /// 16 of A-Z0-9, unique in the file; without, the server draws one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_serial: Option<String>,
    /// Whether it may access all events.
    pub all_events: bool,
    /// Otherwise the slugs of those it may access: of the same organizer, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limit_events: Vec<String>,
    /// The identifier of a gate of the same organizer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// One of [`SECURITY_PROFILES`](crate::wire::SECURITY_PROFILES).
    pub security_profile: String,
    /// Whether its access has ended for good.
    pub revoked: bool,
    /// Of the API key; none comes twice in the file, nor as a token.
    #[serde(
        rename = "api_token_sha256",
        skip_serializing_if = "Option::is_none",
        serialize_with = "hexadecimal_if_any"
    )]
    pub api_key_hash: Option<KeyHash>,
    /// What it told of itself.
    #[serde(flatten)]
    pub report: ReportEntry,
}

/// What a device told of itself, as far as known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportEntry {
    /// As `Zebra`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_brand: Option<String>,
    /// As `TC25`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_model: Option<String>,
    /// As `Android`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_name: Option<String>,
    /// As `8.1.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// As `pretixSCAN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_brand: Option<String>,
    /// As `1.5.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

fn hexadecimal<S: Serializer>(hash: &KeyHash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base16ct::lower::encode_string(hash))
}

fn hexadecimal_if_any<S: Serializer>(
    hash: &Option<KeyHash>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match hash {
        Some(hash) => hexadecimal(hash, serializer),
        None => serializer.serialize_none(),
    }
}
