//! One change of many devices.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::device::DeviceChange;
use super::version::Version;

/// Devices that one call makes or changes at most.
pub const BATCH_LIMIT: usize = 1000;

/// What is to become of each device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BatchSetting {
    /// What of it is to be changed.
    #[serde(flatten)]
    pub change: DeviceChange,
    /// Whether its access is to end for good.
    #[serde(default)]
    pub revoked: Option<bool>,
}

/// What becomes of each device, and by what it is told that nothing of it was changed meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPlan {
    /// The devices that are meant, by number.
    pub devices: Vec<PlannedChange>,
    /// That of all that the plan was made of.
    pub version: Version,
}

/// What becomes of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedChange {
    /// Its number.
    pub device_id: u64,
    /// By field, what it is before and after; empty where nothing changes.
    pub changes: Map<String, Value>,
}

/// Why a batch is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchRefusal {
    /// More than [`BATCH_LIMIT`] are meant.
    TooMany,
    /// The organizer has no devices of these numbers.
    NoDevices(Vec<u64>),
    /// The plan is not the expected one.
    Outdated,
}
