//! What is wrong with the fields of a request, and the API's words for it.

use std::fmt::{self, Display, Formatter};

use serde_json::{Map, Value, json};

use crate::wire::fields::TextFault;

/// Gates that are named to whoever names none.
const GATES_SHOWN: usize = 10;

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum FieldFault {
    /// It is not there.
    Required,
    /// It is null.
    Null,
    /// Its text is none that it takes.
    Text(TextFault),
    /// It is none of those that it may be.
    NoChoice(String),
    /// The organizer has no event of this slug.
    NoEvent(String),
    /// The organizer has no gate of this identifier.
    NoGate {
        identifier: String,
        /// Those that it has, by their identifiers.
        known: Vec<String>,
    },
    /// What no form of ours can send, in words.
    Other(String),
}

impl Display for FieldFault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => formatter.write_str("This field is required."),
            Self::Null => formatter.write_str("This field may not be null."),
            Self::Text(TextFault::Blank) => formatter.write_str("This field may not be blank."),
            Self::Text(TextFault::TooLong(limit)) => write!(
                formatter,
                "Ensure this field has no more than {limit} characters."
            ),
            Self::Text(TextFault::Nul) => formatter.write_str("Null characters are not allowed."),
            Self::NoChoice(shown) => write!(formatter, "\"{shown}\" is not a valid choice."),
            Self::NoEvent(slug) => write!(formatter, "Object with slug={slug} does not exist."),
            Self::NoGate { identifier, known } => {
                write!(formatter, "There is no gate {identifier:?}")?;
                let shown = known.iter().take(GATES_SHOWN);
                let shown: Vec<&str> = shown.map(String::as_str).collect();
                let more = match known.len() > GATES_SHOWN {
                    true => " and more",
                    false => "",
                };
                match shown.is_empty() {
                    true => formatter.write_str(", and no other."),
                    false => write!(formatter, ". There are {}{more}.", shown.join(", ")),
                }
            }
            Self::Other(words) => formatter.write_str(words),
        }
    }
}

impl From<String> for FieldFault {
    fn from(words: String) -> Self {
        Self::Other(words)
    }
}

impl From<&str> for FieldFault {
    fn from(words: &str) -> Self {
        Self::Other(words.to_owned())
    }
}

/// What is wrong with each field of a request.
#[derive(Debug, Default)]
pub(in crate::server) struct FieldErrors(Vec<(&'static str, Vec<FieldFault>)>);

impl FieldErrors {
    pub(in crate::server) fn one(field: &'static str, fault: impl Into<FieldFault>) -> Self {
        Self(vec![(field, vec![fault.into()])])
    }

    /// The same as what is wrong with one field that holds these.
    pub(super) fn within(self, field: &'static str) -> Self {
        let named = self.0.into_iter().flat_map(|(name, faults)| {
            let faults = faults.into_iter();
            faults.map(move |fault| FieldFault::Other(format!("{name}: {fault}")))
        });
        Self(vec![(field, named.collect())])
    }

    pub(in crate::server) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with a field.
    pub(in crate::server) fn of(&self, field: &str) -> &[FieldFault] {
        let found = self.0.iter().find(|(name, _)| *name == field);
        found.map_or(&[], |(_, faults)| faults)
    }

    /// Adds what is wrong with a field; what was wrong with it before is forgotten.
    pub(super) fn set(&mut self, field: &'static str, faults: Vec<FieldFault>) {
        self.0.retain(|(name, _)| *name != field);
        self.0.push((field, faults));
    }

    /// The body of the answer.
    pub(super) fn into_body(self) -> Value {
        let fields = self.0.into_iter().map(|(field, faults)| {
            let messages = faults.iter().map(ToString::to_string);
            (field.to_owned(), json!(messages.collect::<Vec<_>>()))
        });
        Value::Object(fields.collect::<Map<_, _>>())
    }
}
