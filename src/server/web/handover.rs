//! How far a device is on its way to a scanner.

use super::feed::{DeviceEvent, Done, Machine};
use crate::server::model::DetailedDevice;

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
    pub(super) fn of(device: &DetailedDevice) -> Self {
        let device = &device.device;
        match (device.initialized, &device.initialization_token) {
            _ if device.revoked => Self::Revoked,
            (None, Some(_)) => Self::Waiting,
            (None, None) => Self::Void,
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
