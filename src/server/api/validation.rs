//! Applies the rules of [`fields`] to a body: all fields at once.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::body::{Body, FormValue, Input, keys};
use super::field_errors::{FieldErrors, FieldFault};
use super::problem::Problem;
use super::python;
use crate::server::media_keys;
use crate::wire::fields::{self, Field, Kind};

/// How much of a resource is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Extent {
    /// All of it: what is required must be there.
    Whole,
    /// What is to be changed: the rest stays.
    Part,
}

/// The values of the fields that were sent, and what is wrong with them.
pub(in crate::server) struct Checked {
    values: Map<String, Value>,
    errors: FieldErrors,
}

/// Checks each field of a body. Only a body that has no fields at all is refused here.
pub(in crate::server) fn check(
    fields: &[Field],
    body: &Body,
    extent: Extent,
) -> Result<Checked, Problem> {
    let no_fields =
        |message: String| Problem::Fields(FieldErrors::one("non_field_errors", message));
    match body {
        Body::Null => return Err(no_fields("No data provided".to_owned())),
        Body::Other(kind) => {
            return Err(no_fields(format!(
                "Invalid data. Expected a dictionary, but got {kind}."
            )));
        }
        Body::Object(_) | Body::Form(_) => {}
    }
    let mut checked = Checked {
        values: Map::new(),
        errors: FieldErrors::default(),
    };
    for field in fields.iter().filter(|field| !field.read_only) {
        match (sent(field, body, extent), field.required) {
            (Some(input), _) => checked.take(field, input),
            (None, true) if extent == Extent::Whole => {
                checked.errors.set(field.name, vec![FieldFault::Required]);
            }
            (None, _) => {}
        }
    }
    Ok(checked)
}

/// What was sent for a field. A form cannot say `null`, `false` or an empty list: it leaves these
/// away or empty.
fn sent<'b>(field: &Field, body: &'b Body, extent: Extent) -> Option<Sent<'b>> {
    let fields = match body {
        Body::Object(fields) => {
            return fields.get(field.name).map(|raw| Sent::One(Input::of(raw)));
        }
        Body::Form(fields) => fields,
        Body::Null | Body::Other(_) => return None,
    };
    let values = fields.get(field.name).map_or(&[][..], Vec::as_slice);
    let value = match (field.kind, values.last()) {
        (_, None) if extent == Extent::Part => return None,
        (Kind::Events, _) => return Some(Sent::Many(values)),
        (Kind::Boolean, None) => return Some(Sent::One(Input::Bool(false))),
        (_, value) => value?,
    };
    Some(match value {
        FormValue::File(_) => Sent::One(Input::File),
        FormValue::Text(text) if matches!(field.kind, Kind::Json) => Sent::Encoded(text),
        FormValue::Text(text) if text.is_empty() && field.nullable => Sent::One(Input::Null),
        FormValue::Text(text) if text.is_empty() && !field.required => return None,
        FormValue::Text(text) => Sent::One(Input::Text(Cow::Borrowed(text))),
    })
}

enum Sent<'b> {
    One(Input<'b>),
    /// The values of a list, in a form.
    Many(&'b [FormValue]),
    /// JSON as text, in a form.
    Encoded(&'b str),
}

impl Checked {
    fn take(&mut self, field: &Field, sent: Sent<'_>) {
        let value = match (field.kind, sent) {
            (_, Sent::One(Input::Null)) if field.nullable => Ok(Value::Null),
            (_, Sent::One(Input::Null)) => Err(vec![FieldFault::Null]),
            (Kind::Events, sent) => {
                let (slugs, error) = match sent {
                    Sent::One(input) => slugs_of(&input),
                    Sent::Many(values) => slugs_of_form(values),
                    Sent::Encoded(_) => (Vec::new(), None),
                };
                if let Some(error) = error {
                    self.errors.set(field.name, vec![error]);
                }
                Ok(json!(slugs))
            }
            (Kind::Json, Sent::Encoded(text)) => json_value(text),
            (kind, Sent::One(input)) => value(kind, &input),
            (_, Sent::Many(_) | Sent::Encoded(_)) => Err(vec![FieldFault::Null]),
        };
        match value {
            Ok(value) => drop(self.values.insert(field.name.to_owned(), value)),
            Err(messages) => self.errors.set(field.name, messages),
        }
    }

    /// The slugs of a list of events; where one is malformed, those before it.
    pub(super) fn slugs(&self, field: &str) -> Vec<String> {
        let slugs = self.values.get(field).and_then(Value::as_array);
        let slugs = slugs.into_iter().flatten().filter_map(Value::as_str);
        slugs.map(str::to_owned).collect()
    }

    /// A text that was sent.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.values.get(field)?.as_str()
    }

    /// Adds what the store finds wrong with a field.
    pub(super) fn refuse(&mut self, field: &'static str, fault: FieldFault) {
        self.errors.set(field, vec![fault]);
    }

    /// The values, if nothing is wrong with any.
    pub(in crate::server) fn finish<T: DeserializeOwned>(self) -> Result<T, Problem> {
        if !self.errors.is_empty() {
            return Err(Problem::Fields(self.errors));
        }
        Ok(serde_json::from_value(Value::Object(self.values))?)
    }
}

type Valid = Result<Value, Vec<FieldFault>>;

fn value(kind: Kind, input: &Input<'_>) -> Valid {
    match kind {
        Kind::Text(limit) => text(input, limit).map(Value::String),
        Kind::PublicKey => {
            let key = text(input, None)?;
            match media_keys::is_public_key(&key) {
                true => Ok(Value::String(key)),
                false => Err(vec!["Not a valid public key.".into()]),
            }
        }
        Kind::Boolean => match boolean(input) {
            Some(value) => Ok(Value::Bool(value)),
            None => Err(vec!["Must be a valid boolean.".into()]),
        },
        Kind::Choice(choices) => {
            let shown = input.show();
            match choices.contains(&shown.as_str()) {
                true => Ok(Value::String(shown)),
                false => Err(vec![FieldFault::NoChoice(shown)]),
            }
        }
        Kind::Json => match input {
            Input::Bool(value) => Ok(Value::Bool(*value)),
            Input::Number(raw) => json_value(raw),
            Input::Text(text) => Ok(Value::String(text.to_string())),
            Input::List(items) => {
                let items: Vec<&str> = items.iter().map(|item| item.get()).collect();
                json_value(&format!("[{}]", items.join(",")))
            }
            Input::Object(raw) => json_value(raw.get()),
            Input::Null => Ok(Value::Null),
            Input::Surrogate(_) | Input::File => Err(vec![INVALID_JSON.into()]),
        },
        // Only the server sets these.
        Kind::Events | Kind::Integer | Kind::Time => Err(vec![FieldFault::Null]),
    }
}

const INVALID_JSON: &str = "Value must be valid JSON.";

fn json_value(text: &str) -> Valid {
    serde_json::from_str(text).map_err(|_| vec![INVALID_JSON.into()])
}

fn text(input: &Input<'_>, limit: Option<usize>) -> Result<String, Vec<FieldFault>> {
    let sent = match input {
        Input::Text(text) => Cow::Borrowed(&**text),
        Input::Number(raw) => python::number(raw),
        Input::Surrogate(half) => {
            let words = format!("Surrogate characters are not allowed: U+{half:X}.");
            return Err(vec![words.into()]);
        }
        _ => return Err(vec!["Not a valid string.".into()]),
    };
    match fields::text(&sent, limit) {
        Ok(text) => Ok(text.to_owned()),
        Err(faults) => Err(faults.into_iter().map(FieldFault::Text).collect()),
    }
}

pub(super) fn boolean(input: &Input<'_>) -> Option<bool> {
    match input {
        Input::Bool(value) => Some(*value),
        Input::Number(raw) => match raw.parse::<f64>() {
            Ok(1.0) => Some(true),
            Ok(0.0) => Some(false),
            _ => None,
        },
        Input::Text(text) => match text.to_lowercase().as_str() {
            "t" | "y" | "yes" | "true" | "on" | "1" => Some(true),
            "f" | "n" | "no" | "false" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The slugs up to the first that can't be one, and what is wrong with that.
fn slugs_of(input: &Input<'_>) -> (Vec<String>, Option<FieldFault>) {
    match input {
        Input::List(items) => until_malformed(items.iter().map(|item| match Input::of(item) {
            Input::Null => Err(FieldFault::Null),
            Input::Text(text) => slug(text.into_owned()),
            Input::Surrogate(_) => Err(INVALID_VALUE.into()),
            other => slug(other.show()),
        })),
        Input::Object(object) => until_malformed(keys(object).into_iter().map(slug)),
        other => {
            let kind = other.type_name();
            let error = format!("Expected a list of items but got type \"{kind}\".");
            (Vec::new(), Some(error.into()))
        }
    }
}

fn slugs_of_form(values: &[FormValue]) -> (Vec<String>, Option<FieldFault>) {
    until_malformed(values.iter().map(|value| match value {
        FormValue::Text(text) => slug(text.clone()),
        FormValue::File(_) => Err(INVALID_VALUE.into()),
    }))
}

const INVALID_VALUE: &str = "Invalid value.";

fn slug(text: String) -> Result<String, FieldFault> {
    match text.as_str() {
        "" => Err(FieldFault::Null),
        text if text.contains('\0') => Err(INVALID_VALUE.into()),
        _ => Ok(text),
    }
}

fn until_malformed(
    items: impl Iterator<Item = Result<String, FieldFault>>,
) -> (Vec<String>, Option<FieldFault>) {
    let mut slugs = Vec::new();
    for item in items {
        match item {
            Ok(slug) => slugs.push(slug),
            Err(error) => return (slugs, Some(error)),
        }
    }
    (slugs, None)
}
