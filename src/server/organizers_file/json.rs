//! JSON as a tree that keeps what a map would drop: the order of the keys, keys that come twice, and
//! where in the file a value is. Texts are borrowed from the file, so that secrets aren't copied.

use std::borrow::Cow;
use std::cell::Cell;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// Longest piece of the file that is shown in a fault, in characters.
const SHOWN: usize = 40;

/// A value and its place.
pub(super) struct Node<'a> {
    /// How many values begin before this one in the file.
    pub(super) position: usize,
    pub(super) value: Json<'a>,
}

pub(super) enum Json<'a> {
    /// What a key has that is not there.
    Missing,
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(String, Node<'a>)>),
}

/// Reads a whole file. serde_json ends values that are nested too deep with an error.
pub(super) fn parse(content: &[u8]) -> Result<Node<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(content);
    let root = NodeSeed(&Cell::new(0)).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(root)
}

impl Json<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as it is shown to people, shortened.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(number) => shorten(&number.to_string()),
            Self::Text(text) => quote(text),
            Self::Missing | Self::List(_) | Self::Object(_) => self.kind(),
        }
    }

    /// What is shown of a value that may be secret.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Missing => "nothing".into(),
            Self::Null => "null".into(),
            Self::Boolean(_) => "true or false".into(),
            Self::Number(_) => "a number".into(),
            Self::Text(text) => format!("a text of {} characters", text.chars().count()),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
        }
    }
}

/// The text in quotes, shortened, with everything escaped that a terminal would act on.
pub(super) fn quote(text: &str) -> String {
    format!("{:?}", shorten(text))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Numbers the values in the order in which they begin.
#[derive(Clone, Copy)]
struct NodeSeed<'c>(&'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        let position = self.0.get();
        self.0.set(position + 1);
        let value = deserializer.deserialize_any(self)?;
        Ok(Node { position, value })
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json<'de>, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json<'de>, E> {
        // JSON has no number that isn't finite.
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(key) = entries.next_key()? {
            object.push((key, entries.next_value_seed(self)?));
        }
        Ok(Json::Object(object))
    }
}
