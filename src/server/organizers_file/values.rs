//! The single values in the organizers file and their limits.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::json::Json;
use super::reader::{Reader, Seen};
use crate::secret::Secret;
use crate::server::model::Slug;
use crate::wire::{TEXT_LIMIT, fields};

const TOKEN_LENGTH: usize = 64;

impl Reader {
    pub(super) fn boolean(&mut self, value: &Json<'_>) -> Option<bool> {
        let boolean = match value {
            Json::Boolean(boolean) => Some(*boolean),
            _ => None,
        };
        self.check(value, "true or false", boolean)
    }

    pub(super) fn text(&mut self, value: &Json<'_>) -> Option<String> {
        let text = value
            .text()
            .and_then(|text| fields::text(text, Some(TEXT_LIMIT)).ok());
        let expected = format_args!("1 to {TEXT_LIMIT} characters, not only blanks, without NUL");
        self.check(value, expected, text.map(str::to_owned))
    }

    pub(super) fn slug(&mut self, value: &Json<'_>) -> Option<Slug> {
        let slug = value.text().and_then(|slug| slug.parse().ok());
        let expected = format_args!("1 to {TEXT_LIMIT} letters, digits and ._-");
        self.check(value, expected, slug)
    }

    pub(super) fn id(&mut self, value: &Json<'_>) -> Option<i64> {
        let id = match value {
            Json::Number(number) => number.as_i64().filter(|id| *id > 0),
            _ => None,
        };
        self.check(value, "a whole number above 0", id)
    }

    pub(super) fn timestamp(&mut self, value: &Json<'_>) -> Option<Timestamp> {
        let time = value.text().and_then(|text| text.parse().ok());
        self.check(
            value,
            "a time with its offset, as 2026-10-25T09:00:00+01:00",
            time,
        )
    }

    pub(super) fn time_zone(&mut self, value: &Json<'_>) -> Option<String> {
        let name = value.text().filter(|name| TimeZone::get(name).is_ok());
        self.check(
            value,
            "an IANA time zone, as Europe/Berlin",
            name.map(str::to_owned),
        )
    }

    pub(super) fn one_of(&mut self, value: &Json<'_>, names: &[&str]) -> Option<String> {
        let name = value.text().filter(|name| names.contains(name));
        let expected = format_args!("one of {}", names.join(", "));
        self.check(value, expected, name.map(str::to_owned))
    }

    /// Reads a key or token that must not come twice.
    pub(super) fn token<'t>(
        &mut self,
        value: &'t Json<'t>,
        seen: &mut Seen<&'t str>,
    ) -> Option<Secret> {
        let is_token = |token: &&str| {
            token.len() == TOKEN_LENGTH
                && token
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let expected = format_args!("{TOKEN_LENGTH} of a-z0-9");
        let token = self.check_hidden(value, expected, value.text().filter(is_token))?;
        match self.note(token, seen) {
            None => Some(Secret::new(token.to_owned())),
            Some(first) => self.check_hidden(value, format_args!("another than at {first}"), None),
        }
    }
}
