//! Devices as a table shows them.

use crate::cli::output;
use crate::cli::table::{Column, whole, words};
use crate::fleet::FleetDevice;

/// What a list of devices tells.
pub(super) const HEADER: [Column; 8] = [
    whole("ID"),
    words("NAME"),
    whole("STATE"),
    words("GATE"),
    whole("LAST SEEN"),
    whole("SERIAL"),
    words("HARDWARE"),
    words("SOFTWARE"),
];

/// A list of devices. What none of them has is left out where it is printed.
pub(super) fn of(devices: &[FleetDevice]) -> Vec<Vec<String>> {
    let row = |device: &FleetDevice| {
        let plain = &device.device;
        vec![
            plain.device_id.to_string(),
            plain.name.clone(),
            device.standing().word().to_owned(),
            gate(device).unwrap_or_default(),
            last_seen(device).unwrap_or_default(),
            plain.unique_serial.clone(),
            pair(&plain.hardware_brand, &plain.hardware_model),
            pair(&plain.software_brand, &plain.software_version),
        ]
    };
    devices.iter().map(row).collect()
}

/// Where it is, if it is told and anywhere.
pub(super) fn gate(device: &FleetDevice) -> Option<String> {
    let gate = device.more.gate.as_ref()?.as_ref()?;
    Some(match gate.name.as_str() {
        "" => gate.identifier.clone(),
        name => name.to_owned(),
    })
}

/// When it was last seen, if it is told and was ever.
pub(super) fn last_seen(device: &FleetDevice) -> Option<String> {
    device.more.last_seen.flatten().map(output::time)
}

/// Two words of a report, as far as they are there.
pub(super) fn pair(first: &Option<String>, second: &Option<String>) -> String {
    let words: Vec<&str> = [first, second]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    words.join(" ")
}
