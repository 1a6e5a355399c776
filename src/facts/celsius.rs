//! Temperatures as sensors tell them.

/// `celsius` to a tenth, if a device that still runs can have it. Sensors that are absent or broken
/// tell -274, 127, 255 and the like.
pub(super) fn plausible(celsius: f64) -> Option<f64> {
    let rounded = (celsius * 10.0).round() / 10.0;
    (-40.0..=125.0).contains(&rounded).then_some(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_that_no_device_has_are_left_out() {
        for nonsense in [f64::NAN, f64::INFINITY, -274.0, 127.0, 255.0, 65535.0] {
            assert_eq!(plausible(nonsense), None, "{nonsense}");
        }
        assert_eq!(plausible(47.349_998_474), Some(47.3));
        assert_eq!(plausible(-12.0), Some(-12.0));
    }
}
