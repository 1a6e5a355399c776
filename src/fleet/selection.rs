//! Devices by what people call them.

use std::collections::HashSet;

use super::device::{FleetDevice, Standing};
use super::directory::Directory;
use super::error::FleetError;
use super::resource::Resource;

/// The devices that these words name: each by its number, its serial or its name, and each once.
pub(crate) async fn named(
    resource: &Resource,
    words: &[String],
) -> Result<Vec<FleetDevice>, FleetError> {
    let mut directory = Directory::for_so_many(resource, words.len()).await?;
    let mut found = Vec::with_capacity(words.len());
    let mut seen = HashSet::new();
    for word in words {
        let numbered = match word.parse() {
            Ok(number) => directory.numbered(number).await?,
            Err(_) => None,
        };
        let device = match numbered {
            Some(device) => device,
            None => one(&directory.called(word).await?, word)?.clone(),
        };
        if seen.insert(device.device.device_id) {
            found.push(device);
        }
    }
    Ok(found)
}

/// Of the devices that go by a word the one that is meant. A revoked one does not stand in the way of another of its
/// name.
fn one<'d>(called: &'d [FleetDevice], word: &str) -> Result<&'d FleetDevice, FleetError> {
    let is_serial = |device: &&FleetDevice| device.device.unique_serial.eq_ignore_ascii_case(word);
    if let Some(device) = called.iter().find(is_serial) {
        return Ok(device);
    }
    let (living, revoked): (Vec<_>, Vec<_>) = called
        .iter()
        .partition(|device| device.standing() != Standing::Revoked);
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
