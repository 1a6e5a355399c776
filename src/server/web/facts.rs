//! Facts of any shape as pairs for people: what devices report of themselves, and what the log says of a change.

use serde_json::Value;

use super::language::Language;
use super::measured::measured;
use super::texts::{self, alone};

/// Pairs that are shown at most, and characters of each.
const PAIRS: usize = 200;
const CHARACTERS: usize = 300;

/// A fact, as it may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// The facts in a value, named by where they stand in it. What is absent is left out.
pub(super) fn of(language: Language, value: &Value) -> Vec<Fact> {
    let mut facts = Vec::new();
    gather(language, "", value, &mut facts);
    facts
}

/// Nested as deeply as JSON is read.
fn gather(language: Language, name: &str, value: &Value, facts: &mut Vec<Fact>) {
    if facts.len() >= PAIRS {
        return;
    }
    let within = |key: &str| match name {
        "" => key.to_owned(),
        name => format!("{name} {key}"),
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                gather(language, &within(key), value, facts);
            }
        }
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            let items: Vec<String> = items
                .iter()
                .take(PAIRS)
                .map(|item| plain(language, item))
                .collect();
            push(name, &items.join(", "), facts);
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                gather(language, &within(&(place + 1).to_string()), item, facts);
            }
        }
        Value::Null => {}
        value => match measured(language, name, value) {
            Some((name, value)) => push(name, &value, facts),
            None => push(name, &plain(language, value), facts),
        },
    }
}

fn push(name: &str, value: &str, facts: &mut Vec<Fact>) {
    facts.push(Fact {
        name: cut(&name.replace('_', " ")),
        value: cut(value),
    });
}

fn plain(language: Language, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(true) => texts::say(language, "fact:yes").to_owned(),
        Value::Bool(false) => texts::say(language, "fact:no").to_owned(),
        value => value.to_string(),
    }
}

/// As much of a text as is shown.
fn cut(text: &str) -> String {
    let shown = alone(text);
    match shown.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairs(value: &Value) -> Vec<(String, String)> {
        let facts = of(Language::English, value).into_iter();
        facts.map(|fact| (fact.name, fact.value)).collect()
    }

    #[test]
    fn facts_are_named_by_where_they_stand() {
        let value = json!({
            "battery": {"percent": 87, "health": "Good"},
            "mains_online": false,
            "load": null,
            "disks": [{"name": "a"}, {"name": "b"}],
            "tags": ["x", 1, null],
        });
        let expected = [
            ("battery", "87 %"),
            ("battery health", "Good"),
            ("disks 1 name", "a"),
            ("disks 2 name", "b"),
            ("mains online", "no"),
            ("tags", "x, 1, "),
        ];
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut found = pairs(&value);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn there_is_an_end_to_what_is_shown() {
        let many: Value = (0..10_000).map(|n| (n.to_string(), json!(n))).collect();
        assert_eq!(of(Language::English, &many).len(), PAIRS);
        let long = json!({"a": "\u{202e}".repeat(10_000), "b": "ü".repeat(CHARACTERS)});
        let facts = pairs(&long);
        assert_eq!(facts[0].1.chars().count(), CHARACTERS + 1);
        assert!(facts[0].1.starts_with('\u{fffd}'));
        assert_eq!(facts[1].1, "ü".repeat(CHARACTERS));
        let bare = pairs(&json!("text"));
        assert_eq!(bare, [(String::new(), "text".to_owned())]);
    }
}
