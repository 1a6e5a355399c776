//! The answer to `OPTIONS`: what an endpoint is, and the fields that may be sent.

use serde_json::{Map, Value, json};

use crate::wire::fields::{Field, Kind};

/// Describes an endpoint by its name and the fields of each method that its caller may use, if any.
pub(super) fn describe<'e>(
    name: &str,
    methods: impl Iterator<Item = (&'e str, &'e [Field])>,
) -> Value {
    let mut description = json!({
        "name": name,
        "description": "",
        "renders": ["application/json"],
        "parses": [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ],
    });
    let actions: Map<_, _> = methods
        .map(|(method, fields)| {
            let fields = fields.iter();
            let fields = fields.map(|field| (field.name.to_owned(), of_field(field)));
            (method.to_owned(), Value::Object(fields.collect()))
        })
        .collect();
    if let (Value::Object(entries), false) = (&mut description, actions.is_empty()) {
        entries.insert("actions".to_owned(), Value::Object(actions));
    }
    description
}

fn of_field(field: &Field) -> Value {
    let kind = match field.kind {
        Kind::Text(_) | Kind::PublicKey => "string",
        Kind::Boolean => "boolean",
        Kind::Choice(_) => "choice",
        Kind::Events | Kind::Json => "field",
        Kind::Integer => "integer",
        Kind::Time => "datetime",
    };
    let mut label = field.name.replace('_', " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut description = json!({
        "type": kind,
        "required": field.required,
        "read_only": field.read_only,
        "label": label,
    });
    if let Value::Object(entries) = &mut description {
        if let Kind::Text(Some(limit)) = field.kind {
            entries.insert("max_length".to_owned(), json!(limit));
        }
        if let Kind::Choice(choices) = field.kind {
            let choices = choices.iter();
            let choices = choices.map(|value| json!({"value": value, "display_name": value}));
            entries.insert("choices".to_owned(), choices.collect());
        }
    }
    description
}
