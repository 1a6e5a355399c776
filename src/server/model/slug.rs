//! What stands for an organizer or event in addresses.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::wire::TEXT_LIMIT;

/// 1 to [`TEXT_LIMIT`] of ASCII letters, digits and `._-`; neither `.` nor `..`, since a path with it
/// would lead elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Slug(String);

/// A text is no slug.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("1 to {TEXT_LIMIT} letters (a-z, A-Z), digits and ._- are allowed, but neither . nor ..")]
pub struct SlugError;

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        let is_slug = (1..=TEXT_LIMIT).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && !matches!(text, "." | "..");
        match is_slug {
            true => Ok(Self(text.to_owned())),
            false => Err(SlugError),
        }
    }
}

impl Slug {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_stands_in_a_path_as_it_is() {
        for text in ["bigevents", "A", "a.b", "...", "-_-", &"x".repeat(190)] {
            assert_eq!(text.parse::<Slug>().unwrap().as_str(), text);
        }
        for text in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "ü",
            "a%2f",
            "a\n",
            &"x".repeat(191),
        ] {
            assert!(text.parse::<Slug>().is_err(), "{text:?}");
        }
    }
}
