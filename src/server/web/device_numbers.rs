//! Devices by their numbers, as an address has them: `3-62,70`.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::server::model::BATCH_LIMIT;

/// The numbers of some devices, in their order; at least one and at most as many as a batch takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DeviceNumbers(BTreeSet<u64>);

/// Why a text names no devices.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NumbersError {
    #[error("numbers of devices are written as 3-62,70")]
    Unreadable,
    #[error("at most {BATCH_LIMIT} devices are shown together")]
    TooMany,
    #[error("no devices are named")]
    None,
}

impl DeviceNumbers {
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are not among others.
    pub(super) fn without(&self, others: impl IntoIterator<Item = u64>) -> Self {
        let others: BTreeSet<u64> = others.into_iter().collect();
        Self(&self.0 - &others)
    }
}

impl FromStr for DeviceNumbers {
    type Err = NumbersError;

    fn from_str(text: &str) -> Result<Self, NumbersError> {
        let read = |text: &str| text.trim().parse().map_err(|_| NumbersError::Unreadable);
        let mut numbers = BTreeSet::new();
        if text.trim().is_empty() {
            return Err(NumbersError::None);
        }
        for part in text.split(',') {
            let (first, last): (u64, u64) = match part.split_once('-') {
                Some((first, last)) => (read(first)?, read(last)?),
                None => (read(part)?, read(part)?),
            };
            if first == 0 || last < first {
                return Err(NumbersError::Unreadable);
            }
            let count = usize::try_from(last - first).map_err(|_| NumbersError::TooMany)?;
            if count >= BATCH_LIMIT {
                return Err(NumbersError::TooMany);
            }
            numbers.extend(first..=last);
            if numbers.len() > BATCH_LIMIT {
                return Err(NumbersError::TooMany);
            }
        }
        Ok(Self(numbers))
    }
}

impl FromIterator<u64> for DeviceNumbers {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

impl fmt::Display for DeviceNumbers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for number in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        for (place, (first, last)) in ranges.into_iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            match first == last {
                true => write!(formatter, "{comma}{first}")?,
                false => write!(formatter, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, written) in [
            ("7", "7"),
            ("3-62,70", "3-62,70"),
            ("70, 3 - 5,4,6", "3-6,70"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            let numbers: DeviceNumbers = text.parse().unwrap();
            assert_eq!(numbers.to_string(), written, "{text}");
        }
    }

    #[test]
    fn what_names_no_devices_or_too_many_is_refused() {
        for (text, error) in [
            ("", NumbersError::None),
            (" ", NumbersError::None),
            ("0", NumbersError::Unreadable),
            ("5-3", NumbersError::Unreadable),
            ("a", NumbersError::Unreadable),
            ("1-2-3", NumbersError::Unreadable),
            ("1,,2", NumbersError::Unreadable),
            ("18446744073709551616", NumbersError::Unreadable),
            ("1-1001", NumbersError::TooMany),
            ("1-18446744073709551615", NumbersError::TooMany),
            ("1-600,700-1200", NumbersError::TooMany),
        ] {
            assert_eq!(text.parse::<DeviceNumbers>(), Err(error), "{text}");
        }
        assert_eq!(
            "1-1000".parse::<DeviceNumbers>().unwrap().iter().count(),
            1000
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(numbers in prop::collection::btree_set(1_u64..500, 1..200)) {
            let numbers: DeviceNumbers = numbers.into_iter().collect();
            prop_assert_eq!(numbers.to_string().parse(), Ok(numbers));
        }
    }
}
