//! Whether this device's clock can be right.

use std::time::SystemTime;

use jiff::Timestamp;

/// What the clock shows; where that can't be written, the nearest time that can.
pub(super) fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX)
}

/// If the clock shows a time before this program was built: what it shows, and when that was.
///
/// Handhelds whose battery was empty wake up years ago, and then every certificate looks invalid.
pub(super) fn impossible(now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let built = env!("GATEHAND_BUILT")
        .parse()
        .ok()
        .map(Timestamp::from_second)?
        .ok()?;
    (now < built).then_some((now, built))
}

/// Whether this device's clock can be right: that of one without a battery is years behind.
pub fn can_be_right() -> bool {
    impossible(now()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_before_the_build_is_impossible() {
        assert!(impossible(Timestamp::now()).is_none());
        assert!(impossible(Timestamp::UNIX_EPOCH).is_some());
    }
}
