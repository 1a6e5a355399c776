//! The single values in the organizers file and their limits.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::json::Json;
use super::reader::Reader;
use super::seen_secrets::{SeenSecrets, Trace};
use crate::server::installation_keys::{KeyHash, hash_of};
use crate::server::model::{Slug, When};
use crate::wire::{TEXT_LIMIT, fields};

const TOKEN_LENGTH: usize = 64;
const SERIAL_LENGTH: usize = 16;

pub(super) fn text(reader: &mut Reader, value: &Json) -> Option<String> {
    let text = value
        .text()
        .and_then(|text| fields::text(text, Some(TEXT_LIMIT)).ok());
    let expected = format_args!("1 to {TEXT_LIMIT} characters, not only blanks, without NUL");
    reader.check(value, expected, text.map(str::to_owned))
}

pub(super) fn slug(reader: &mut Reader, value: &Json) -> Option<Slug> {
    let slug = value.text().and_then(|slug| slug.parse().ok());
    let expected = format_args!("1 to {TEXT_LIMIT} letters, digits and ._-");
    reader.check(value, expected, slug)
}

pub(super) fn id(reader: &mut Reader, value: &Json) -> Option<i64> {
    let id = match value {
        Json::Number(number) => number.as_i64().filter(|id| *id > 0),
        _ => None,
    };
    reader.check(value, "a whole number above 0", id)
}

/// Reads a time as the command line takes it, and makes a moment of it.
pub(super) fn time(
    reader: &mut Reader,
    value: &Json,
    moment: impl Fn(When) -> Result<Timestamp, jiff::Error>,
) -> Option<(When, Timestamp)> {
    let when: Option<When> = value.text().and_then(|text| text.parse().ok());
    let time = when.and_then(|when| Some((when, moment(when).ok()?)));
    reader.check(
        value,
        "a day as 2027-05-08, or a time as 2027-05-08T18:00 or 2027-05-08T18:00:00+02:00",
        time,
    )
}

pub(super) fn time_zone(reader: &mut Reader, value: &Json) -> Option<String> {
    let name = value.text().filter(|name| TimeZone::get(name).is_ok());
    reader.check(
        value,
        "an IANA time zone, as Europe/Berlin",
        name.map(str::to_owned),
    )
}

pub(super) fn one_of(reader: &mut Reader, value: &Json, names: &[&str]) -> Option<String> {
    let name = value.text().filter(|name| names.contains(name));
    let expected = format_args!("one of {}", names.join(", "));
    reader.check(value, expected, name.map(str::to_owned))
}

/// Reads a key or token, and gives its hash.
pub(super) fn token(reader: &mut Reader, value: &Json) -> Option<KeyHash> {
    let is_token = |token: &&str| {
        token.len() == TOKEN_LENGTH
            && token
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let expected = format_args!("{TOKEN_LENGTH} of a-z0-9");
    let token = value.text().filter(is_token).map(hash_of);
    reader.check_hidden(value, expected, token)
}

/// Reads the hash of a key or token.
pub(super) fn token_hash(reader: &mut Reader, value: &Json) -> Option<KeyHash> {
    let mut hash = KeyHash::default();
    let digits = value.text().filter(|text| text.len() == 2 * hash.len());
    let read = digits.and_then(|digits| base16ct::lower::decode(digits, &mut hash).ok());
    let expected = format_args!("{} of 0-9a-f", 2 * KeyHash::default().len());
    let read = read.is_some();
    reader.check_hidden(value, expected, read.then_some(hash))
}

/// Reads a serial.
pub(super) fn serial(reader: &mut Reader, value: &Json) -> Option<String> {
    let is_serial = |text: &&str| {
        text.len() == SERIAL_LENGTH
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let serial = value.text().filter(is_serial).map(str::to_owned);
    reader.check(value, format_args!("{SERIAL_LENGTH} of A-Z0-9"), serial)
}

/// Reads what must not come twice in the file, if there is one to see to that. It is not shown.
pub(super) fn once<T: AsRef<[u8]>>(
    reader: &mut Reader,
    value: &Json,
    seen: Option<&mut SeenSecrets>,
    read: impl FnOnce(&mut Reader, &Json) -> Option<T>,
) -> Option<T> {
    let read = read(reader, value)?;
    let Some(seen) = seen else {
        return Some(read);
    };
    let mut trace = Trace::default();
    let bytes = read.as_ref().iter();
    trace
        .iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    match seen.note(&trace, &reader.place()) {
        None => Some(read),
        Some(first) => reader.check_hidden(value, format_args!("another than at {first}"), None),
    }
}
