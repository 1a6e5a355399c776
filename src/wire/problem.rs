//! The server's own words about a refused request.

use serde_json::Value;

use super::{REVOKED_DETAIL, UNKNOWN_KEY_DETAIL};
use crate::mask::Mask;
use crate::shown;

/// A refusal in one of the API's two shapes, as text for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    text: String,
    detail: Option<String>,
    fields: Vec<String>,
}

impl Problem {
    /// Reads `{"detail": "…"}` or `{"field": ["…", …], …}`; `None` for any other shape.
    pub fn read(body: &Value) -> Option<Self> {
        let fields = body.as_object().filter(|fields| !fields.is_empty())?;
        if let Some(detail) = fields.get("detail").and_then(Value::as_str) {
            let (text, detail) = (detail.to_owned(), Some(detail.to_owned()));
            return Some(Self {
                text,
                detail,
                fields: Vec::new(),
            });
        }
        let lines = fields.iter().map(|(field, words)| {
            let words: Option<Vec<&str>> = words.as_array()?.iter().map(Value::as_str).collect();
            Some(format!("{field}: {}", words?.join(" ")))
        });
        let lines: Option<Vec<String>> = lines.collect();
        let text = lines?.join("; ");
        Some(Self {
            text,
            detail: None,
            fields: fields.keys().cloned().collect(),
        })
    }

    /// The same words with asterisks where a server repeats one of these texts.
    pub fn without(self, secrets: &[&str]) -> Self {
        Self {
            text: hidden(self.text, secrets),
            detail: self.detail.map(|detail| hidden(detail, secrets)),
            fields: self.fields,
        }
    }

    /// The same words where fields are called as people call them: each is a field's name and what stands for it.
    pub fn in_words_of(mut self, names: &[(&str, &str)]) -> Self {
        for (field, name) in names {
            let field = format!("{field}: ");
            let name = match *name {
                "" => String::new(),
                name => format!("{name}: "),
            };
            if let Some(rest) = self.text.strip_prefix(&field) {
                self.text = format!("{name}{rest}");
            }
            let between = self
                .text
                .replace(&format!("; {field}"), &format!("; {name}"));
            self.text = between;
        }
        self
    }

    /// Whether the answer has words on some of these fields, and on nothing else.
    pub fn is_about(&self, fields: &[&str]) -> bool {
        let known = |named: &String| fields.contains(&named.as_str());
        !self.fields.is_empty() && self.fields.iter().all(known)
    }

    /// Whether the answer has words on this field.
    pub fn names(&self, field: &str) -> bool {
        self.fields.iter().any(|named| named == field)
    }

    /// Whether the words are those on a device whose access was revoked.
    pub fn says_revoked(&self) -> bool {
        self.detail.as_deref() == Some(REVOKED_DETAIL)
    }

    /// Whether the words are those on a key that no device has, or no longer.
    pub fn says_unknown_key(&self) -> bool {
        self.detail.as_deref() == Some(UNKNOWN_KEY_DETAIL)
    }
}

/// A text with asterisks where it repeats one of the secrets.
pub(crate) fn hidden(text: String, secrets: &[&str]) -> String {
    let hide = |text: String, secret: &&str| Mask::of(secret).hide(&text);
    secrets.iter().fold(text, hide)
}

/// On one line, without what would do more than be read: it ends up on screens and in logs.
impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&shown::line(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_that_is_repeated_is_hidden_in_both_shapes() {
        for body in [
            json!({"detail": "no k3y"}),
            json!({"token": ["no", "k3y!"]}),
        ] {
            let problem = Problem::read(&body).unwrap().without(&["", "k3y"]);
            assert!(problem.to_string().contains("***"), "{problem}");
            assert!(!format!("{problem:?}").contains("k3y"), "{problem:?}");
        }
    }

    #[test]
    fn fields_are_called_as_people_call_them() {
        let body =
            json!({"limit_events": ["a"], "non_field_errors": ["b"], "set": ["limit_events: c"]});
        let problem = Problem::read(&body).unwrap();
        let names = [
            ("set", ""),
            ("non_field_errors", ""),
            ("limit_events", "events"),
        ];
        let told = problem.in_words_of(&names);
        assert_eq!(told.to_string(), "events: a; b; events: c");
        assert!(told.names("limit_events"), "they are still what they are");
    }

    #[test]
    fn both_shapes_are_read_and_others_are_not() {
        let read = |body| Problem::read(&body).map(|problem| problem.to_string());
        assert_eq!(read(json!({"detail": "Not found."})).unwrap(), "Not found.");
        assert_eq!(
            read(json!({"token": ["Unknown initialization token."], "name": ["a", "b"]})).unwrap(),
            "name: a b; token: Unknown initialization token."
        );
        for other in [
            json!({}),
            json!([]),
            json!("x"),
            json!({"token": "x"}),
            json!({"a": [1]}),
        ] {
            assert_eq!(read(other), None);
        }
    }
}
