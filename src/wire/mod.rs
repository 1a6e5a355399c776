//! The JSON types of the device API and their limits: one definition for agent and server.
//!
//! Shapes follow pretix' public documentation of the devices resource and of device
//! authentication. Fields that older servers leave out are optional when read.

#[cfg(feature = "server")]
pub mod fields;
mod problem;
mod text;
pub(crate) mod tolerant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::{self, Secret};

pub use problem::Problem;
pub(crate) use problem::hidden;
pub use text::{TEXT_LIMIT, Text};

/// Longest API key that is taken from a server, in bytes; pretix' have 64.
pub const KEY_LIMIT: usize = 4096;

/// `detail` of the 401 that tells a device it is revoked for good.
pub const REVOKED_DETAIL: &str = "Device access has been revoked.";
/// What a server answers to a key that no device has, or no longer.
pub const UNKNOWN_KEY_DETAIL: &str = "Invalid token.";

/// Words on `token` in a refused `initialize`: there is no such token.
pub const TOKEN_UNKNOWN: &str = "Unknown initialization token.";
/// Words on `token` in a refused `initialize`: it was redeemed before.
pub const TOKEN_USED: &str = "This initialization token has already been used.";
/// Words on `token` in a refused `initialize`: its device's access has ended.
pub const TOKEN_REVOKED: &str = "This initialization token has been revoked.";

/// The security profiles there are: which part of the API a device may use.
pub const SECURITY_PROFILES: [&str; 4] = [
    "full",
    "pretixscan",
    "pretixscan_online_noorders",
    "pretixscan_online_kiosk",
];

/// Header under which a server repeats the answer to a request it has seen before.
pub const IDEMPOTENCY_HEADER: &str = "X-Idempotency-Key";

/// Paths of the device API, relative to the server's base URL. None has a trailing slash.
pub mod path {
    /// `POST`: redeems an initialization token.
    pub const INITIALIZE: &str = "api/v1/device/initialize";
    /// `POST`: reports what the device is.
    pub const UPDATE: &str = "api/v1/device/update";
    /// `POST`: replaces the key.
    pub const ROLL: &str = "api/v1/device/roll";
    /// `POST`: ends the device's access.
    pub const REVOKE: &str = "api/v1/device/revoke";
    /// `GET`: the device as the server knows it.
    pub const INFO: &str = "api/v1/device/info";
    /// `GET`: what to scan for now.
    pub const EVENT_SELECTION: &str = "api/v1/device/eventselection";
}

/// What a device tells of itself, in `initialize` and `update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// Manufacturer, as `Zebra`.
    pub hardware_brand: Text,
    /// Model, as `TC25`.
    pub hardware_model: Text,
    /// Operating system, as `Android`; cleared on the server if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_name: Option<Text>,
    /// Version of the operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<Text>,
    /// Name of the program that asks, as `gatehand`.
    pub software_brand: Text,
    /// Version of that program.
    pub software_version: Text,
    /// Diagnostics of any shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<Value>,
    /// Public key in PEM for NFC media; can't change once the server has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsa_pubkey: Option<String>,
}

impl DeviceReport {
    /// Whether two reports differ in nothing but `info`, which is never twice the same.
    pub fn is_same_but_diagnostics(&self, other: &Self) -> bool {
        let Self {
            hardware_brand,
            hardware_model,
            os_name,
            os_version,
            software_brand,
            software_version,
            info: _,
            rsa_pubkey,
        } = self;
        *hardware_brand == other.hardware_brand
            && *hardware_model == other.hardware_model
            && *os_name == other.os_name
            && *os_version == other.os_version
            && *software_brand == other.software_brand
            && *software_version == other.software_version
            && *rsa_pubkey == other.rsa_pubkey
    }
}

/// Body of `POST /api/v1/device/initialize`.
#[derive(Serialize)]
pub struct InitializeRequest<'a> {
    /// The initialization token: 16 of a-z0-9, works once.
    #[serde(serialize_with = "secret::expose")]
    pub token: &'a Secret,
    /// What the device tells of itself.
    #[serde(flatten)]
    pub report: &'a DeviceReport,
}

/// A device as it knows itself: the answer to `initialize`, `update`, `roll` and `revoke`.
///
/// When read, all but the key may be missing, of another type or of any look: a text that was not told
/// is empty, a number 0. Texts are kept up to 500 characters.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeviceIdentity {
    /// Slug of the organizer.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub organizer: String,
    /// Counts up from 1 within the organizer.
    #[serde(default, deserialize_with = "tolerant::number")]
    pub device_id: u64,
    /// 16 of A-Z0-9, unique in the installation.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub unique_serial: String,
    /// The API key: 64 of a-z0-9. See [`DeviceIdentity::has_usable_key`].
    #[serde(
        deserialize_with = "tolerant::secret",
        serialize_with = "secret::expose"
    )]
    pub api_token: Secret,
    /// The name people gave the device: any text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: String,
    /// Which part of the API the device may use; absent on older servers.
    #[serde(default, deserialize_with = "tolerant::optional_text")]
    pub security_profile: Option<String>,
    /// Where the device stands; absent on older servers.
    #[serde(default, deserialize_with = "tolerant::gate")]
    pub gate: Option<Gate>,
}

impl DeviceIdentity {
    /// Whether a call can be made with the key: it is there, and fits into a header.
    pub fn has_usable_key(&self) -> bool {
        let key = self.api_token.expose();
        (1..=KEY_LIMIT).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// An entrance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Number of the gate.
    pub id: i64,
    /// Name of the gate: any text.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub name: String,
    /// Short text, unique within the organizer.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub identifier: String,
}

/// The answer to `GET /api/v1/device/info`.
#[derive(Clone, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The device itself.
    pub device: DeviceIdentity,
    /// The server that answered.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub server: ServerInfo,
    /// Keys for NFC media, each encrypted to the device's RSA key; absent on older servers.
    #[serde(default, deserialize_with = "tolerant::list")]
    pub medium_key_sets: Vec<MediumKeySet>,
}

/// The server part of [`DeviceInfo`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The server's versions.
    #[serde(default, deserialize_with = "tolerant::part")]
    pub version: ServerVersion,
}

/// What apps switch features on by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerVersion {
    /// As `2026.8.0`; empty where a server does not tell.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub pretix: String,
    /// As `20260080005000`; 0 where a server does not tell.
    #[serde(default, deserialize_with = "tolerant::number")]
    pub pretix_numeric: u64,
}

/// A pair of keys for NFC media, each encrypted with RSA PKCS#1 v1.5 and Base64-coded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumKeySet {
    /// Number of the set on the medium.
    pub public_id: i64,
    /// Slug of the organizer.
    pub organizer: String,
    /// Whether new media are written with it.
    pub active: bool,
    /// Kind of medium.
    pub media_type: String,
    /// Encrypted key that reads a medium's number.
    pub uid_key: String,
    /// Encrypted key from which each medium's own is derived.
    pub diversification_key: String,
}

/// A device as its organizer sees it: an entry of the devices resource.
#[derive(Clone, Serialize, Deserialize)]
pub struct Device {
    /// Counts up from 1 within the organizer.
    pub device_id: u64,
    /// 16 of A-Z0-9, unique in the installation.
    pub unique_serial: String,
    /// Shown only to callers that may write.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "secret::expose_option"
    )]
    pub initialization_token: Option<Secret>,
    /// Whether the device has access to all events.
    pub all_events: bool,
    /// Slugs of the events it is limited to otherwise.
    pub limit_events: Vec<String>,
    /// Whether the device's access has ended for good.
    pub revoked: bool,
    /// The name people gave the device.
    pub name: String,
    /// When the device was created.
    #[serde(with = "timestamp")]
    pub created: jiff::Timestamp,
    /// When the initialization token was redeemed.
    #[serde(with = "timestamp::optional")]
    pub initialized: Option<jiff::Timestamp>,
    /// Manufacturer, as the device reported it.
    pub hardware_brand: Option<String>,
    /// Model, as the device reported it.
    pub hardware_model: Option<String>,
    /// Operating system, as the device reported it.
    pub os_name: Option<String>,
    /// Version of the operating system, as the device reported it.
    pub os_version: Option<String>,
    /// Program, as the device reported it.
    pub software_brand: Option<String>,
    /// Version of the program, as the device reported it.
    pub software_version: Option<String>,
    /// Which part of the API the device may use.
    pub security_profile: String,
}

/// One page of a list: at most 50 entries.
#[derive(Clone, Serialize, Deserialize)]
pub struct Page<T> {
    /// Entries on all pages.
    pub count: u64,
    /// Address of the next page.
    pub next: Option<String>,
    /// Address of the page before.
    pub previous: Option<String>,
    /// The entries of this page.
    pub results: Vec<T>,
}

/// Times as the API writes them: UTC with six digits of microseconds and `Z`.
pub mod timestamp {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes `time` as the API does.
    pub fn format(time: Timestamp) -> String {
        format!("{time:.6}")
    }

    /// For `#[serde(with = "timestamp")]`.
    pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(*time))
    }

    /// For `#[serde(with = "timestamp")]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::deserialize(deserializer)
    }

    /// For `#[serde(with = "timestamp::optional")]`.
    pub mod optional {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};

        /// For `#[serde(with = "timestamp::optional")]`.
        pub fn serialize<S: Serializer>(
            time: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => super::serialize(time, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// For `#[serde(with = "timestamp::optional")]`.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Option::deserialize(deserializer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_servers_identity_has_neither_profile_nor_gate() {
        let identity: DeviceIdentity = serde_json::from_str(
            r#"{"organizer": "o", "device_id": 3, "unique_serial": "S", "api_token": "k", "name": "n"}"#,
        )
        .unwrap();
        assert_eq!(identity.device_id, 3);
        assert!(identity.security_profile.is_none() && identity.gate.is_none());
    }

    #[test]
    fn the_request_has_token_and_report_side_by_side_and_no_absent_fields() {
        let text = |text: &str| Text::fit(text).unwrap();
        let report = DeviceReport {
            hardware_brand: text("Zebra"),
            hardware_model: text("TC25"),
            os_name: None,
            os_version: None,
            software_brand: text("gatehand"),
            software_version: text("1"),
            info: None,
            rsa_pubkey: None,
        };
        let token = Secret::new("t".into());
        let body = serde_json::to_value(InitializeRequest {
            token: &token,
            report: &report,
        });
        assert_eq!(
            body.unwrap(),
            serde_json::json!({
                "token": "t", "hardware_brand": "Zebra", "hardware_model": "TC25",
                "software_brand": "gatehand", "software_version": "1",
            })
        );
    }

    #[test]
    fn times_have_six_digits_and_z() {
        let time: jiff::Timestamp = "2020-09-18T14:17:40.9Z".parse().unwrap();
        assert_eq!(timestamp::format(time), "2020-09-18T14:17:40.900000Z");
    }
}
