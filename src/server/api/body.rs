//! Request bodies: JSON, forms and multipart forms.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::body::{Body as StreamedBody, Bytes};
use encoding_rs::Encoding;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::problem::Problem;
use super::python;

/// Fields of a form; more are refused.
const FORM_FIELDS: usize = 1000;

/// What a body holds.
pub(in crate::server) enum Body {
    /// A JSON object. Its values are read when a field is, so that what no field takes costs nothing.
    Object(HashMap<String, Box<RawValue>>),
    /// A form; a field may come several times.
    Form(HashMap<String, Vec<FormValue>>),
    /// JSON `null`.
    Null,
    /// Any other JSON, by the name of its type.
    Other(&'static str),
}

/// A value of a form.
pub(in crate::server) enum FormValue {
    Text(String),
    File(Bytes),
}

/// A value of a field.
pub(super) enum Input<'b> {
    Null,
    Bool(bool),
    /// As it was written.
    Number(&'b str),
    Text(Cow<'b, str>),
    /// Text with half of a surrogate pair, which is the code of no character.
    Surrogate(u16),
    List(Vec<&'b RawValue>),
    Object(&'b RawValue),
    File,
}

impl Body {
    /// Reads a body as its `Content-Type` says. An empty one holds nothing, and is a form only if it is
    /// called one.
    pub(in crate::server) async fn read(
        content_type: &str,
        bytes: &Bytes,
    ) -> Result<Self, Problem> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" | "multipart/form-data" if bytes.is_empty() => {
                Ok(Self::Form(HashMap::new()))
            }
            _ if bytes.is_empty() => Ok(Self::Object(HashMap::new())),
            // Whoever takes any type to be right leaves it to us.
            "application/json" | "application/*" | "*/json" | "*/*" => {
                json(&decoded(content_type, bytes)?)
            }
            "application/x-www-form-urlencoded" => form(bytes),
            "multipart/form-data" => multipart(content_type, bytes).await,
            _ => Err(Problem::MediaType(content_type.to_owned())),
        }
    }

    /// A part of a body, which is JSON.
    pub(super) fn of(raw: &RawValue) -> Result<Self, Problem> {
        json(raw.get())
    }

    /// The text of a field that is sent once, as it came.
    pub(in crate::server) fn text(&self, name: &str) -> Option<String> {
        match self {
            Self::Object(fields) => match Input::of(fields.get(name)?) {
                Input::Text(text) => Some(text.into_owned()),
                _ => None,
            },
            Self::Form(fields) => match fields.get(name)?.last()? {
                FormValue::Text(text) => Some(text.clone()),
                FormValue::File(_) => None,
            },
            Self::Null | Self::Other(_) => None,
        }
    }

    /// The texts of a field of a form, which may be sent several times.
    pub(in crate::server) fn texts(&self, name: &str) -> Vec<String> {
        let texts = self.values(name).filter_map(|value| match value {
            FormValue::Text(text) => Some(text.clone()),
            FormValue::File(_) => None,
        });
        texts.collect()
    }

    /// The file that a form was sent with.
    pub(in crate::server) fn file(&self, name: &str) -> Option<Bytes> {
        let mut files = self.values(name).filter_map(|value| match value {
            FormValue::File(content) => Some(content.clone()),
            FormValue::Text(_) => None,
        });
        files.next()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &FormValue> {
        let values = match self {
            Self::Form(fields) => fields.get(name),
            Self::Object(_) | Self::Null | Self::Other(_) => None,
        };
        values.into_iter().flatten()
    }
}

/// The text of a JSON body, in the encoding that its type names, else in UTF-8.
fn decoded<'b>(content_type: &str, bytes: &'b [u8]) -> Result<Cow<'b, str>, Problem> {
    let parameters = content_type.split(';').skip(1);
    let charset = parameters
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .and_then(|(_, label)| Encoding::for_label(label.trim().trim_matches('"').as_bytes()));
    charset
        .unwrap_or(encoding_rs::UTF_8)
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| Problem::Unreadable("JSON parse error - broken encoding".to_owned()))
}

fn json(text: &str) -> Result<Body, Problem> {
    let broken = |error| Problem::Unreadable(format!("JSON parse error - {error}"));
    if text
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with('{')
    {
        return serde_json::from_str(text).map(Body::Object).map_err(broken);
    }
    let value: &RawValue = serde_json::from_str(text).map_err(broken)?;
    Ok(match Input::of(value) {
        Input::Null => Body::Null,
        other => Body::Other(other.type_name()),
    })
}

fn form(bytes: &[u8]) -> Result<Body, Problem> {
    let mut fields: HashMap<String, Vec<FormValue>> = HashMap::new();
    for (count, (name, value)) in url::form_urlencoded::parse(bytes).enumerate() {
        if count >= FORM_FIELDS {
            return Err(Problem::Unreadable("Too many fields.".to_owned()));
        }
        let values = fields.entry(name.into_owned()).or_default();
        values.push(FormValue::Text(value.into_owned()));
    }
    Ok(Body::Form(fields))
}

async fn multipart(content_type: &str, bytes: &Bytes) -> Result<Body, Problem> {
    let broken = |error| Problem::Unreadable(format!("Multipart form parse error - {error}"));
    let boundary = multer::parse_boundary(content_type).map_err(broken)?;
    let stream = StreamedBody::from(bytes.clone()).into_data_stream();
    let mut parts = multer::Multipart::new(stream, boundary);
    let mut fields: HashMap<String, Vec<FormValue>> = HashMap::new();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        count += 1;
        if count > FORM_FIELDS {
            return Err(Problem::Unreadable("Too many fields.".to_owned()));
        }
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        let is_file = part.file_name().is_some();
        let content = part.bytes().await.map_err(broken)?;
        let value = match is_file {
            true => FormValue::File(content),
            false => FormValue::Text(String::from_utf8_lossy(&content).into_owned()),
        };
        fields.entry(name).or_default().push(value);
    }
    Ok(Body::Form(fields))
}

impl<'b> Input<'b> {
    pub(super) fn of(raw: &'b RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') => Self::of_text(text),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'[') => Self::List(serde_json::from_str(text).unwrap_or_default()),
            Some(b'{') => Self::Object(raw),
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number(text),
        }
    }

    fn of_text(quoted: &'b str) -> Self {
        if let Ok(text) = serde_json::from_str::<&str>(quoted) {
            return Self::Text(Cow::Borrowed(text));
        }
        match serde_json::from_str::<Wtf8>(quoted) {
            Ok(Wtf8(bytes)) => match String::from_utf8(bytes) {
                Ok(text) => Self::Text(Cow::Owned(text)),
                Err(error) => {
                    let at = error.utf8_error().valid_up_to();
                    Self::Surrogate(surrogate(error.as_bytes().get(at..).unwrap_or_default()))
                }
            },
            // It was read once before, as a part of the body.
            Err(_) => Self::Null,
        }
    }

    /// What Python calls its type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Number(raw) if raw.contains(['.', 'e', 'E']) => "float",
            Self::Number(_) => "int",
            Self::Text(_) | Self::Surrogate(_) => "str",
            Self::List(_) => "list",
            Self::Object(_) => "dict",
            Self::File => "InMemoryUploadedFile",
        }
    }

    /// What Python shows of it.
    pub(super) fn show(&self) -> String {
        let nested = |raw: &str| match serde_json::from_str::<Value>(raw) {
            Ok(value) => python::show(&value),
            // Nested too deeply, or with half a surrogate pair.
            Err(_) => raw.to_owned(),
        };
        match self {
            Self::Null => "None".to_owned(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Number(raw) => python::number(raw).into_owned(),
            Self::Text(text) => text.clone().into_owned(),
            Self::Surrogate(_) | Self::File => String::new(),
            Self::List(items) => {
                let items: Vec<&str> = items.iter().map(|item| item.get()).collect();
                nested(&format!("[{}]", items.join(",")))
            }
            Self::Object(raw) => nested(raw.get()),
        }
    }
}

/// The keys of an object as they stand in it, one that is there twice twice.
pub(super) fn keys(object: &RawValue) -> Vec<String> {
    struct Keys(Vec<String>);
    impl<'de> Deserialize<'de> for Keys {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Entries).map(Self)
        }
    }
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<String>;
        fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, IgnoredAny)) = map.next_entry()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }
    serde_json::from_str::<Keys>(object.get()).map_or_else(|_| Vec::new(), |Keys(keys)| keys)
}

/// Text that may hold halves of surrogate pairs, coded as UTF-8 would if it allowed them.
struct Wtf8(Vec<u8>);

impl<'de> Deserialize<'de> for Wtf8 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Wtf8;
            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Wtf8, E> {
                Ok(Wtf8(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// The half of a surrogate pair that starts here.
fn surrogate(bytes: &[u8]) -> u16 {
    match bytes {
        [0xED, middle, last, ..] => 0xD000 | u16::from(middle & 0x3F) << 6 | u16::from(last & 0x3F),
        _ => 0xFFFD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_what_json_wrote() {
        let Ok(Body::Object(fields)) = json(
            r#"{"n": 123456789012345678901234567890, "t": "a\u00fc\n", "s": "a\ud800b", "p": "\ud83d\ude00"}"#,
        ) else {
            panic!("an object");
        };
        assert!(matches!(
            Input::of(&fields["n"]),
            Input::Number("123456789012345678901234567890")
        ));
        assert!(matches!(Input::of(&fields["t"]), Input::Text(text) if text == "aü\n"));
        assert!(matches!(Input::of(&fields["s"]), Input::Surrogate(0xD800)));
        assert!(matches!(Input::of(&fields["p"]), Input::Text(text) if text == "😀"));
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let Ok(body) = json(r#"{"token": "a", "token": "b"}"#) else {
            panic!("an object");
        };
        assert_eq!(body.text("token").unwrap(), "b");
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(500_000);
        for text in [
            "{",
            "{\"a\":}",
            "{\"a\": 1,}",
            "NaN",
            "{\"a\": NaN}",
            "{\"a\": Infinity}",
            "nul",
            "\u{feff}{}",
            "{} {}",
            "'a'",
            "{\"a\": \"\n\"}",
            " ",
            &deep,
        ] {
            assert!(
                matches!(json(text), Err(Problem::Unreadable(_))),
                "{:.20}",
                text
            );
        }
    }

    #[test]
    fn nesting_of_any_depth_is_read_without_harm() {
        let deep = format!(
            "{{\"info\": {}{}}}",
            "[".repeat(200_000),
            "]".repeat(200_000)
        );
        let Ok(Body::Object(fields)) = json(&deep) else {
            panic!("an object");
        };
        assert_eq!(Input::of(&fields["info"]).type_name(), "list");
    }

    #[test]
    fn a_named_encoding_is_used() {
        let text = |content_type: &str, bytes: &[u8]| {
            decoded(content_type, bytes).ok().map(Cow::into_owned)
        };
        assert_eq!(text("application/json", "ü".as_bytes()).unwrap(), "ü");
        assert_eq!(
            text("application/json; charset=latin1", b"\xfc").unwrap(),
            "ü"
        );
        assert_eq!(
            text("application/json; charset=\"ISO-8859-1\"", b"\xfc").unwrap(),
            "ü"
        );
        assert_eq!(
            text("application/json; charset=none", "ü".as_bytes()).unwrap(),
            "ü"
        );
        assert_eq!(text("application/json", b"\xfc"), None);
    }
}
