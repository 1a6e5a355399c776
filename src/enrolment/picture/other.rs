//! What a code that is none for enrolment seems to be, for a message: its kind, and nothing of what
//! it holds, for that may be a secret.

/// As "a web address". The beginning of a text says which it is, whatever its case.
pub(super) fn kind(text: &str) -> &'static str {
    let text = text.trim();
    let begins = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let any = |prefixes: &[&str]| prefixes.iter().any(|prefix| begins(prefix));
    if any(&[
        "https://apps.apple.com/",
        "https://itunes.apple.com/",
        "https://play.google.com/",
        "https://f-droid.org/",
        "market:",
        "itms-apps:",
    ]) {
        "a link to an app store"
    } else if any(&["http://", "https://", "www."]) {
        "a web address"
    } else if begins("wifi:") {
        "a Wi-Fi network"
    } else if any(&["begin:vcard", "mecard:", "bizcard:"]) {
        "a contact"
    } else if any(&["begin:vevent", "begin:vcalendar"]) {
        "a calendar entry"
    } else if any(&["otpauth:", "otpauth-migration:"]) {
        "a one-time password"
    } else if any(&["mailto:", "matmsg:", "smsto:", "sms:", "tel:"]) {
        "a phone number or mail address"
    } else if begins("geo:") {
        "a place"
    } else if any(&["bcd\n", "bcd\r", "spc\n", "spc\r", "bitcoin:"]) {
        "a payment"
    } else if text.starts_with('{') {
        "data of another program"
    } else if text.chars().any(char::is_whitespace) || text.is_empty() {
        "a text"
    } else {
        "a word or number, as on a ticket"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_told_by_how_it_begins() {
        for (text, expected) in [
            (
                "https://apps.apple.com/app/id1462310543",
                "a link to an app store",
            ),
            (
                "HTTPS://PLAY.GOOGLE.COM/STORE/APPS/DETAILS?ID=X",
                "a link to an app store",
            ),
            ("https://example.com/menu", "a web address"),
            ("WIFI:T:WPA;S:Backstage;P:not-for-you;;", "a Wi-Fi network"),
            ("BEGIN:VCARD\nN:Ada\nEND:VCARD", "a contact"),
            ("otpauth://totp/x?secret=ABC", "a one-time password"),
            ("tel:+4930123456", "a phone number or mail address"),
            ("BCD\n002\n1\nSCT", "a payment"),
            (r#"{"a": 1}"#, "data of another program"),
            ("two words", "a text"),
            (
                "q9wkn3ptaedbf7x2m5hr8vzu4csgyj6d",
                "a word or number, as on a ticket",
            ),
            ("\u{1f39f}", "a word or number, as on a ticket"),
            ("", "a text"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
