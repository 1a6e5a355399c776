//! Where in a feed a watcher is, as the browser repeats it when it comes back.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

/// So many events of one course of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Names the course: another process, or the same later, has another.
    pub(super) course: u64,
    pub(super) events: u64,
}

impl Place {
    /// The beginning of a course that nobody has been in.
    pub(super) fn fresh() -> Self {
        // Where there are no random numbers, the time tells courses apart.
        let time = || Timestamp::now().as_microsecond().unsigned_abs();
        Self {
            course: getrandom::u64().unwrap_or_else(|_| time()),
            events: 0,
        }
    }
}

/// It is no place of a feed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no place in a feed")]
pub(super) struct NoPlace;

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}-{}", self.course, self.events)
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (course, events) = text.split_once('-').ok_or(NoPlace)?;
        Ok(Self {
            course: u64::from_str_radix(course, 16).map_err(|_| NoPlace)?,
            events: events.parse().map_err(|_| NoPlace)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let place = Place {
            course: u64::MAX,
            events: 7,
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in [
            "",
            "7",
            "x-7",
            "7-x",
            "7-",
            "-7",
            "1ffffffffffffffff-0",
            "0-99999999999999999999",
        ] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace), "{text}");
        }
    }
}
