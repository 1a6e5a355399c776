//! Which devices of an organizer are meant, and in which order they come.

use jiff::{SignedDuration, Timestamp};

/// After how long without a call a device is taken to be silent: twice as long as an agent waits between two.
pub const SILENT_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// To how many devices those of a filter are counted.
pub const COUNT_LIMIT: u64 = 10_000;

/// How a device's access stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceState {
    /// It has access.
    Active,
    /// Its initialization token waits to be redeemed for the first time.
    Waiting,
    /// Its access has ended for good.
    Revoked,
    /// A scanner is to come for it, for the first time or to take the place of the one that it is.
    Awaited,
    /// A scanner is this device, and none is to take its place.
    Connected,
}

/// Devices that are all of this; without any, all devices of the organizer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// They have one of these numbers.
    pub numbers: Option<Vec<u64>>,
    /// They have one of these names.
    pub names: Option<Vec<String>>,
    /// Their number is above this.
    pub after: Option<u64>,
    /// Their name or serial begins so, whatever the case of its ASCII letters.
    pub search: Option<String>,
    /// Their access stands so.
    pub state: Option<DeviceState>,
    /// Their access has ended for good, or not.
    pub revoked: Option<bool>,
    /// Their initialization token was redeemed, or not.
    pub initialized: Option<bool>,
    /// They stand at the gate of this identifier, or at none.
    pub gate: Option<Option<String>>,
    /// They may access the event of this slug, as one of all or by name.
    pub event: Option<String>,
    /// They last reported this program.
    pub software_brand: Option<String>,
    /// They last reported this version of it.
    pub software_version: Option<String>,
    /// Their last call is older. Those that never made one are not among them.
    pub last_seen_before: Option<Timestamp>,
}

impl DeviceFilter {
    /// Whether it means all devices.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

/// In which order devices come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub by: OrderBy,
    /// Whether the last comes first.
    pub descending: bool,
}

/// By what devices are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderBy {
    /// Their number.
    Number,
    /// Their name, whatever the case of its ASCII letters.
    Name,
    /// Their last call. Those that never made one do not come.
    LastSeen,
}

/// How many devices pass a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many, or [`COUNT_LIMIT`].
    pub count: u64,
    /// Whether there may be more, which were not looked at.
    pub is_minimum: bool,
}

/// The least text above all that begin with a prefix, by their bytes; none for a prefix that nothing is above of.
pub(in crate::server) fn above(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = (last..=char::MAX).nth(1);
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_a_prefix_is_above_all_that_begin_with_it_and_no_other() {
        for (prefix, bound) in [
            ("lane", Some("lanf")),
            ("a", Some("b")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(above(prefix).as_deref(), bound, "{prefix:?}");
        }
        assert!(above("gate").unwrap().as_str() > "gate\u{10ffff}\u{10ffff}");
    }
}
