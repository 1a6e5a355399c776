//! The JSON that crosses the border. `tests/data/bridge` has an example of each shape and holds both
//! sides to it.

use base64::display::Base64Display;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::advice;
use super::failure::Failure;
use crate::agent::{Event, Identity, MediaKeySets, MediaKeys, State, Status, Suggestion};
use crate::enrolment::Reading;
use crate::secret::{self, Secret};
use crate::wire::MediumKeySet;

#[derive(Deserialize)]
pub(super) struct Config {
    pub(super) folder: String,
    pub(super) device: Device,
    pub(super) app_name: String,
    pub(super) app_version: String,
    pub(super) connect_timeout_ms: u64,
    pub(super) read_timeout_ms: u64,
    pub(super) time_limit_ms: u64,
    pub(super) set_aside: bool,
    pub(super) allow_http: bool,
    pub(super) trust: Trusted,
}

/// Certificates are in Base64 of DER.
#[derive(Deserialize)]
pub(super) struct Trusted {
    /// This system's certificates, if those are trusted.
    pub(super) system: Option<Vec<String>>,
    #[serde(default)]
    pub(super) certificates: Vec<String>,
    pub(super) pinned: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
}

#[derive(Deserialize)]
pub(super) struct Device {
    pub(super) hardware_brand: String,
    pub(super) hardware_model: String,
    pub(super) os_name: String,
    #[serde(default)]
    pub(super) os_version: String,
}

#[derive(Deserialize)]
pub(super) struct Redeemed {
    pub(super) server: String,
    pub(super) token: Secret,
    /// Those that may be meant instead; see [`Reading::others`](crate::enrolment::Reading::others).
    pub(super) other_tokens: Vec<Secret>,
}

#[derive(Deserialize)]
pub(super) struct Existing {
    pub(super) server: String,
    pub(super) key: Secret,
    pub(super) unique_serial: Option<String>,
    pub(super) media_key: Option<HeldMediaKey>,
}

/// A key pair of the Keystore's.
#[derive(Deserialize)]
pub(super) struct HeldMediaKey {
    pub(super) alias: String,
    /// In PEM.
    pub(super) public_key: String,
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
    pub(super) idempotency_key: Option<Secret>,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) once: bool,
    pub(super) time_limit_ms: Option<u64>,
    pub(super) read_timeout_ms: Option<u64>,
}

/// A certificate in DER.
pub(super) fn certificate(coded: &str) -> Result<Vec<u8>, Failure> {
    BASE64_STANDARD
        .decode(coded)
        .map_err(|error| Failure::of("argument_invalid", &error))
}

/// Text that may hold a token.
pub(super) fn text(bytes: &[u8]) -> Result<Secret, Failure> {
    std::str::from_utf8(bytes)
        .map(|text| Secret::new(text.to_owned()))
        .map_err(|error| Failure::of("argument_invalid", &error))
}

/// Not the parser's own words: they may repeat a token or key.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|_| Failure::new("internal", "the app's side sent JSON of another shape"))
}

pub(super) fn write(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Wiped when it has been passed on.
fn write_secret(value: &impl Serialize) -> Zeroizing<Vec<u8>> {
    // Enough for all that comes here: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    match serde_json::to_writer(&mut *bytes, value) {
        Ok(()) => bytes,
        Err(_) => Zeroizing::default(),
    }
}

pub(super) fn enrolment(reading: &Reading) -> Zeroizing<Vec<u8>> {
    #[derive(Serialize)]
    struct Token<'a>(#[serde(serialize_with = "secret::expose")] &'a Secret);
    #[derive(Serialize)]
    struct Parsed<'a> {
        server: String,
        origin: String,
        exact_origin: String,
        host: &'a str,
        is_secure: bool,
        mapping: Option<String>,
        #[serde(serialize_with = "secret::expose")]
        token: &'a Secret,
        other_tokens: Vec<Token<'a>>,
    }
    let enrolment = reading.enrolment();
    write_secret(&Parsed {
        server: enrolment.url().to_string(),
        origin: enrolment.url().origin(),
        exact_origin: enrolment.url().exact_origin(),
        host: enrolment.url().host(),
        is_secure: enrolment.url().check_transport(false).is_ok(),
        mapping: reading.mapping().map(ToString::to_string),
        token: enrolment.token(),
        other_tokens: reading
            .others()
            .iter()
            .map(|other| Token(other.token()))
            .collect(),
    })
}

fn identity(identity: &Identity) -> Value {
    json!({
        "server": identity.server.to_string(),
        "organizer": identity.organizer,
        // What Java's numbers do not hold is no number of a device, and so was not told.
        "device_id": i64::try_from(identity.device_id).unwrap_or_default(),
        "unique_serial": identity.unique_serial,
        "name": identity.name,
        "security_profile": identity.security_profile,
        "gate": identity.gate,
        "server_version": identity.server_version,
        // What Java's numbers do not hold is no version, and so was not told.
        "server_version_numeric": identity.server_version_numeric.and_then(|number| i64::try_from(number).ok()),
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
    // Of the other states an app knows what to do.
    let advised = status.hindrance.as_ref();
    let advised = advised.filter(|_| status.state == State::AnswerLost);
    write(&json!({
        "state": name,
        "server": lost.or(status.unfinished.as_ref().map(|begun| &begun.server)).map(ToString::to_string),
        "identity": status.identity.as_ref().map(identity),
        "advice": advised.map(advice::words),
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

#[derive(Serialize)]
struct KeySets<T> {
    medium_key_sets: Vec<T>,
    as_of_ms: i64,
    /// Why the server could not be asked, if these are of the vault.
    unasked: Option<Failure>,
}

#[derive(Serialize)]
struct KeySet<'a, K> {
    public_id: i64,
    organizer: &'a str,
    active: bool,
    media_type: &'a str,
    uid_key: K,
    diversification_key: K,
    encrypted: bool,
}

/// A key, in Base64.
struct Opened<'a>(&'a [u8]);

impl Serialize for Opened<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Base64Display::new(self.0, &BASE64_STANDARD))
    }
}

pub(super) fn encrypted_keys(told: MediaKeySets<MediumKeySet>) -> Vec<u8> {
    let sets = told.sets.iter().map(|set| KeySet {
        public_id: set.public_id,
        organizer: &set.organizer,
        active: set.active,
        media_type: &set.media_type,
        uid_key: &set.uid_key,
        diversification_key: &set.diversification_key,
        encrypted: true,
    });
    write(&KeySets {
        medium_key_sets: sets.collect(),
        as_of_ms: told.as_of.as_millisecond(),
        unasked: told.unasked.map(Failure::from),
    })
}

pub(super) fn keys(told: MediaKeySets<MediaKeys>) -> Zeroizing<Vec<u8>> {
    let sets = told.sets.iter().map(|set| KeySet {
        public_id: set.public_id,
        organizer: &set.organizer,
        active: set.active,
        media_type: &set.media_type,
        uid_key: Opened(&set.uid_key),
        diversification_key: Opened(&set.diversification_key),
        encrypted: false,
    });
    write_secret(&KeySets {
        medium_key_sets: sets.collect(),
        as_of_ms: told.as_of.as_millisecond(),
        unasked: told.unasked.map(Failure::from),
    })
}

pub(super) fn head(status: u16, headers: &[(String, String)]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Head<'a> {
        status: u16,
        headers: &'a [(String, String)],
    }
    write(&Head { status, headers })
}

#[cfg(test)]
mod tests;
