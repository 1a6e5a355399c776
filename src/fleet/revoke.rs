//! Ending devices' access.

use serde_json::{Map, json};

use super::device::FleetDevice;
use super::error::FleetError;
use super::now::{Undoing, expect_as_shown};
use super::offered::Offer;
use super::outcome::{Effect, Outcome, each};
use super::resource::Resource;
use super::together::together;

/// Ends the access of those that have one: together where the server takes that, else one after the other.
pub(crate) async fn revoke(
    resource: &Resource,
    devices: Vec<FleetDevice>,
) -> Result<Vec<Outcome>, FleetError> {
    let has_access = |device: &&FleetDevice| !device.device.revoked;
    let wanting = devices.iter().filter(has_access);
    let wanting: Vec<u64> = wanting.map(|device| device.device.device_id).collect();
    let shown: Vec<FleetDevice> = devices.iter().filter(has_access).cloned().collect();
    let versions = expect_as_shown(resource, &shown, Undoing::Impossible).await?;
    let fields = Map::from_iter([("revoked".to_owned(), json!(true))]);
    if wanting.len() > 1 {
        let left = |device: &FleetDevice| (!device.device.revoked).then_some("its access");
        let outcomes = together(resource, &devices, &wanting, &fields, left);
        if let Some(outcomes) = outcomes.await? {
            return Ok(outcomes);
        }
    }
    let each = each(devices, async |device: FleetDevice| {
        if device.device.revoked {
            return Ok((device, Effect::Left));
        }
        let number = device.device.device_id;
        // Some servers have a call for it; another may take the field, or answer as if it did.
        let version = versions.of(number);
        let has_call = resource.revoke(number, version.clone()).await?;
        if !has_call {
            resource.change(number, fields.clone(), version).await?;
        }
        let device = resource.again(number).await?;
        match (device.device.revoked, has_call) {
            (true, _) => Ok((device, Effect::Done)),
            (false, true) => Err(resource.ignored("its access")),
            (false, false) => Err(resource.lacks(Offer::Revocation)),
        }
    });
    Ok(each.await)
}
