//! How long ago something was, in words.

use jiff::Timestamp;

use super::language::Language;
use super::texts;

/// How long ago this was.
pub(super) fn ago(language: Language, then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs();
    let (one, many, count) = match seconds {
        // A clock that is behind is no reason for more words.
        ..60 => return texts::say(language, "since:now").to_owned(),
        60..3_600 => ("since:minute", "since:minutes", seconds / 60),
        3_600..86_400 => ("since:hour", "since:hours", seconds / 3_600),
        _ => ("since:day", "since:days", seconds / 86_400),
    };
    texts::count(language, one, many, count.unsigned_abs())
}

/// The moment itself, as people read it, in the time of the world.
pub(super) fn moment(then: Timestamp) -> String {
    then.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn the_largest_unit_that_is_full_is_told() {
        let now: Timestamp = "2027-05-08T18:00:00Z".parse().unwrap();
        for (seconds, english, german) in [
            (-100, "just now", "gerade eben"),
            (59, "just now", "gerade eben"),
            (60, "1 minute ago", "vor 1 Minute"),
            (3_599, "59 minutes ago", "vor 59 Minuten"),
            (3_600, "1 hour ago", "vor 1 Stunde"),
            (86_399, "23 hours ago", "vor 23 Stunden"),
            (86_400, "1 day ago", "vor 1 Tag"),
            (100_000_000, "1,157 days ago", "vor 1.157 Tagen"),
        ] {
            let then = now - SignedDuration::from_secs(seconds);
            assert_eq!(ago(Language::English, then, now), english);
            assert_eq!(ago(Language::German, then, now), german);
        }
        assert_eq!(moment(now), "2027-05-08 18:00:00 UTC");
    }
}
