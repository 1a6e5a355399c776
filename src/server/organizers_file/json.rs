//! JSON as a tree that keeps what a map would drop: the order of the keys, keys that come twice, and
//! where in the file a value is. Devices are no part of it: they come one by one. Texts may be secrets,
//! and are wiped.

use std::cell::RefCell;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use zeroize::Zeroizing;

use super::content::Content;
use super::error::OrganizersFileError;
use super::shown::{quote, shorten};

/// A value and its place.
pub(super) struct Node {
    /// How many bytes were read where it begins: later for each value than for those before it.
    pub(super) position: usize,
    pub(super) value: Json,
}

pub(super) enum Json {
    /// What a key has that is not there.
    Missing,
    Null,
    Boolean(bool),
    Number(Number),
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// Where a device is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of its organizer in the file.
    pub organizer: usize,
    /// Its number in the organizer.
    pub device: usize,
}

impl Place {
    /// The path to the device, or to what it has at `field`.
    pub(in crate::server) fn path(self, field: Option<&str>) -> String {
        let Self { organizer, device } = self;
        let (dot, field) = field.map_or(("", ""), |field| (".", field));
        format!("organizers[{organizer}].devices[{device}]{dot}{field}")
    }
}

/// Takes a device, and says whether to go on.
pub(super) type TakeDevice<'d> = &'d mut dyn FnMut(Place, Node) -> bool;

/// Reads a whole file, and hands over its devices if they are asked for; in the tree their lists are
/// empty. `None` if that was ended. serde_json ends values that are nested too deep with an error.
pub(super) fn parse<'d>(
    content: &'d Content<'_>,
    take_device: Option<TakeDevice<'d>>,
) -> Result<Option<Node>, OrganizersFileError> {
    let parsing = Parsing {
        content,
        take_device: RefCell::new(take_device),
        is_ended: RefCell::new(false),
    };
    let seed = NodeSeed {
        parsing: &parsing,
        level: Level::File,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(content);
    let root = seed.deserialize(&mut deserializer);
    let root = root.and_then(|root| deserializer.end().map(|()| root));
    match root {
        Ok(root) => Ok(Some(root)),
        Err(_) if parsing.is_ended.take() => Ok(None),
        Err(error) => Err(content.failure(error)),
    }
}

impl Json {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What an object has at this key.
    pub(super) fn entry(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => entries.iter().find(|(name, _)| name == key),
            _ => None,
        }
        .map(|(_, node)| &node.value)
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

/// What is the same for all values of a file.
struct Parsing<'s, 'd> {
    content: &'d Content<'s>,
    take_device: RefCell<Option<TakeDevice<'d>>>,
    is_ended: RefCell<bool>,
}

/// Where in the file a value is, as far as it leads to devices.
#[derive(Clone, Copy)]
enum Level {
    File,
    Organizers,
    Organizer(usize),
    Devices(usize),
    Other,
}

impl Level {
    fn of_key(self, key: &str) -> Self {
        match (self, key) {
            (Self::File, "organizers") => Self::Organizers,
            (Self::Organizer(number), "devices") => Self::Devices(number),
            _ => Self::Other,
        }
    }

    fn of_item(self, number: usize) -> Self {
        match self {
            Self::Organizers => Self::Organizer(number),
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy)]
struct NodeSeed<'p, 's, 'd> {
    parsing: &'p Parsing<'s, 'd>,
    level: Level,
}

impl NodeSeed<'_, '_, '_> {
    fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// Hands the devices over one by one; whether there is another.
    fn device<'de, A: SeqAccess<'de>>(self, items: &mut A, place: Place) -> Result<bool, A::Error> {
        let mut take_device = self.parsing.take_device.borrow_mut();
        let Some(take_device) = take_device.as_mut() else {
            return Ok(items.next_element::<IgnoredAny>()?.is_some());
        };
        let Some(device) = items.next_element_seed(self.at(Level::Other))? else {
            return Ok(false);
        };
        match take_device(place, device) {
            true => Ok(true),
            false => {
                self.parsing.is_ended.replace(true);
                Err(A::Error::custom("ended"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let position = self.parsing.content.position();
        let value = deserializer.deserialize_any(self)?;
        Ok(Node { position, value })
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_, '_, '_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Boolean(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        // JSON has no number that isn't finite.
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        if let Level::Devices(organizer) = self.level {
            let content = self.parsing.content;
            for device in 0.. {
                content.begin_device();
                if !self.device(&mut items, Place { organizer, device })? {
                    break;
                }
            }
            content.end_device();
            return Ok(Json::List(list));
        }
        while let Some(item) = items.next_element_seed(self.at(self.level.of_item(list.len())))? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Node)> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            // Of a key that comes twice the first counts, and both are told.
            let level = match object.iter().any(|(known, _)| *known == key) {
                true => Level::Other,
                false => self.level.of_key(&key),
            };
            object.push((key, entries.next_value_seed(self.at(level))?));
        }
        Ok(Json::Object(object))
    }
}
