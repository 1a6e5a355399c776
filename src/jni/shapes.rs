//! The JSON that crosses the border, as `Native.kt` lists it.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::advice;
use super::policy::Failure;
use crate::agent::{Event, Identity, MediaKeys, State, Status, Suggestion};
use crate::enrolment::Enrolment;
use crate::wire::MediumKeySet;

#[derive(Deserialize)]
pub(super) struct Config {
    pub(super) folder: String,
    pub(super) app_name: String,
    pub(super) app_version: String,
    pub(super) connect_timeout_ms: u64,
    pub(super) time_limit_ms: u64,
    pub(super) set_aside: bool,
    pub(super) allow_http: bool,
}

#[derive(Default, Deserialize)]
pub(super) struct Report {
    pub(super) hardware_brand: String,
    pub(super) hardware_model: String,
    pub(super) os_name: String,
    pub(super) os_version: String,
    pub(super) info: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Redeemed {
    pub(super) server: String,
    pub(super) token: String,
}

#[derive(Deserialize)]
pub(super) struct Existing {
    pub(super) server: String,
    pub(super) key: String,
    pub(super) unique_serial: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Current {
    pub(super) event: Option<String>,
    pub(super) subevent: Option<i64>,
    pub(super) checkin_list: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) content_type: Option<String>,
    pub(super) content_length: Option<u64>,
    pub(super) idempotency_key: Option<String>,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) once: bool,
    pub(super) time_limit_ms: Option<u64>,
}

pub(super) fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<String, Failure> {
    let bytes = std::mem::take(&mut *bytes);
    String::from_utf8(bytes).map_err(|error| Failure::of("argument_invalid", &error.utf8_error()))
}

/// Not the parser's own words: they may repeat a token or key.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|_| Failure::new("internal", "the app's side sent JSON of another shape"))
}

pub(super) fn write(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

pub(super) fn enrolment(enrolment: &Enrolment) -> Vec<u8> {
    write(&json!({
        "server": enrolment.url().to_string(),
        "origin": enrolment.url().origin(),
        "exact_origin": enrolment.url().exact_origin(),
        "host": enrolment.url().host(),
        "is_secure": enrolment.url().check_transport(false).is_ok(),
        "token": enrolment.token().expose(),
    }))
}

fn identity(identity: &Identity) -> Value {
    json!({
        "server": identity.server.to_string(),
        "organizer": identity.organizer,
        "device_id": identity.device_id,
        "unique_serial": identity.unique_serial,
        "name": identity.name,
        "security_profile": identity.security_profile,
        "gate": identity.gate,
        "server_version": identity.server_version,
        "enrolled_at_ms": identity.enrolled.as_millisecond(),
    })
}

pub(super) fn state(status: &Status) -> Vec<u8> {
    let name = match status.state {
        State::NotEnrolled => "not_enrolled",
        State::Enrolling => "enrolling",
        State::Enrolled => "enrolled",
        State::Rejected => "rejected",
        State::Revoked => "revoked",
        State::AnswerLost => "answer_lost",
    };
    let lost = status.lost.as_ref().map(|lost| &lost.server);
    write(&json!({
        "state": name,
        "server": lost.or(status.unfinished.as_ref()).map(ToString::to_string),
        "identity": status.identity.as_ref().map(identity),
        "advice": status.hindrance.as_ref().map(advice::words),
    }))
}

pub(super) fn state_changed() -> Value {
    json!({"event": "state_changed"})
}

pub(super) fn event(event: &Event) -> Vec<Value> {
    match event {
        Event::StateChanged(_) => vec![state_changed()],
        Event::IdentityChanged { before, after } => vec![json!({
            "event": "identity_changed",
            "before": identity(before),
            "after": identity(after),
        })],
        Event::Done(operation) => {
            use crate::agent::Operation;
            let finished = json!({"event": "operation_finished", "operation": operation});
            match operation {
                Operation::Update => vec![json!({"event": "report_acknowledged"}), finished],
                Operation::Roll => vec![json!({"event": "key_rolled"}), finished],
                Operation::Initialize | Operation::Revoke => vec![finished],
            }
        }
    }
}

pub(super) fn suggestion(suggestion: &Suggestion) -> Vec<u8> {
    write(&match suggestion {
        Suggestion::Keep => json!({"suggestion": "keep"}),
        Suggestion::Nothing => json!({"suggestion": "nothing"}),
        Suggestion::Switch(selected) => json!({
            "suggestion": "switch",
            "event": selected.event.slug,
            "event_name": event_name(&selected.event.name),
            "subevent": selected.subevent,
            "checkin_list": selected.checkin_list,
        }),
    })
}

/// One text of a name that may be in several languages.
fn event_name(name: &Value) -> &str {
    let translated = || name.as_object()?.values().find_map(Value::as_str);
    name.as_str().or_else(translated).unwrap_or_default()
}

pub(super) fn encrypted_keys(sets: &[MediumKeySet]) -> Vec<u8> {
    let sets = sets.iter().map(|set| {
        json!({
            "public_id": set.public_id, "organizer": set.organizer, "active": set.active,
            "media_type": set.media_type, "uid_key": set.uid_key,
            "diversification_key": set.diversification_key, "encrypted": true,
        })
    });
    write(&json!({"medium_key_sets": sets.collect::<Vec<_>>()}))
}

pub(super) fn keys(sets: &[MediaKeys]) -> Vec<u8> {
    let sets = sets.iter().map(|set| {
        json!({
            "public_id": set.public_id, "organizer": set.organizer, "active": set.active,
            "media_type": set.media_type, "uid_key": BASE64_STANDARD.encode(&*set.uid_key),
            "diversification_key": BASE64_STANDARD.encode(&*set.diversification_key),
            "encrypted": false,
        })
    });
    write(&json!({"medium_key_sets": sets.collect::<Vec<_>>()}))
}

pub(super) fn head(status: u16, headers: &[(String, String)]) -> Vec<u8> {
    write(&json!({"status": status, "headers": headers}))
}
