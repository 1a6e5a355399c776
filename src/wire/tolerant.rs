//! Reads fields that are only shown. Whatever type or length they have, they are no reason to refuse
//! the answer they are in: it may be the only one with the key.

use std::fmt;

use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Gate;
use crate::secret::Secret;

/// Longest text that is kept, in characters: more than servers let people enter, and little enough
/// for the room that the vault sets aside before a secret is spent.
const LONGEST: usize = 500;

/// A text as it is, however odd; a number or truth as it is written; else empty, for not told.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(optional_text(deserializer)?.unwrap_or_default())
}

/// The same, where there may be none.
pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(text_of(raw(deserializer)?.get()))
}

/// A whole number, also in quotes; else 0, for not told.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let raw = raw(deserializer)?;
    Ok(raw.get().trim_matches('"').parse().unwrap_or_default())
}

/// A gate with its number; none where that can't be read.
pub(super) fn gate<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Gate>, D::Error> {
    Ok(serde_json::from_str(raw(deserializer)?.get()).unwrap_or_default())
}

/// The key; empty where there is none.
pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let key = Option::<Secret>::deserialize(deserializer)?;
    Ok(key.unwrap_or_else(|| Secret::new(String::new())))
}

/// What can be read; else nothing of it.
pub(crate) fn part<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_str(raw(deserializer)?.get()).unwrap_or_default())
}

/// Those entries of a list that can be read.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let entries: Vec<Box<RawValue>> =
        serde_json::from_str(raw(deserializer)?.get()).unwrap_or_default();
    let readable = entries
        .iter()
        .map(|entry| serde_json::from_str(entry.get()));
    Ok(readable.filter_map(Result::ok).collect())
}

fn raw<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<RawValue>, D::Error> {
    Box::deserialize(deserializer)
}

fn text_of(raw: &str) -> Option<String> {
    let whole = match raw.as_bytes().first() {
        Some(b'"') => serde_json::Deserializer::from_str(raw)
            .deserialize_bytes(AnyText)
            .ok()?,
        None | Some(b'n' | b'{' | b'[') => return None,
        Some(_) => raw.to_owned(),
    };
    Some(match whole.char_indices().nth(LONGEST) {
        Some((end, _)) => whole.get(..end).unwrap_or_default().to_owned(),
        None => whole,
    })
}

/// A text in which half of a surrogate pair may stand, as JSON allows.
struct AnyText;

impl Visitor<'_> for AnyText {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}
