//! Reads the text forms of an enrolment: the QR code's JSON payload and the `pretixscan://setup` link.

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use url::Url;

use super::server_and_token::{HANDSHAKE_VERSION, LINK_SCHEME};
use super::{Enrolment, ParseError};
use crate::secret::Secret;

/// Reads a payload: a JSON object with `handshake_version` (1), `url` and `token`. Other fields are
/// ignored.
pub(super) fn of_json(text: &str) -> Result<Enrolment, ParseError> {
    let mut fields = Fields::of_json(text).map_err(ParseError::BrokenJson)?;
    fields.check_handshake()?;
    fields.enrolment()
}

/// Reads a setup link: `pretixscan://setup?url=…&token=…`, percent-encoded. Other parameters are
/// ignored.
pub(super) fn of_link(text: &str) -> Result<Enrolment, ParseError> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == LINK_SCHEME => Fields::of_link(&url)?.enrolment(),
        _ => Err(ParseError::OtherLink),
    }
}

/// Names and values of a payload or link, in their order.
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn of_json(text: &str) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        let fields = json.deserialize_map(FieldsVisitor)?;
        json.end()?;
        Ok(fields)
    }

    fn of_link(link: &Url) -> Result<Self, ParseError> {
        let setup = link
            .host_str()
            .is_some_and(|host| host.eq_ignore_ascii_case("setup"));
        if !setup || !matches!(link.path(), "" | "/") {
            return Err(ParseError::OtherLink);
        }
        let fields = link.query_pairs();
        Ok(Self(
            fields
                .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                .collect(),
        ))
    }

    fn check_handshake(&mut self) -> Result<(), ParseError> {
        const FIELD: &str = "handshake_version";
        let wrong_kind = |found| ParseError::WrongKind {
            field: FIELD,
            expected: "a whole number",
            found,
        };
        match self.take(FIELD)? {
            None if self.has("version") => Err(ParseError::Predecessor),
            None if !["url", "token"].iter().any(|name| self.has(name)) => {
                Err(ParseError::SomethingElse)
            }
            None => Err(ParseError::Missing(FIELD)),
            Some(Value::Number(number)) => match number.as_u64() {
                Some(HANDSHAKE_VERSION) => Ok(()),
                Some(version) if version > HANDSHAKE_VERSION => {
                    Err(ParseError::UpdateNeeded(version))
                }
                None if number.is_f64() => Err(wrong_kind("a fraction or too large")),
                _ => Err(ParseError::UnknownVersion),
            },
            Some(other) => Err(wrong_kind(kind(&other))),
        }
    }

    fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }

    fn enrolment(mut self) -> Result<Enrolment, ParseError> {
        // Taken over first, so that it is wiped whatever else is wrong.
        let token = self.text("token").map(Secret::new);
        let url = self.text("url")?.parse().map_err(ParseError::Url)?;
        Enrolment::new(url, token?).map_err(ParseError::Token)
    }

    fn text(&mut self, field: &'static str) -> Result<String, ParseError> {
        match self.take(field)? {
            None => Err(ParseError::Missing(field)),
            Some(Value::String(text)) if text.trim().is_empty() => {
                Err(ParseError::EmptyField(field))
            }
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(ParseError::WrongKind {
                field,
                expected: "text",
                found: kind(&other),
            }),
        }
    }

    fn take(&mut self, field: &'static str) -> Result<Option<Value>, ParseError> {
        let mut values = self.0.iter_mut().filter(|(name, _)| name == field);
        let value = values.next().map(|(_, value)| value.take());
        match values.next() {
            Some(_) => Err(ParseError::Duplicate(field)),
            None => Ok(value),
        }
    }
}

/// Keeps fields that are there twice, which `serde_json::Map` does not.
struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Reading, ServerUrl};
    use super::*;
    use crate::causes;

    const TOKEN: &str = "kpp4jn8g2ynzonp6";

    fn parse(text: &str) -> Result<Enrolment, ParseError> {
        Reading::of(text, None).map(Reading::into_enrolment)
    }

    fn read(text: &str) -> (String, String) {
        match parse(text) {
            Ok(enrolment) => (
                enrolment.url().to_string(),
                enrolment.token().expose().to_owned(),
            ),
            Err(error) => panic!("{error}: {text}"),
        }
    }

    fn refusal(text: &str) -> ParseError {
        let error = parse(text).err();
        error.unwrap_or_else(|| panic!("taken: {text}"))
    }

    /// An error with its causes, as it is printed.
    fn words(error: &(dyn std::error::Error + 'static)) -> String {
        let words = causes::chain(error).map(|error| format!("{error} {error:?}"));
        words.collect::<Vec<_>>().join(": ")
    }

    #[test]
    fn the_payload_of_a_qr_code_is_read() {
        let expected = ("https://pretix.eu".to_owned(), TOKEN.to_owned());
        for text in [
            r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2ynzonp6"}"#,
            "\u{feff}\r\n {\"token\":\" kpp4jn8g2ynzonp6 \",\"url\":\"https://pretix.eu/\",\
             \"more\":[{}],\"handshake_version\":1,\"version\":2}\n\n",
        ] {
            assert_eq!(read(text), expected);
        }
    }

    #[test]
    fn the_link_form_is_read() {
        let expected = ("https://pretix.eu/a".to_owned(), "t+#".to_owned());
        for text in [
            "pretixscan://setup?url=https%3A%2F%2Fpretix.eu%2Fa&token=t%2B%23",
            "pretixscan://setup/?x=1&x=2&token=t%2b%23&url=https://pretix.eu/a#top",
            " PretixScan://Setup?url=https%3A%2F%2Fpretix.eu%2Fa%2F&token=t%2B%23\n",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn another_link_or_object_is_named() {
        for (text, expected) in [
            (
                "pretixscan://open?url=https%3A%2F%2Fx.org&token=t",
                "OtherLink",
            ),
            (
                "pretixscan://setup/more?url=https%3A%2F%2Fx.org&token=t",
                "OtherLink",
            ),
            (
                "pretixscan:setup?url=https%3A%2F%2Fx.org&token=t",
                "OtherLink",
            ),
            ("{}", "SomethingElse"),
            (r#"{"a":1}"#, "SomethingElse"),
            (r#"{"token":"t"}"#, r#"Missing("handshake_version")"#),
            (
                r#"{"url":"https://x.org","token":"t"}"#,
                r#"Missing("handshake_version")"#,
            ),
            (
                r#"{"version":1,"url":"https://x.org/","key":"k"}"#,
                "Predecessor",
            ),
        ] {
            assert_eq!(format!("{:?}", refusal(text)), expected, "{text}");
        }
    }

    #[test]
    fn damaged_json_is_refused() {
        for text in [
            "{",
            r#"{"handshake_version":1,"url":"https://x.org","token":"t""#,
            r#"{"handshake_version":1,"url":"https://x.org","token":"t"} {"a"#,
            r#"{"handshake_version":1e999,"url":"https://x.org","token":"t"}"#,
            &"{\"a\":".repeat(1000),
        ] {
            assert!(matches!(refusal(text), ParseError::BrokenJson(_)), "{text}");
        }
    }

    #[test]
    fn a_later_handshake_asks_for_an_update_whatever_else_is_in_it() {
        for rest in ["", r#","address":1"#, r#","url":7,"token":[]"#] {
            let error = refusal(&format!(r#"{{"handshake_version":2{rest}}}"#));
            assert!(matches!(error, ParseError::UpdateNeeded(2)));
            assert_eq!(error.advice().as_deref(), Some("update this app"));
        }
    }

    #[test]
    fn a_handshake_version_that_is_no_version_is_refused() {
        let found = |value: &str| {
            let text =
                format!(r#"{{"handshake_version":{value},"url":"https://x.org","token":"t"}}"#);
            refusal(&text).to_string()
        };
        for value in ["0", "-1"] {
            assert!(found(value).contains("never existed"), "{value}");
        }
        for (value, kind) in [
            ("\"1\"", "is text"),
            ("1.0", "is a fraction"),
            ("99999999999999999999", "too large"),
            ("null", "is null"),
            ("true", "is true or false"),
            ("[1]", "is a list"),
        ] {
            assert!(found(value).contains(kind), "{value}: {}", found(value));
        }
    }

    #[test]
    fn fields_that_are_missing_empty_or_of_the_wrong_kind_are_named() {
        let found = |fields: &str| {
            format!(
                "{:?}",
                refusal(&format!(r#"{{"handshake_version":1,{fields}}}"#))
            )
        };
        for (url, token, expected) in [
            ("", r#""token":"t""#, r#"Missing("url")"#),
            (
                r#""url":"https://x.org","#,
                r#""x":1"#,
                r#"Missing("token")"#,
            ),
            (r#""url":" ","#, r#""token":"t""#, r#"EmptyField("url")"#),
            (
                r#""url":"https://x.org","#,
                r#""token":"""#,
                r#"EmptyField("token")"#,
            ),
            (
                r#""url":{"a":1},"#,
                r#""token":"t""#,
                r#"WrongKind { field: "url", expected: "text", found: "an object" }"#,
            ),
            (
                r#""url":"https://x.org","#,
                r#""token":123456"#,
                r#"WrongKind { field: "token", expected: "text", found: "a number" }"#,
            ),
            (
                r#""url":"https://x.org","#,
                r#""token":"a b""#,
                "Token(Characters)",
            ),
            (
                r#""url":"ftp://x.org","#,
                r#""token":"t""#,
                r#"Url(NotHttp("ftp"))"#,
            ),
        ] {
            assert_eq!(found(&format!("{url}{token}")), expected);
        }
        for (link, expected) in [
            ("pretixscan://setup", r#"Missing("url")"#),
            (
                "pretixscan://setup?url=https%3A%2F%2Fx.org",
                r#"Missing("token")"#,
            ),
            ("pretixscan://setup?url=&token=t", r#"EmptyField("url")"#),
            (
                "pretixscan://setup?url=https%3A%2F%2Fx.org&token",
                r#"EmptyField("token")"#,
            ),
            (
                "pretixscan://setup?url=https%3A%2F%2Fx.org&token=%ff%fe",
                "Token(Characters)",
            ),
        ] {
            assert_eq!(format!("{:?}", refusal(link)), expected, "{link}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_is_refused_even_if_both_agree() {
        for (text, field) in [
            (
                r#"{"handshake_version":1,"url":"a","token":"t","url":"b"}"#,
                "url",
            ),
            (
                r#"{"handshake_version":1,"url":"https://x.org","token":"t","token":"t"}"#,
                "token",
            ),
            (
                r#"{"handshake_version":1,"handshake_version":1}"#,
                "handshake_version",
            ),
            (
                r#"{"handshake_version":1,"url":null,"url":"https://x.org","token":"t"}"#,
                "url",
            ),
            (
                "pretixscan://setup?url=https%3A%2F%2Fx.org&token=t&token=u",
                "token",
            ),
        ] {
            let error = refusal(text);
            assert!(
                matches!(error, ParseError::Duplicate(name) if name == field),
                "{error}"
            );
        }
    }

    #[test]
    fn the_payload_is_written_as_the_reference_does() {
        let text =
            r#"{"handshake_version":1,"url":"https://pretix.eu","token":"kpp4jn8g2ynzonp6"}"#;
        let enrolment = parse(text).ok().unwrap();
        assert_eq!(enrolment.to_payload().expose(), text);
        assert_eq!(
            enrolment.to_link().expose(),
            "pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_text_that_looks_like_json_or_a_link_is_read_or_refused(
            json in r#"\{("(handshake_version|url|token|version)":("[ -~]{0,9}"|1|null|\[\])[,}]){0,5}\}?"#,
            link in "pretixscan://setup?((url|token)=[!-~]{0,30}&){0,3}",
        ) {
            let _ = parse(&json);
            let _ = parse(&link);
        }

        #[test]
        fn what_is_written_is_read_back(
            path in "(/[!-~äß]{1,8}){0,3}",
            token in r"[!#-%'-.;@\[\]^-z|~0-9]{1,190}",
        ) {
            let url = format!("https://x.org{path}").parse::<ServerUrl>();
            prop_assume!(url.is_ok());
            let enrolment = Enrolment::new(url.unwrap(), Secret::new(token.clone())).ok().unwrap();
            let expected = (enrolment.url().to_string(), token);
            prop_assert_eq!(&read(enrolment.to_payload().expose()), &expected);
            prop_assert_eq!(&read(enrolment.to_link().expose()), &expected);
        }

        #[test]
        fn no_error_holds_the_token(
            token in "[a-z0-9]{16}",
            before in r#"(\{|\{"handshake_version":[0-2]|\["|pretixscan://setup\?|)(,"url":"(https://[a-z]?|ftp:)"|url=[a-z:/]{0,9}&)?(,"token":|token=)?"#,
            open in "[\"{\\[ ]?",
            close in "[\"}\\] \u{0}]?",
            after in r#"(,"token":1)?\}?"#,
        ) {
            let text = format!("{before}{open}{token}{close}{after}");
            if let Err(error) = parse(&text) {
                prop_assert!(!words(&error).contains(&token), "{}: {}", text, words(&error));
            }
        }

        #[test]
        fn no_error_holds_a_token_in_the_place_of_the_url(token in "[a-z0-9]{16}") {
            for text in [
                format!(r#"{{"handshake_version":1,"url":"{token}","token":"https://x.org"}}"#),
                format!("pretixscan://setup?url={token}&token=x"),
            ] {
                let words = words(&refusal(&text));
                prop_assert!(!words.contains(&token), "{}", words);
            }
        }
    }
}
