//! Devices as they are at the moment, and whether they are still those that somebody was shown.

use std::collections::{HashMap, HashSet};

use reqwest::header::HeaderValue;

use super::device::FleetDevice;
use super::error::FleetError;
use super::filter::Filter;
use super::resource::{Resource, Seen};

/// Up to so many devices are asked for one by one, more as a list.
pub(super) const ONE_BY_ONE: usize = 50;

/// The versions of devices, by their number, which a change of one has to find.
pub(super) struct Versions(HashMap<u64, HeaderValue>);

/// Whether what is done can be undone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Undoing {
    Possible,
    Impossible,
}

impl Versions {
    pub(super) fn of(&self, number: u64) -> Option<HeaderValue> {
        self.0.get(&number).cloned()
    }
}

/// The devices of these numbers as they are now, as far as they are there.
pub(super) async fn now(
    resource: &Resource,
    numbers: &[u64],
) -> Result<HashMap<u64, Seen>, FleetError> {
    let mut now = HashMap::with_capacity(numbers.len());
    if numbers.len() <= ONE_BY_ONE {
        for number in numbers {
            if let Some(seen) = resource.look_at(*number).await? {
                now.insert(*number, seen);
            }
        }
        return Ok(now);
    }
    let meant: HashSet<u64> = numbers.iter().copied().collect();
    let all = resource.devices(&Filter::default()).await?;
    let all = all.into_iter();
    let all = all.filter(|device| meant.contains(&device.device.device_id));
    now.extend(all.map(|device| {
        let number = device.device.device_id;
        let version = None;
        (number, Seen { device, version })
    }));
    Ok(now)
}

/// Refuses devices that are not as they were shown any more: what somebody said yes to is done to no other one.
pub(super) async fn expect_as_shown(
    resource: &Resource,
    shown: &[FleetDevice],
    undoing: Undoing,
) -> Result<Versions, FleetError> {
    let numbers: Vec<u64> = shown.iter().map(|device| device.device.device_id).collect();
    let now = now(resource, &numbers).await?;
    let is_as_shown = |shown: &FleetDevice| {
        let now = now.get(&shown.device.device_id);
        now.is_some_and(|now| is_the_same(shown, &now.device, undoing))
    };
    let others = shown.iter().filter(|shown| !is_as_shown(shown));
    let others: Vec<u64> = others.map(|device| device.device.device_id).collect();
    if !others.is_empty() {
        return Err(FleetError::Overtaken { numbers: others });
    }
    let versions = now.into_iter();
    let versions = versions.filter_map(|(number, seen)| Some((number, seen.version?)));
    Ok(Versions(versions.collect()))
}

/// By what people know it. What a device reports of itself may change at any time; that a scanner has become it
/// matters to what would end that for good.
fn is_the_same(shown: &FleetDevice, now: &FleetDevice, undoing: Undoing) -> bool {
    let gate = |device: &FleetDevice| {
        let gate = device.more.gate.clone().flatten();
        gate.map(|gate| gate.identifier)
    };
    let known = |device: &FleetDevice| {
        let known = &device.device;
        let enrolled = (undoing == Undoing::Impossible).then_some(known.initialized);
        (
            known.name.clone(),
            known.unique_serial.clone(),
            known.revoked,
            gate(device),
            enrolled,
        )
    };
    known(shown) == known(now)
}
