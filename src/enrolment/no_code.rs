//! What a text is that holds no enrolment code.

use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::apart::labelled_token;
use super::payload;
use super::usual_token::is_usual_token;
use super::{ParseError, ServerUrl, ServerUrlError};

/// Names what it is.
pub(super) fn named(text: &str) -> ParseError {
    if text.is_empty() {
        return ParseError::Empty;
    }
    if is_address(text) {
        return match has_token(text) {
            true => ParseError::AddressWithToken,
            false => ParseError::WebAddress,
        };
    }
    if text.split_whitespace().any(is_end_of_link) {
        return ParseError::NoBeginning;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Number(_)) => ParseError::TicketLike,
        Ok(value) => ParseError::NotAnObject(payload::kind(&value)),
        Err(_) if is_usual_token(text) || labelled_token(text).is_some() => ParseError::TokenAlone,
        Err(_) if text.bytes().all(is_of_a_ticket) => ParseError::TicketLike,
        Err(_) => ParseError::SomethingElse,
    }
}

fn is_address(text: &str) -> bool {
    // Without a scheme it takes a name as people write it: signed tickets have full stops too.
    let is_name = !text.contains(|c: char| c.is_ascii_uppercase());
    match text.parse::<ServerUrl>() {
        Err(ServerUrlError::NoScheme(_)) => is_name,
        _ => Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")),
    }
}

/// Whether an address has a token in its path or query.
fn has_token(address: &str) -> bool {
    let is_token = |word: &str| {
        is_usual_token(&word.to_ascii_lowercase()) && word.contains(|c: char| c.is_ascii_digit())
    };
    let has_named = |name: &str| {
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name));
        value.is_some_and(|value| !value.is_empty())
    };
    let path = address.split_once("://").map_or(address, |(_, rest)| rest);
    let mut words = path.split(|c: char| !c.is_ascii_alphanumeric()).skip(1);
    words.any(is_token) || has_named("token=")
}

/// Whether a word is a setup link without its beginning, as `ixscan://setup?url=…&token=…`.
fn is_end_of_link(word: &str) -> bool {
    let word = Zeroizing::new(word.to_ascii_lowercase());
    let is_rest = |whole: &str| {
        let head = word.find('=').and_then(|at| word.get(..=at));
        head.is_some_and(|head| whole.ends_with(head))
    };
    let has = |name: &str| word.contains(name);
    is_rest("pretixscan://setup?url=") && has("&token=")
        || is_rest("pretixscan://setup?token=") && has("&url=")
}

/// Tickets hold letters and digits, or Base64 where they are signed.
fn is_of_a_ticket(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_.-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::super::Reading;
    use super::*;

    fn refusal(text: &str) -> ParseError {
        let error = Reading::of(text, None).err();
        error.unwrap_or_else(|| panic!("taken: {text}"))
    }

    #[test]
    fn a_code_of_something_else_is_named() {
        for (text, expected) in [
            ("", "Empty"),
            ("\u{feff} \n", "Empty"),
            (
                "https://pretix.eu/control/organizer/o/device/1",
                "WebAddress",
            ),
            ("HTTP://pretix.eu", "WebAddress"),
            ("pretix.eu", "WebAddress"),
            ("tickets.pretix.eu:8443/shop\r", "WebAddress"),
            (
                "ixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6",
                "NoBeginning",
            ),
            (
                "Open setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6",
                "NoBeginning",
            ),
            (
                "l=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6",
                "NoBeginning",
            ),
            (
                "scan://setup?token=kpp4jn8g2ynzonp6&url=https%3A%2F%2Fpretix.eu",
                "NoBeginning",
            ),
            (
                "other://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6",
                "TokenAlone",
            ),
            ("kpp4jn8g2ynzonp6", "TokenAlone"),
            ("]Q1kpp4jn8g2ynzonp6\\r\\n", "TokenAlone"),
            ("1234567890123456", "TicketLike"),
            ("x8f2kd93jfk20dk2ld93kf02kd93jf02", "TicketLike"),
            ("4006381333931", "TicketLike"),
            (
                "E4BibyTSylQOgeKjuMPiTDxi5HXPuTVsx1qCjU3IL0143gg7EZfB/wIAAAA=",
                "TicketLike",
            ),
            ("WIFI:S:Backstage;T:WPA;P:secret;;", "SomethingElse"),
            ("BEGIN:VCARD\nEND:VCARD", "SomethingElse"),
            ("mailto:a@b.org", "SomethingElse"),
            ("Grüße", "SomethingElse"),
            (r#"["handshake_version"]"#, r#"NotAnObject("a list")"#),
            (r#""text""#, r#"NotAnObject("text")"#),
            ("null", r#"NotAnObject("null")"#),
        ] {
            assert_eq!(format!("{:?}", refusal(text)), expected, "{text}");
        }
    }
}
