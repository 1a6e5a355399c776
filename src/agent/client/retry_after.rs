//! When a server wants to be asked again.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::headers::text;

/// What an answer's `Retry-After` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::agent) enum RetryAfter {
    /// After that time; none if it is over.
    In(Duration),
    /// Again, but not when.
    Sometime,
}

impl RetryAfter {
    /// A date is measured against the answer's own, because this device's clock may be wrong.
    pub(super) fn read(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        headers.get(RETRY_AFTER)?;
        let wait = text(headers, RETRY_AFTER).and_then(|value| {
            let value = value.trim();
            seconds(value).or_else(|| {
                let then = date(value)?;
                let now = text(headers, DATE).and_then(date).unwrap_or(now);
                let wait = then.duration_since(now).max(SignedDuration::ZERO);
                Duration::try_from(wait).ok()
            })
        });
        Some(wait.map_or(Self::Sometime, Self::In))
    }
}

/// More seconds than there are numbers for are as good as never.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// A date as HTTP writes it.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    PARSER.parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    const NOW: &str = "2026-05-01T20:00:00Z";

    fn read(value: &[u8], date: Option<&str>) -> Option<RetryAfter> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value).ok()?);
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        RetryAfter::read(&headers, NOW.parse().unwrap())
    }

    #[test]
    fn seconds_and_dates_are_understood() {
        let after = |seconds| Some(RetryAfter::In(Duration::from_secs(seconds)));
        let sometime = Some(RetryAfter::Sometime);
        for (value, date, expected) in [
            ("5", None, after(5)),
            (" 5 ", None, after(5)),
            ("0", None, after(0)),
            ("0005", None, after(5)),
            ("18446744073709551615", None, after(u64::MAX)),
            ("99999999999999999999999", None, after(u64::MAX)),
            ("Fri, 01 May 2026 20:01:00 GMT", None, after(60)),
            ("Fri, 01 May 2026 19:59:00 GMT", None, after(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, after(0)),
            // The weekday is wrong.
            ("Mon, 01 May 2026 20:01:00 GMT", None, after(60)),
            // This device's clock is years ahead of the server's.
            (
                "Wed, 03 Jan 2024 00:00:30 GMT",
                Some("Wed, 03 Jan 2024 00:00:00 GMT"),
                after(30),
            ),
            (
                "Fri, 01 May 2026 20:01:00 GMT",
                Some("yesterday"),
                after(60),
            ),
            ("", None, sometime),
            ("-5", None, sometime),
            ("+5", None, sometime),
            ("1.5", None, sometime),
            ("5, 6", None, sometime),
            ("٥", None, sometime),
            ("soon", None, sometime),
            ("Fri, 99 May 2026 20:01:00 GMT", None, sometime),
            ("Fri, 01 May 99999 20:01:00 GMT", None, sometime),
        ] {
            assert_eq!(read(value.as_bytes(), date), expected, "{value:?}");
        }
        assert_eq!(RetryAfter::read(&HeaderMap::new(), Timestamp::now()), None);
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in prop::collection::vec(any::<u8>(), 0..40)) {
            let is_header = HeaderValue::from_bytes(&value).is_ok();
            prop_assert_eq!(read(&value, None).is_some(), is_header);
        }
    }
}
