//! Changing devices: their name, what they may scan, where they are.

use super::change::Change;
use super::device::FleetDevice;
use super::error::FleetError;
use super::filter::Filter;
use super::offered::Offer;
use super::outcome::{Effect, Outcome, each};
use super::resource::{BATCH, Resource};

/// Changes those that are not so yet: together where the server takes that, else one after the other.
pub(crate) async fn edit(
    resource: &Resource,
    devices: Vec<FleetDevice>,
    change: &Change,
) -> Result<Vec<Outcome>, FleetError> {
    if change.gate.is_some() && devices.iter().any(|device| device.more.gate.is_none()) {
        return Err(resource.lacks(Offer::Gates));
    }
    let wanting: Vec<u64> = devices
        .iter()
        .filter(|device| change.differs(device).is_some())
        .map(|device| device.device.device_id)
        .collect();
    // A gate can be set so only, and several devices best.
    if change.name.is_none() && (wanting.len() > 1 || change.gate.is_some()) {
        let fields = change.fields();
        let mut is_offered = true;
        for some in wanting.chunks(BATCH) {
            is_offered = is_offered && resource.change_all(some, &fields).await?;
        }
        if is_offered {
            return read_back(resource, devices, change, &wanting).await;
        }
        if change.gate.is_some() {
            return Err(resource.lacks(Offer::Gates));
        }
    }
    let each = each(devices, async |device: FleetDevice| {
        if change.differs(&device).is_none() {
            return Ok((device, Effect::Left));
        }
        let number = device.device.device_id;
        resource.change(number, change.fields()).await?;
        let device = resource.again(number).await?;
        let effect = effect(resource, &device, change);
        Ok((device, effect))
    });
    Ok(each.await)
}

/// What became of devices that were changed together.
async fn read_back(
    resource: &Resource,
    before: Vec<FleetDevice>,
    change: &Change,
    changed: &[u64],
) -> Result<Vec<Outcome>, FleetError> {
    let now = resource.devices(&Filter::default()).await;
    let mut now = now.map_err(|error| FleetError::NotReadBack(Box::new(error)))?;
    let outcomes = before.into_iter().map(|device| {
        let number = device.device.device_id;
        if !changed.contains(&number) {
            return Outcome::of(device, Effect::Left);
        }
        let found = now.iter().position(|now| now.device.device_id == number);
        let device = found.map_or(device, |found| now.swap_remove(found));
        let effect = effect(resource, &device, change);
        Outcome::of(device, effect)
    });
    Ok(outcomes.collect())
}

fn effect(resource: &Resource, now: &FleetDevice, change: &Change) -> Effect {
    match change.differs(now) {
        None => Effect::Done,
        Some(what) => Effect::Failed(resource.ignored(what)),
    }
}
