//! How far a device is on its way to a scanner.

use super::device_numbers::DeviceNumbers;
use super::feed::{DeviceEvent, Done, Machine};
use crate::server::model::{BATCH_LIMIT, CodeState, DetailedDevice, DeviceFilter, Order, OrderBy};
use crate::server::store::{FleetPage, StoreError};

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handover {
    /// Its code is open: it waits for a scanner.
    Waiting,
    /// A scanner has redeemed its code.
    Connected(Machine),
    /// Its access has ended for good.
    Revoked,
    /// Its code has ended, or was replaced by another.
    Void,
}

impl Handover {
    fn of(detailed: &DetailedDevice) -> Self {
        let device = &detailed.device;
        match detailed.code {
            _ if device.revoked => Self::Revoked,
            CodeState::Open => Self::Waiting,
            CodeState::Ended => Self::Void,
            CodeState::Used => Self::Connected(Machine::new(
                [
                    device.hardware_brand.as_deref(),
                    device.hardware_model.as_deref(),
                ],
                [device.os_name.as_deref(), device.os_version.as_deref()],
            )),
        }
    }

    /// How far it is after this, if that is told.
    pub(super) fn after(event: &DeviceEvent) -> Option<Self> {
        match &event.done {
            Done::Connected(machine) => Some(Self::Connected(machine.clone())),
            Done::TokenRenewed => Some(Self::Waiting),
            Done::TokenEnded => Some(Self::Void),
            Done::Revoked => Some(Self::Revoked),
            Done::Other => None,
        }
    }
}

/// The devices of these numbers, and how far each is.
pub(super) async fn find(
    store: &dyn FleetPage,
    organizer: i64,
    numbers: &DeviceNumbers,
) -> Result<Vec<(DetailedDevice, Handover)>, StoreError> {
    let filter = DeviceFilter {
        numbers: Some(numbers.iter().collect()),
        ..DeviceFilter::default()
    };
    let order = Order {
        by: OrderBy::Number,
        descending: false,
    };
    let limit = BATCH_LIMIT as u64;
    let devices = store.filtered_devices(organizer, &filter, order, 0, limit);
    let devices = devices.await?.into_iter().map(|device| {
        let handover = Handover::of(&device);
        (device, handover)
    });
    Ok(devices.collect())
}
