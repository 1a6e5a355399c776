//! Devices that differ by a number in their names.

use std::ops::Range;

use super::names::NamePattern;
use super::new_device::{NewDevice, Usual};
use crate::wire::TEXT_LIMIT;
use crate::wire::fields::text;

/// Why no devices are made of a pattern.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NumberedError {
    #[error("the devices would have the same name")]
    SameNames,
    #[error("nothing says which events the devices have access to")]
    NoEvents,
    #[error(
        "the name {0:?} is empty, longer than {TEXT_LIMIT} characters, or holds what no name may"
    )]
    Name(String),
}

/// A device for each of these numbers.
pub(crate) fn numbered(
    pattern: &NamePattern,
    numbers: Range<u64>,
    usual: Usual,
) -> Result<Vec<NewDevice>, NumberedError> {
    if numbers.clone().nth(1).is_some() && !pattern.has_number() {
        return Err(NumberedError::SameNames);
    }
    let events = usual.events.ok_or(NumberedError::NoEvents)?;
    let new = numbers.map(|number| {
        let name = pattern.name(number);
        match text(&name, Some(TEXT_LIMIT)) {
            Ok(name) => Ok(NewDevice {
                name: name.to_owned(),
                events: events.clone(),
                security_profile: usual.security_profile.clone(),
                gate: usual.gate.clone(),
                line: None,
            }),
            Err(_) => Err(NumberedError::Name(name)),
        }
    });
    new.collect()
}
