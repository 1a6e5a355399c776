//! What the page says, in each language: a file each, in which every text has a name.
//!
//! A text may have places, as `{name}`, for what differs. What strangers wrote is put in as it may be shown, and
//! so that its direction of writing stays its own.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

use super::language::Language;
use crate::shown;

type Texts = HashMap<String, String>;

static ENGLISH: LazyLock<Texts> = LazyLock::new(|| read(include_str!("texts/en.json")));
static GERMAN: LazyLock<Texts> = LazyLock::new(|| read(include_str!("texts/de.json")));

/// A file that can't be read has no text: a test sees to that.
fn read(file: &str) -> Texts {
    serde_json::from_str(file).unwrap_or_default()
}

/// Before and after a text whose direction of writing is its own.
const ISOLATE: char = '\u{2068}';
const END_OF_ISOLATE: char = '\u{2069}';

/// The text of this name.
pub(super) fn say(language: Language, name: &'static str) -> &'static str {
    let texts = match language {
        Language::English => &ENGLISH,
        Language::German => &GERMAN,
    };
    texts.get(name).map_or(name, String::as_str)
}

/// The same with something in its place.
pub(super) fn fill(
    language: Language,
    name: &'static str,
    place: &str,
    with: impl Display,
) -> String {
    let place = format!("{{{place}}}");
    say(language, name).replace(&place, &with.to_string())
}

/// The text for one, or for as many as this.
pub(super) fn count(
    language: Language,
    one: &'static str,
    many: &'static str,
    count: u64,
) -> String {
    let name = if count == 1 { one } else { many };
    fill(language, name, "count", number(language, count))
}

/// A number with its thousands apart.
pub(super) fn number(language: Language, number: u64) -> String {
    let between = match language {
        Language::English => ',',
        Language::German => '.',
    };
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(between);
        }
        shown.push(digit);
    }
    shown
}

/// What somebody else wrote, for the middle of a text.
pub(super) fn named(text: &str) -> String {
    format!("{ISOLATE}{}{END_OF_ISOLATE}", shown::line(text))
}

/// What somebody else wrote, for a place of its own.
pub(super) fn alone(text: &str) -> Cow<'_, str> {
    match text.chars().any(shown::does_more_than_be_read) {
        true => Cow::Owned(shown::line(text)),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn places(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts
            .filter_map(|part| Some(part.split_once('}')?.0))
            .collect()
    }

    /// All that stands between quotes in the files of the page.
    fn quoted(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = path.extension().and_then(|kind| kind.to_str());
            match kind {
                _ if path.is_dir() => quoted(&path, found),
                Some("rs" | "html") if !path.ends_with("texts.rs") => {
                    let text = fs::read_to_string(&path).unwrap();
                    found.extend(text.split('"').map(str::to_owned));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn each_text_is_there_in_each_language_with_the_same_places() {
        let names = |texts: &Texts| texts.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&ENGLISH), names(&GERMAN));
        for (name, english) in ENGLISH.iter() {
            assert_eq!(places(english), places(&GERMAN[name]), "{name}");
        }
    }

    #[test]
    fn each_text_is_used_and_each_that_is_used_is_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/web");
        let mut used = BTreeSet::new();
        quoted(&folder, &mut used);
        let unused: Vec<_> = ENGLISH
            .keys()
            .filter(|name| !used.contains(*name))
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
        // A text's name is a word, a colon and more words: nothing else in quotes looks so.
        let is_name = |text: &&String| {
            let mut parts = text.split(':');
            let is_word = |part: &str| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            };
            parts.clone().count() == 2 && parts.all(is_word)
        };
        let missing: Vec<_> = used
            .iter()
            .filter(is_name)
            .filter(|name| !ENGLISH.contains_key(*name))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn a_file_is_read_whole() {
        for file in [include_str!("texts/en.json"), include_str!("texts/de.json")] {
            // Of two texts with one name, one would be lost.
            assert_eq!(read(file).len(), file.matches("\": \"").count());
        }
    }

    #[test]
    fn what_strangers_wrote_keeps_to_itself() {
        let text = fill(
            Language::English,
            "devices:of",
            "organizer",
            named("a\u{202e}\nb"),
        );
        assert!(
            text.contains("\u{2068}a\u{fffd}\u{fffd}b\u{2069}"),
            "{text}"
        );
    }

    #[test]
    fn thousands_are_told_apart() {
        for (count, english, german) in [
            (7, "7", "7"),
            (1_000, "1,000", "1.000"),
            (100_000, "100,000", "100.000"),
            (1_234_567, "1,234,567", "1.234.567"),
        ] {
            assert_eq!(number(Language::English, count), english);
            assert_eq!(number(Language::German, count), german);
        }
    }
}
