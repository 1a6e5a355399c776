//! Changing many devices by few calls, where the server takes that.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::device::FleetDevice;
use super::error::FleetError;
use super::now::now;
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
    let changed: Vec<u64> = done.iter().copied().collect();
    let now = now(resource, &changed).await;
    let mut now = now.map_err(|error| FleetError::NotReadBack(Box::new(error)))?;
    let outcomes = devices.iter().map(|device| {
        let number = device.device.device_id;
        if !wanting.contains(&number) {
            return Outcome::of(device.clone(), Effect::Left);
        }
        if done.contains(&number) {
            let now = now.remove(&number).map(|seen| seen.device);
            let device = now.unwrap_or_else(|| device.clone());
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
