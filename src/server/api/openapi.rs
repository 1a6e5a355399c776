//! `GET /api/v1/openapi.json`: the table of endpoints as OpenAPI 3.1.

use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::authentication::Anyone;
use super::endpoint::Call;
use super::endpoint::{Endpoint, Served};
use super::parameters::{Parameter, ParameterKind};
use super::problem::Problem;
use super::reply::Answer;
use crate::wire::IDEMPOTENCY_HEADER;
use crate::wire::fields::{Field, Kind};

/// The types of answers and of bodies that are more than fields.
const SCHEMAS: &str = include_str!("openapi_schemas.json");

pub(super) async fn described(call: Call<Anyone>) -> Result<Answer, Problem> {
    match call.api.openapi.get() {
        Some(document) => Ok(Answer::json(StatusCode::OK, document.clone())),
        None => Err(Problem::NotFound("Not found.")),
    }
}

/// Describes endpoints that are served below this path.
pub(super) fn document(endpoints: &[Endpoint], prefix: &str) -> String {
    let mut paths = Map::new();
    for endpoint in endpoints {
        paths.insert(endpoint.path.to_owned(), path(endpoint));
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "gatehand",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The devices resource and the device API. What goes beyond pretix is in docs/FLEET_API.md.",
        },
        "servers": [{"url": if prefix.is_empty() { "/" } else { prefix }}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "Token": authorization("Token KEY: a team's token."),
                "Device": authorization("Device KEY: a device's API key."),
            },
        },
    });
    document.to_string()
}

fn authorization(about: &str) -> Value {
    json!({"type": "apiKey", "in": "header", "name": "Authorization", "description": about})
}

fn path(endpoint: &Endpoint) -> Value {
    let mut item = Map::new();
    let named: Vec<Value> = endpoint
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "device_id" => json!({"type": "integer", "minimum": 1}),
                _ => json!({"type": "string", "minLength": 1}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect();
    for served in endpoint.served() {
        let method = served.method.as_str().to_ascii_lowercase();
        item.insert(method, operation(endpoint, &served, &named));
    }
    Value::Object(item)
}

fn operation(endpoint: &Endpoint, served: &Served, named: &[Value]) -> Value {
    let about = served.operation;
    let is_change = *served.method != Method::GET;
    let mut parameters = named.to_vec();
    parameters.extend(about.query.iter().copied().flatten().map(parameter));
    if about.conditional {
        parameters.push(header(
            "If-Match",
            "ETag of an answer: done only if nothing has changed since.",
        ));
    }
    if is_change {
        parameters.push(header(
            IDEMPOTENCY_HEADER,
            "Under the same, the same is answered for a day.",
        ));
    }
    let mut operation = json!({
        "operationId": format!("{} {}", served.method, endpoint.name).to_lowercase().replace(' ', "_"),
        "summary": about.summary,
        "parameters": parameters,
        "security": security(endpoint),
        "responses": responses(endpoint, served),
    });
    if let (Some(body), Value::Object(entries)) = (body(served), &mut operation) {
        entries.insert("requestBody".to_owned(), body);
    }
    operation
}

/// Each of these is enough; nothing, where nobody has to say who it is.
fn security(endpoint: &Endpoint) -> Value {
    let each = endpoint.schemes().iter();
    each.map(|scheme| match *scheme {
        "" => json!({}),
        scheme => json!({ scheme: [] }),
    })
    .collect()
}

fn header(name: &str, about: &str) -> Value {
    json!({"name": name, "in": "header", "description": about, "schema": {"type": "string"}})
}

fn parameter(parameter: &Parameter) -> Value {
    let mut schema = match parameter.kind {
        ParameterKind::Text => json!({"type": "string"}),
        ParameterKind::Boolean => json!({"type": "boolean"}),
        ParameterKind::Time => json!({"type": "string", "format": "date-time"}),
        ParameterKind::Number => json!({"type": "integer", "minimum": 1}),
        ParameterKind::Choice(choices) => json!({"type": "string", "enum": choices}),
        ParameterKind::Choices(choices) => {
            json!({"type": "array", "items": {"type": "string", "enum": choices}})
        }
    };
    let mut described = json!({
        "name": parameter.name, "in": "query", "required": parameter.required,
        "description": parameter.about, "schema": schema.take(),
    });
    if let (ParameterKind::Choices(_), Value::Object(entries)) = (parameter.kind, &mut described) {
        entries.insert("explode".to_owned(), json!(false));
    }
    described
}

fn body(served: &Served) -> Option<Value> {
    let schema = match served.operation.takes {
        Some(schema) => reference(schema),
        None if served.fields.is_empty() => return None,
        None => of_fields(served.fields, *served.method != Method::PATCH),
    };
    let is_needed =
        served.operation.takes.is_some() || served.fields.iter().any(|field| field.required);
    Some(json!({"required": is_needed, "content": {"application/json": {"schema": schema}}}))
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn of_fields(fields: &[Field], whole: bool) -> Value {
    let sent = || fields.iter().filter(|field| !field.read_only);
    let properties: Map<String, Value> = sent()
        .map(|field| (field.name.to_owned(), of_field(field)))
        .collect();
    let required = sent().filter(|field| whole && field.required);
    let required: Vec<&str> = required.map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// A text has something in it that is no blank, and nothing that no database keeps.
const TEXT: &str = r"^[^\x00]*[^\s\x00-\x1f][^\x00]*$";

fn of_field(field: &Field) -> Value {
    let kind = |name: &str| match field.nullable {
        true => json!([name, "null"]),
        false => json!(name),
    };
    match field.kind {
        Kind::Text(Some(limit)) => {
            json!({"type": kind("string"), "minLength": 1, "maxLength": limit, "pattern": TEXT})
        }
        Kind::Text(None) => json!({"type": kind("string"), "minLength": 1, "pattern": TEXT}),
        Kind::PublicKey => {
            json!({"type": kind("string"), "description": "An RSA public key in PEM."})
        }
        Kind::Boolean => json!({"type": kind("boolean")}),
        Kind::Choice(choices) => json!({"enum": choices}),
        Kind::Events => json!({
            "type": kind("array"), "items": {"type": "string", "minLength": 1},
            "description": "Slugs of the organizer's events.",
        }),
        Kind::Json => json!({}),
        Kind::Integer => json!({"type": kind("integer")}),
        Kind::Time => json!({"type": kind("string"), "format": "date-time"}),
    }
}

fn responses(endpoint: &Endpoint, served: &Served) -> Value {
    let about = served.operation;
    let mut responses = Map::new();
    let answer = about.answer.map_or_else(|| json!({}), reference);
    let done =
        json!({"description": about.summary, "content": {"application/json": {"schema": answer}}});
    responses.insert(about.status.to_string(), done);
    if about.repeats {
        let any = json!({"application/json": {"schema": {}}});
        let repeated = json!({"description": "What was answered then.", "content": any});
        responses.insert("default".to_owned(), repeated);
    }
    for status in about.silent {
        responses.insert(
            status.to_string(),
            json!({"description": "Without a body."}),
        );
    }
    let is_change = *served.method != Method::GET;
    let takes = about.takes.is_some() || !served.fields.is_empty();
    let is_known = !endpoint.schemes().is_empty();
    let refusals = [
        (
            400,
            takes || about.conditional || !about.query.is_empty(),
            "It can't be understood.",
        ),
        (
            401,
            is_known && endpoint.challenge.is_some(),
            "The key or token is not good.",
        ),
        (403, is_known, "Who asks may not."),
        (404, true, "There is nothing."),
        (406, true, "The caller takes no JSON."),
        (
            409,
            is_change,
            "A request with this idempotency key is under way.",
        ),
        (412, about.conditional, "It was changed since it was read."),
        (413, is_change, "The body is too large."),
        (415, takes, "The body is of another type."),
        (
            428,
            about.conditional && about.takes.is_some(),
            "If-Match is missing.",
        ),
        (429, true, "Too many unknown keys came from there."),
        (503, true, "It can't be done now, and was not."),
    ];
    for (status, may_be, about) in refusals {
        let status = status.to_string();
        if may_be && !responses.contains_key(&status) {
            let content = json!({"application/json": {"schema": reference("Problem")}});
            responses.insert(status, json!({"description": about, "content": content}));
        }
    }
    Value::Object(responses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_can_be_read() {
        let schemas: Value = serde_json::from_str(SCHEMAS).unwrap();
        assert!(schemas["Device"].is_object());
    }
}
