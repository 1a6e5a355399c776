//! Devices whose codes are open, to be printed.

use super::device_numbers::DeviceNumbers;
use super::fault::Fault;
use super::handover::{self, Handover};
use super::visit::Visit;
use crate::secret::Secret;

/// A device that waits for a scanner.
pub(super) struct OpenCode {
    pub(super) number: u64,
    pub(super) name: String,
    /// The name of its gate.
    pub(super) gate: Option<String>,
    pub(super) token: Secret,
}

/// Those of the devices that the address names.
pub(super) async fn find(visit: &Visit) -> Result<Vec<OpenCode>, Fault> {
    let numbers = visit.query("devices").unwrap_or_default();
    let numbers: DeviceNumbers = numbers.parse()?;
    let devices = handover::find(&*visit.state.store, visit.organizer()?, &numbers).await?;
    let open = devices.into_iter().filter_map(|(device, handover)| {
        if handover != Handover::Waiting {
            return None;
        }
        Some(OpenCode {
            number: device.device.device_id,
            name: device.device.name,
            gate: device.gate.map(|gate| gate.name),
            token: device.device.initialization_token?,
        })
    });
    let open: Vec<OpenCode> = open.collect();
    match open.is_empty() {
        true => Err(Fault::NoOpenCode),
        false => Ok(open),
    }
}
