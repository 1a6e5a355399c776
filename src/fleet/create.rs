//! Making devices.

use std::collections::HashMap;

use super::change::Change;
use super::device::{FleetDevice, Standing};
use super::directory::Directory;
use super::error::FleetError;
use super::now::now;
use super::offered::Offer;
use super::outcome::{Effect, Outcome};
use super::resource::{BATCH, Resource};
use crate::roster::NewDevice;

/// Makes those whose names no device has that is not revoked, so that what was cut short is finished by the same
/// again: together where the server takes that, else one after the other.
pub(crate) async fn create(
    resource: &Resource,
    new: Vec<NewDevice>,
) -> Result<Vec<Outcome>, FleetError> {
    let there = of_these_names(resource, &new).await?;
    let tells_no_gates = there.iter().any(|device| device.more.gate.is_none());
    let has_gates = new.iter().any(|new| new.gate.is_some());
    if tells_no_gates && has_gates {
        return Err(resource.lacks(Offer::Gates));
    }
    let revoked = revoked_by_name(&there);
    let there = by_name(there);
    let missing: Vec<NewDevice> = new
        .iter()
        .filter(|new| !there.contains_key(&new.name))
        .cloned()
        .collect();
    let mut made = make(resource, &missing, has_gates).await?.into_iter();
    let outcomes = new.into_iter().map(|new| {
        if let Some(device) = there.get(&new.name) {
            let number = device.device.device_id;
            let effect = match Change::from(&new).differs(device) {
                None if device.standing() == Standing::CodeEnded => {
                    Effect::Failed(FleetError::CodeEnded { number })
                }
                None => Effect::Left,
                Some(what) => Effect::Failed(FleetError::Differs { number, what }),
            };
            return Outcome::of(device.clone(), effect);
        }
        let (device, effect) = match made.next() {
            Some(Ok(device)) => {
                let mut wanted = Change::from(&new);
                if device.more.gate.is_none() {
                    wanted.gate = None;
                }
                let effect = match wanted.differs(&device) {
                    None => Effect::Done,
                    Some(what) => Effect::Failed(resource.ignored(what)),
                };
                (Some(device), effect)
            }
            Some(Err(error)) => (None, Effect::Failed(error)),
            None => (None, Effect::NotTried),
        };
        let note = revoked.get(&new.name).filter(|_| device.is_some());
        let note = note.map(|number| format!("device {number} of this name was revoked"));
        Outcome {
            name: new.name,
            device,
            effect,
            note,
        }
    });
    Ok(outcomes.collect())
}

/// The devices that have one of these names already.
async fn of_these_names(
    resource: &Resource,
    new: &[NewDevice],
) -> Result<Vec<FleetDevice>, FleetError> {
    let mut directory = Directory::for_so_many(resource, new.len()).await?;
    let mut there = Vec::new();
    for new in new {
        let called = directory.called(&new.name).await?.into_iter();
        there.extend(called.filter(|device| device.device.name == new.name));
    }
    Ok(there)
}

/// The last revoked one of each name.
fn revoked_by_name(devices: &[FleetDevice]) -> HashMap<String, u64> {
    let revoked = devices
        .iter()
        .filter(|device| device.standing() == Standing::Revoked);
    revoked
        .map(|device| (device.device.name.clone(), device.device.device_id))
        .collect()
}

fn by_name(devices: Vec<FleetDevice>) -> HashMap<String, FleetDevice> {
    let living = devices
        .into_iter()
        .filter(|device| device.standing() != Standing::Revoked);
    living
        .map(|device| (device.device.name.clone(), device))
        .collect()
}

/// Makes them in their order, as many as can be made, and reads them back.
async fn make(
    resource: &Resource,
    missing: &[NewDevice],
    has_gates: bool,
) -> Result<Vec<Result<FleetDevice, FleetError>>, FleetError> {
    let mut made = Vec::with_capacity(missing.len());
    // One alone is a plain call, which has no gate.
    let mut is_offered = missing.len() > 1 || has_gates;
    for some in missing.chunks(BATCH) {
        if is_offered {
            match resource.create_all(some).await {
                Ok(Some(devices)) => {
                    made.extend(devices.into_iter().map(Ok));
                    continue;
                }
                Ok(None) => is_offered = false,
                // What came before was made, and is to be told.
                Err(error) if !made.is_empty() => {
                    made.push(Err(error));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if has_gates {
            return Err(resource.lacks(Offer::Gates));
        }
        for new in some {
            let device = resource.create(new).await;
            let is_over = device.as_ref().is_err_and(FleetError::is_of_all);
            made.push(device);
            if is_over {
                return Ok(made);
            }
        }
    }
    match has_gates {
        true => Ok(with_gates(resource, made).await),
        false => Ok(made),
    }
}

/// The same with the gates that the server now tells.
async fn with_gates(
    resource: &Resource,
    made: Vec<Result<FleetDevice, FleetError>>,
) -> Vec<Result<FleetDevice, FleetError>> {
    let numbers = made.iter().flatten().map(|made| made.device.device_id);
    let numbers: Vec<u64> = numbers.collect();
    let now = match now(resource, &numbers).await {
        Ok(now) => now,
        // Their codes are worth more than to know that.
        Err(error) => {
            tracing::warn!(
                "the gates of the devices that were made could not be read back: {error}"
            );
            return made;
        }
    };
    let read = made.into_iter().map(|made| {
        made.map(|device| match now.get(&device.device.device_id) {
            Some(now) => now.device.clone(),
            None => device,
        })
    });
    read.collect()
}
