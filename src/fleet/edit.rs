//! Changing devices: their name, what they may scan, where they are.

use super::change::Change;
use super::device::FleetDevice;
use super::directory::Directory;
use super::error::FleetError;
use super::now::{Undoing, expect_as_shown};
use super::offered::Offer;
use super::outcome::{Effect, Outcome, each};
use super::resource::Resource;
use super::together::together;

/// Changes those that are not so yet: together where the server takes that, else one after the other.
pub(crate) async fn edit(
    resource: &Resource,
    devices: Vec<FleetDevice>,
    change: &Change,
) -> Result<Vec<Outcome>, FleetError> {
    if change.gate.is_some() && devices.iter().any(|device| device.more.gate.is_none()) {
        return Err(resource.lacks(Offer::Gates));
    }
    let wants = |device: &&FleetDevice| change.differs(device).is_some();
    let shown: Vec<FleetDevice> = devices.iter().filter(wants).cloned().collect();
    let versions = expect_as_shown(resource, &shown, Undoing::Possible).await?;
    let wanting: Vec<u64> = shown.iter().map(|device| device.device.device_id).collect();
    // A gate can be set so only, and several devices best.
    if change.name.is_none() && (wanting.len() > 1 || change.gate.is_some()) {
        let differs = |device: &FleetDevice| change.differs(device);
        let fields = change.fields();
        let outcomes = together(resource, &devices, &wanting, &fields, differs);
        if let Some(outcomes) = outcomes.await? {
            return Ok(outcomes);
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
        let version = versions.of(number);
        resource.change(number, change.fields(), version).await?;
        let device = resource.again(number).await?;
        match change.differs(&device) {
            None => Ok((device, Effect::Done)),
            Some(what) => Err(resource.ignored(what)),
        }
    });
    Ok(each.await)
}

/// Refuses a name that another device has which is not revoked: it would not go by its name any more.
pub(crate) async fn expect_free_name(
    resource: &Resource,
    name: &str,
    of: &[FleetDevice],
) -> Result<(), FleetError> {
    let is_another = |found: &FleetDevice| {
        let number = found.device.device_id;
        found.device.name == name
            && !found.device.revoked
            && of.iter().all(|one| one.device.device_id != number)
    };
    let found = Directory::for_so_many(resource, 1)
        .await?
        .called(name)
        .await?;
    match found.into_iter().find(is_another) {
        None => Ok(()),
        Some(other) => Err(FleetError::NameTaken {
            name: name.to_owned(),
            number: other.device.device_id,
        }),
    }
}
