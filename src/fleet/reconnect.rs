//! Giving devices a new code, for scanners that were reset or replaced.

use super::device::FleetDevice;
use super::offered::Offer;
use super::outcome::{Effect, Outcome, each};
use super::resource::Resource;

/// Gives each a new code. Its key is worthless at once, or as soon as the code is used.
pub(crate) async fn reconnect(
    resource: &Resource,
    devices: Vec<FleetDevice>,
    now: bool,
) -> Vec<Outcome> {
    each(devices, async |device: FleetDevice| {
        let given = resource.reconnect(device.device.device_id, now).await?;
        match given {
            Some(device) if device.device.initialization_token.is_some() => {
                Ok((device, Effect::Done))
            }
            Some(_) => Err(resource.ignored("its code")),
            None => Err(resource.lacks(Offer::Reconnection)),
        }
    })
    .await
}
