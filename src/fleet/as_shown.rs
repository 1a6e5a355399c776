//! Whether devices are still those that somebody was shown and said yes to.

use std::collections::HashMap;

use super::device::FleetDevice;
use super::error::FleetError;
use super::filter::Filter;
use super::resource::Resource;

/// Up to so many devices are asked for one by one, more as a list.
const ONE_BY_ONE: usize = 50;

/// Refuses devices that are not as they were shown any more: what can't be taken back is done to no other one.
pub(super) async fn expect_as_shown(
    resource: &Resource,
    shown: &[FleetDevice],
) -> Result<(), FleetError> {
    let mut now: HashMap<u64, FleetDevice> = HashMap::new();
    if shown.len() <= ONE_BY_ONE {
        for device in shown {
            let number = device.device.device_id;
            now.insert(number, resource.again(number).await?);
        }
    } else {
        let all = resource.devices(&Filter::default()).await?.into_iter();
        now.extend(all.map(|device| (device.device.device_id, device)));
    }
    let is_as_shown = |shown: &FleetDevice| {
        let now = now.get(&shown.device.device_id);
        now.is_some_and(|now| is_the_same(shown, now))
    };
    match shown.iter().all(is_as_shown) {
        true => Ok(()),
        false => Err(FleetError::Overtaken),
    }
}

/// By what people know it. What a device reports of itself may change at any time.
fn is_the_same(shown: &FleetDevice, now: &FleetDevice) -> bool {
    let gate = |device: &FleetDevice| {
        let gate = device.more.gate.clone().flatten();
        gate.map(|gate| gate.identifier)
    };
    let known = |device: &FleetDevice| {
        let known = &device.device;
        (
            known.name.clone(),
            known.unique_serial.clone(),
            known.revoked,
            gate(device),
        )
    };
    known(shown) == known(now)
}
