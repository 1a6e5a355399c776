//! How far a device is on its way to a scanner.

use super::device_numbers::DeviceNumbers;
use super::feed::{DeviceEvent, Done, Machine};
use crate::server::model::{BATCH_LIMIT, DetailedDevice, DeviceFilter, Order, OrderBy};
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
    /// That of a device, which may wait for a scanner anew.
    fn of(device: &DetailedDevice, is_reconnecting: bool) -> Self {
        let device = &device.device;
        match (device.initialized, &device.initialization_token) {
            _ if device.revoked => Self::Revoked,
            (initialized, Some(_)) if initialized.is_none() || is_reconnecting => Self::Waiting,
            (None, _) => Self::Void,
            (Some(_), _) => Self::Connected(Machine::new(
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
    let devices = devices.await?;
    let (first, last) = numbers.ends();
    let reconnecting = store.reconnecting(organizer, first, last).await?;
    let devices = devices.into_iter().map(|device| {
        let number = device.device.device_id;
        let handover = Handover::of(&device, reconnecting.binary_search(&number).is_ok());
        (device, handover)
    });
    Ok(devices.collect())
}
