//! Devices as the server keeps them.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::organizer::Organizer;
use super::version::Version;
use crate::wire;

/// A device that has an API key, without that key: the store only knows its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolledDevice {
    /// Number of its row.
    pub id: i64,
    /// To whom it belongs.
    pub organizer: Organizer,
    /// Counts up from 1 within the organizer.
    pub device_id: u64,
    /// 16 of A-Z0-9.
    pub unique_serial: String,
    /// The name people gave it.
    pub name: String,
    /// Which part of the API it may use.
    pub security_profile: String,
    /// Where it stands, if that gate is in use.
    pub gate: Option<wire::Gate>,
    /// Whether its access has ended for good.
    pub revoked: bool,
    /// Its public key in PEM.
    pub rsa_pubkey: Option<String>,
}

/// What a device tells of itself, once validated. What is absent is cleared, but for the public key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ValidReport {
    /// As `Zebra`.
    pub hardware_brand: String,
    /// As `TC25`.
    pub hardware_model: String,
    /// As `Android`.
    pub os_name: Option<String>,
    /// As `8.1.0`.
    pub os_version: Option<String>,
    /// As `pretixSCAN`.
    pub software_brand: String,
    /// As `1.5.1`.
    pub software_version: String,
    /// Diagnostics of any shape.
    pub info: Option<Value>,
    /// Public key in PEM.
    pub rsa_pubkey: Option<String>,
}

/// A device to be created.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NewDevice {
    /// For people.
    pub name: String,
    /// Whether it may access all events.
    #[serde(default)]
    pub all_events: bool,
    /// Otherwise the slugs of those it may access; they are known to be there.
    pub limit_events: Vec<String>,
    /// A name that is known.
    #[serde(default = "full")]
    pub security_profile: String,
    /// Identifier of a gate. The devices resource has no such field but in a batch.
    #[serde(default)]
    pub gate: Option<String>,
}

fn full() -> String {
    "full".to_owned()
}

/// What is to be changed of a device; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeviceChange {
    /// For people.
    pub name: Option<String>,
    /// Whether it may access all events.
    pub all_events: Option<bool>,
    /// Otherwise the slugs of those it may access; they are known to be there.
    pub limit_events: Option<Vec<String>>,
    /// A name that is known.
    pub security_profile: Option<String>,
    /// Identifier of a gate, or none. The devices resource has no such field but in a batch.
    #[serde(default, deserialize_with = "named_or_none")]
    pub gate: Option<Option<String>>,
}

/// What is there and `null` is none, which is not the same as absent.
fn named_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A device, and what tells it from what it is after a change.
#[derive(Clone)]
pub struct VersionedDevice {
    /// As it is told always.
    pub device: wire::Device,
    /// Differs for whatever the devices resource lets be changed.
    pub version: Version,
}

/// What the code of a device is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeState {
    /// A scanner may redeem it. Of an initialized device, that is a code to reconnect it by.
    Open,
    /// It was redeemed.
    Used,
    /// Nobody may redeem it: the device was revoked, or a backup restored.
    Ended,
}

impl CodeState {
    pub(in crate::server) fn of(device: &wire::Device, is_reconnecting: bool) -> Self {
        match &device.initialization_token {
            _ if device.initialized.is_some() && !is_reconnecting => Self::Used,
            Some(_) if !device.revoked => Self::Open,
            _ => Self::Ended,
        }
    }
}

/// A device with what the devices resource tells of it when it is asked for more.
#[derive(Clone)]
pub struct DetailedDevice {
    /// As it is told always.
    pub device: wire::Device,
    /// Where it stands, whether that gate is in use or not.
    pub gate: Option<wire::Gate>,
    /// When it last made a call with its key, right within a minute.
    pub last_seen: Option<Timestamp>,
    /// Diagnostics, as it reported them last.
    pub info: Option<Value>,
    /// What its code is good for.
    pub code: CodeState,
    /// Whether it has an API key that works.
    pub has_key: bool,
    /// As of a [`VersionedDevice`].
    pub version: Version,
}
