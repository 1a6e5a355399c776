//! A time as people write it: a moment, the time on an event's clocks, or a day.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When something is, as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With an offset, as `2027-05-08T18:00:00+02:00`.
    Moment(Timestamp),
    /// Without one, as `2027-05-08T18:00`: on the clocks at the event.
    Local(DateTime),
    /// Without a time, as `2027-05-08`: a day at the event.
    Day(Date),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_day = text.len() == "2027-05-08".len();
        if let Ok(moment) = text.parse() {
            return Ok(Self::Moment(moment));
        }
        match (is_day, text.parse(), text.parse()) {
            (true, Ok(day), _) => Ok(Self::Day(day)),
            (false, _, Ok(local)) => Ok(Self::Local(local)),
            _ => Err(
                "write a day as 2027-05-08, or a time as 2027-05-08T18:00 or 2027-05-08T18:00:00+02:00",
            ),
        }
    }
}

impl When {
    /// When it begins; a day with its first moment.
    pub fn begin(self, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Moment(moment) => Ok(moment),
            Self::Local(local) => zone.to_timestamp(local),
            Self::Day(day) => zone.to_timestamp(day.at(0, 0, 0, 0)),
        }
    }

    /// When it ends; a day with its last second.
    pub fn end(self, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Day(day) => {
                let next = zone.to_timestamp(day.tomorrow()?.at(0, 0, 0, 0))?;
                next.checked_sub(SignedDuration::from_secs(1))
            }
            moment => moment.begin(zone),
        }
    }

    /// Whether it is a day.
    pub fn is_day(self) -> bool {
        matches!(self, Self::Day(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_berlin(text: &str) -> [String; 2] {
        let (when, zone): (When, _) = (text.parse().unwrap(), TimeZone::get("Europe/Berlin"));
        let zone = zone.unwrap();
        [when.begin(&zone), when.end(&zone)].map(|time| time.unwrap().to_string())
    }

    #[test]
    fn a_day_lasts_from_midnight_to_midnight_at_the_event() {
        let summer = ["2027-05-07T22:00:00Z", "2027-05-08T21:59:59Z"];
        assert_eq!(in_berlin("2027-05-08"), summer);
        // The clocks go back in this one.
        let long = ["2027-10-30T22:00:00Z", "2027-10-31T22:59:59Z"];
        assert_eq!(in_berlin("2027-10-31"), long);
    }

    #[test]
    fn a_time_without_offset_is_that_on_the_clocks_at_the_event() {
        for text in [
            "2027-05-08T18:00",
            "2027-05-08 18:00:00",
            "2027-05-08T16:00:00Z",
            "2027-05-08T18:00:00+02:00",
        ] {
            assert_eq!(in_berlin(text), ["2027-05-08T16:00:00Z"; 2], "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "tomorrow",
            "",
            "2027-05",
            "2027-13-01",
            "18:00",
            "2027-05-08T",
        ] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }
}
