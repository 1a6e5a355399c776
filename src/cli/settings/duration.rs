//! Spans of time as people write them.

use std::time::Duration;

use jiff::SignedDuration;

/// What is longer is meant to be never.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A span of time as in `90s`, `5m` or `1h 30m`.
pub(in crate::cli) fn duration(text: &str) -> Result<Duration, &'static str> {
    let form = "write it with a unit, as in 90s, 5m or 1h";
    let span: SignedDuration = text.trim().parse().map_err(|_| form)?;
    match Duration::try_from(span) {
        Ok(span) if span <= LONGEST => Ok(span),
        Ok(_) => Err("a year is the most"),
        Err(_) => Err(form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit_and_no_sign() {
        for (text, seconds) in [
            ("90s", 90),
            ("5m", 300),
            ("1h 30m", 5400),
            (" 0s ", 0),
            ("5 minutes", 300),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "-5m", "soon", "5 parsecs", "2562047788015215h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
