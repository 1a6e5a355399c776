//! Devices as a table shows them.

use crate::cli::output;
use crate::fleet::FleetDevice;

/// A list of devices: gates and times only where the server tells them of any.
pub(super) fn of(devices: &[FleetDevice]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let tells_gates = devices.iter().any(|device| device.more.gate.is_some());
    let tells_times = devices.iter().any(|device| device.more.last_seen.is_some());
    let mut header = vec!["ID", "NAME", "STATE"];
    if tells_gates {
        header.push("GATE");
    }
    if tells_times {
        header.push("LAST SEEN");
    }
    header.extend(["HARDWARE", "SOFTWARE", "SERIAL"]);
    let row = |device: &FleetDevice| {
        let plain = &device.device;
        let mut row = vec![
            plain.device_id.to_string(),
            plain.name.clone(),
            device.standing().word().to_owned(),
        ];
        if tells_gates {
            row.push(gate(device).unwrap_or_default());
        }
        if tells_times {
            row.push(last_seen(device).unwrap_or_default());
        }
        row.push(pair(&plain.hardware_brand, &plain.hardware_model));
        row.push(pair(&plain.software_brand, &plain.software_version));
        row.push(plain.unique_serial.clone());
        row
    };
    (header, devices.iter().map(row).collect())
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
