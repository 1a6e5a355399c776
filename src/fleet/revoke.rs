//! Ending devices' access.

use serde_json::{Map, json};

use super::device::FleetDevice;
use super::error::FleetError;
use super::offered::Offer;
use super::outcome::{Effect, Outcome, each};
use super::resource::Resource;

/// Ends the access of those that have one, one after the other, so that each is out as soon as it can be.
pub(crate) async fn revoke(resource: &Resource, devices: Vec<FleetDevice>) -> Vec<Outcome> {
    each(devices, async |device: FleetDevice| {
        if device.device.revoked {
            return Ok((device, Effect::Left));
        }
        let device = end(resource, device.device.device_id).await?;
        Ok((device, Effect::Done))
    })
    .await
}

/// Some servers have a call for it; another may take the field, or answer as if it did.
async fn end(resource: &Resource, number: u64) -> Result<FleetDevice, FleetError> {
    let has_call = resource.revoke(number).await?;
    if !has_call {
        let fields = Map::from_iter([("revoked".to_owned(), json!(true))]);
        resource.change(number, fields).await?;
    }
    let device = resource.again(number).await?;
    match (device.device.revoked, has_call) {
        (true, _) => Ok(device),
        (false, true) => Err(resource.ignored("its access")),
        (false, false) => Err(resource.lacks(Offer::Revocation)),
    }
}
