//! Devices by what people call them.

use std::collections::HashSet;

use super::device::{FleetDevice, Standing};
use super::error::FleetError;
use super::filter::Filter;
use super::resource::Resource;

/// The devices that these words name: each by its number, its serial or its name, and each once.
pub(crate) async fn named(
    resource: &Resource,
    words: &[String],
) -> Result<Vec<FleetDevice>, FleetError> {
    // The common case, without a look at all others.
    if let [word] = words
        && let Ok(number) = word.parse()
        && let Some(device) = resource.device(number).await?
    {
        return Ok(vec![device]);
    }
    let all = resource.devices(&Filter::default()).await?;
    let mut found = Vec::with_capacity(words.len());
    let mut seen = HashSet::new();
    for word in words {
        let device = one(&all, word)?;
        if seen.insert(device.device.device_id) {
            found.push(device.clone());
        }
    }
    Ok(found)
}

/// Of these devices the one that a word names. A revoked one does not stand in the way of another of its name.
fn one<'d>(all: &'d [FleetDevice], word: &str) -> Result<&'d FleetDevice, FleetError> {
    let number = word.parse::<u64>().ok();
    let is_meant = |device: &&FleetDevice| {
        Some(device.device.device_id) == number
            || device.device.unique_serial.eq_ignore_ascii_case(word)
    };
    if let Some(device) = all.iter().find(is_meant) {
        return Ok(device);
    }
    let named = all.iter().filter(|device| device.device.name == word);
    let (living, revoked): (Vec<_>, Vec<_>) =
        named.partition(|device| device.standing() != Standing::Revoked);
    let several = |devices: &[&FleetDevice]| FleetError::Several {
        name: word.to_owned(),
        numbers: devices
            .iter()
            .map(|device| device.device.device_id)
            .collect(),
    };
    match (living.as_slice(), revoked.as_slice()) {
        ([device], _) | ([], [device]) => Ok(device),
        ([], []) => Err(FleetError::NoDevice(word.to_owned())),
        ([], revoked) => Err(several(revoked)),
        (living, _) => Err(several(living)),
    }
}
