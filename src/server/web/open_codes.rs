//! Devices whose codes are open, to be printed.

use super::device_numbers::DeviceNumbers;
use super::fault::Fault;
use super::handover::Handover;
use super::visit::Visit;
use crate::secret::Secret;
use crate::server::model::{BATCH_LIMIT, DeviceFilter, Order, OrderBy};

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
    let numbers: DeviceNumbers = numbers.parse().map_err(|_| Fault::NotFound)?;
    let filter = DeviceFilter {
        numbers: Some(numbers.iter().collect()),
        ..DeviceFilter::default()
    };
    let order = Order {
        by: OrderBy::Number,
        descending: false,
    };
    let limit = BATCH_LIMIT as u64;
    let store = &visit.state.store;
    let devices = store.filtered_devices(visit.organizer()?, &filter, order, 0, limit);
    let open = devices.await?.into_iter().filter_map(|device| {
        if Handover::of(&device) != Handover::Waiting {
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
