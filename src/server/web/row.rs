//! A device in the table.

use jiff::Timestamp;

use super::choice_names::ChoiceNames;
use super::frame::Frame;
use super::since;
use super::standing::Standing;
use super::texts::alone;
use crate::server::model::DetailedDevice;

/// A device in the table, as it may be shown.
pub(super) struct Row {
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) standing: Standing,
    pub(super) seen: Option<Seen>,
    pub(super) hardware: String,
    pub(super) system: String,
    pub(super) software: String,
    pub(super) events: String,
    pub(super) gate: String,
    pub(super) profile: String,
}

/// When a device was last seen.
pub(super) struct Seen {
    /// For machines.
    pub(super) exactly: String,
    /// For people who want to know it exactly.
    pub(super) moment: String,
    /// For all others.
    pub(super) ago: String,
}

impl Seen {
    pub(super) fn of(frame: &Frame, seen: Timestamp, now: Timestamp) -> Self {
        Self {
            exactly: seen.to_string(),
            moment: since::moment(seen),
            ago: since::ago(frame.language, seen, now),
        }
    }
}

impl Row {
    pub(super) fn of(
        frame: &Frame,
        names: &ChoiceNames,
        detailed: &DetailedDevice,
        now: Timestamp,
    ) -> Self {
        let device = &detailed.device;
        let gate = detailed.gate.as_ref();
        let standing = Standing::of(detailed, now);
        // One that is connected and has made no call yet was seen as that was done.
        let seen = match standing {
            Standing::Online => detailed.last_seen.or(device.initialized),
            _ => detailed.last_seen,
        };
        Self {
            number: device.device_id,
            name: alone(&device.name).into_owned(),
            standing,
            seen: seen.map(|seen| Seen::of(frame, seen, now)),
            hardware: both(&device.hardware_brand, &device.hardware_model),
            system: both(&device.os_name, &device.os_version),
            software: both(&device.software_brand, &device.software_version),
            events: match device.all_events {
                true => frame.say("devices:all_events").to_owned(),
                false => names.events(device.limit_events.iter().map(String::as_str)),
            },
            gate: gate.map_or_else(String::new, |gate| alone(&gate.name).into_owned()),
            profile: device.security_profile.clone(),
        }
    }
}

/// Two texts beside each other, as far as there are any.
fn both(one: &Option<String>, other: &Option<String>) -> String {
    let there = [one, other].into_iter().flatten();
    let there: Vec<_> = there.map(|text| alone(text)).collect();
    there.join(" ")
}
