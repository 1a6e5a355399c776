//! Changing many devices by few calls, where the server takes that.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::device::FleetDevice;
use super::error::FleetError;
use super::filter::Filter;
use super::outcome::{Effect, Outcome};
use super::resource::{BATCH, Resource};

/// Sets fields of the devices of these numbers, a piece of them at a time, each wholly or not at all; `None` where the
/// server can't. `left` says what of a device is not so yet. What was done is told, also where a later piece fails.
pub(super) async fn together(
    resource: &Resource,
    devices: &[FleetDevice],
    wanting: &[u64],
    fields: &Map<String, Value>,
    left: impl Fn(&FleetDevice) -> Option<&'static str>,
) -> Result<Option<Vec<Outcome>>, FleetError> {
    let mut done: HashSet<u64> = HashSet::new();
    let mut failed = None;
    for some in wanting.chunks(BATCH) {
        match resource.change_all(some, fields).await {
            Ok(true) => done.extend(some),
            Ok(false) if done.is_empty() => return Ok(None),
            Ok(false) => break,
            Err(error) if done.is_empty() && wanting.len() <= BATCH => return Err(error),
            Err(error) => {
                failed = some.first().map(|first| (*first, error));
                break;
            }
        }
    }
    let mut now = read_back(resource, &done).await?;
    let outcomes = devices.iter().map(|device| {
        let number = device.device.device_id;
        if !wanting.contains(&number) {
            return Outcome::of(device.clone(), Effect::Left);
        }
        if done.contains(&number) {
            let device = now.remove(&number).unwrap_or_else(|| device.clone());
            let effect = match left(&device) {
                None => Effect::Done,
                Some(what) => Effect::Failed(resource.ignored(what)),
            };
            return Outcome::of(device, effect);
        }
        // None of its piece was done, and what came behind it was not tried.
        let effect = match failed.take_if(|(first, _)| *first == number) {
            Some((_, error)) => Effect::Failed(error),
            None => Effect::NotTried,
        };
        Outcome::of(device.clone(), effect)
    });
    Ok(Some(outcomes.collect()))
}

/// The devices of these numbers as they are now.
async fn read_back(
    resource: &Resource,
    numbers: &HashSet<u64>,
) -> Result<HashMap<u64, FleetDevice>, FleetError> {
    if numbers.is_empty() {
        return Ok(HashMap::new());
    }
    let now = resource.devices(&Filter::default()).await;
    let now = now.map_err(|error| FleetError::NotReadBack(Box::new(error)))?;
    let now = now.into_iter();
    let of = now.filter(|device| numbers.contains(&device.device.device_id));
    Ok(of.map(|device| (device.device.device_id, device)).collect())
}
