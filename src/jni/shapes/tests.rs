//! Each shape against its golden files in `tests/data/bridge`, which Kotlin's `ShapesTest` holds
//! the other side to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;
use crate::agent::{AgentError, Lost, Operation, Selected, SelectedEvent, UnfinishedEnrolment};
use crate::enrolment::{Enrolment, ServerUrl};
use crate::wire::Gate;

const SERVER: &str = "https://pretix.eu/tickets";

fn folder(direction: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/bridge")
        .join(direction)
}

fn golden(direction: &str, name: &str) -> Vec<u8> {
    let path = folder(direction).join(format!("{name}.json"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn names(direction: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder(direction)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names
        .map(|name| name.trim_end_matches(".json").to_owned())
        .collect()
}

fn is_set(value: &Value) -> bool {
    !value.is_null()
}

/// What is read from `json`, written again without what was not there.
fn read_again(name: &str, json: &[u8]) -> Value {
    // Each pattern names all fields, so that a new one is added here too.
    let mut value = match name.split('_').next().unwrap() {
        "config" => {
            let Config {
                folder,
                device,
                app_name,
                app_version,
                connect_timeout_ms,
                read_timeout_ms,
                time_limit_ms,
                set_aside,
                allow_http,
                trust,
            } = read(json).unwrap();
            let Trusted {
                system,
                certificates,
                pinned,
            } = trust;
            let mut trust = json!({
                "system": system, "pinned": pinned,
                "certificates": Some(certificates).filter(|given| !given.is_empty()),
            });
            trust
                .as_object_mut()
                .unwrap()
                .retain(|_, field| is_set(field));
            let Device {
                hardware_brand,
                hardware_model,
                os_name,
                os_version,
            } = device;
            let mut device = json!({
                "hardware_brand": hardware_brand, "hardware_model": hardware_model,
                "os_name": os_name, "os_version": Some(os_version).filter(|text| !text.is_empty()),
            });
            device
                .as_object_mut()
                .unwrap()
                .retain(|_, field| is_set(field));
            json!({
                "folder": folder, "device": device, "app_name": app_name, "app_version": app_version,
                "connect_timeout_ms": connect_timeout_ms,
                "read_timeout_ms": read_timeout_ms, "time_limit_ms": time_limit_ms,
                "set_aside": set_aside, "allow_http": allow_http,
                "trust": trust,
            })
        }
        "proxy" => {
            let Proxy { host, port } = read(json).unwrap();
            json!({"host": host, "port": port})
        }
        "redeemed" => {
            let Redeemed {
                server,
                token,
                other_tokens,
            } = read(json).unwrap();
            let others: Vec<_> = other_tokens.iter().map(Secret::expose).collect();
            json!({"server": server, "token": token.expose(), "other_tokens": others})
        }
        "existing" => {
            let Existing {
                server,
                key,
                unique_serial,
                media_key,
            } = read(json).unwrap();
            let media_key = media_key.map(|HeldMediaKey { alias, public_key }| {
                json!({"alias": alias, "public_key": public_key})
            });
            json!({
                "server": server, "key": key.expose(), "unique_serial": unique_serial,
                "media_key": media_key,
            })
        }
        "current" => {
            let Current {
                event,
                subevent,
                checkin_list,
            } = read(json).unwrap();
            json!({"event": event, "subevent": subevent, "checkin_list": checkin_list})
        }
        "request" => {
            let Request {
                method,
                path,
                content_type,
                content_length,
                idempotency_key,
                headers,
                once,
                time_limit_ms,
                read_timeout_ms,
            } = read(json).unwrap();
            json!({
                "method": method, "path": path, "content_type": content_type,
                "content_length": content_length,
                "idempotency_key": idempotency_key.as_ref().map(Secret::expose),
                "headers": Some(headers).filter(|headers| !headers.is_empty()),
                "once": Some(once).filter(|once| *once), "time_limit_ms": time_limit_ms,
                "read_timeout_ms": read_timeout_ms,
            })
        }
        _ => panic!("{name}.json is read by no test"),
    };
    value
        .as_object_mut()
        .unwrap()
        .retain(|_, field| is_set(field));
    value
}

fn identity() -> Identity {
    let enrolled = "2026-11-23T19:17:43Z";
    let identity = json!({
        "server": SERVER, "organizer": "bigevents", "device_id": 9_007_199_254_740_993_u64,
        "unique_serial": "LF1LCJWO6I2M1G9K", "name": "Lane 🎫", "security_profile": "pretixscan",
        "gate": Gate { id: 4, name: "North".to_owned(), identifier: "N1".to_owned() },
        "server_version": "2026.9.0", "server_version_numeric": 20_260_090_000_000_u64, "enrolled": enrolled,
    });
    serde_json::from_value(identity).unwrap()
}

/// The identity that an older server tells.
fn bare_identity() -> Identity {
    Identity {
        security_profile: None,
        gate: None,
        server_version: None,
        server_version_numeric: None,
        ..identity()
    }
}

fn server() -> ServerUrl {
    SERVER.parse().unwrap()
}

fn status(state: State, identity: Option<Identity>) -> Status {
    Status {
        #[cfg(feature = "cli")]
        has_unfinished_move: false,
        #[cfg(feature = "cli")]
        hardware: None,
        vault: "vault.db".into(),
        state,
        since: None,
        identity,
        trust: Default::default(),
        pending: None,
        unfinished: None,
        lost: None,
        revoked_by: None,
        to_revoke: Vec::new(),
        hindrance: Some(AgentError::NotEnrolled),
    }
}

fn states() -> [(&'static str, Value); 6] {
    let written = |status: &Status| read(&state(status)).unwrap();
    let enrolling = Status {
        unfinished: Some(UnfinishedEnrolment {
            server: server(),
            trust: Default::default(),
        }),
        ..status(State::Enrolling, None)
    };
    let lost = Status {
        lost: Some(Lost {
            operation: Operation::Roll,
            server: server(),
        }),
        ..status(State::AnswerLost, Some(identity()))
    };
    [
        (
            "state_not_enrolled",
            written(&status(State::NotEnrolled, None)),
        ),
        ("state_enrolling", written(&enrolling)),
        (
            "state_enrolled",
            written(&status(State::Enrolled, Some(identity()))),
        ),
        (
            "state_rejected",
            written(&status(State::Rejected, Some(bare_identity()))),
        ),
        (
            "state_revoked",
            written(&status(State::Revoked, Some(identity()))),
        ),
        (
            "state_answer_lost",
            with(written(&lost), "advice", "what to do"),
        ),
    ]
}

/// The same with other words, since those that are for people are no part of a shape.
fn with(mut written: Value, field: &str, words: &str) -> Value {
    assert!(written[field].is_string(), "{field} is no text: {written}");
    written[field] = words.into();
    written
}

fn events() -> Vec<(&'static str, Value)> {
    let changed = Event::IdentityChanged {
        before: Box::new(bare_identity()),
        after: Box::new(identity()),
    };
    let mut events = Vec::new();
    for (happened, names) in [
        (
            Event::StateChanged(State::Enrolled),
            vec!["event_state_changed"],
        ),
        (changed, vec!["event_identity_changed"]),
        (
            Event::Done(Operation::Initialize),
            vec!["event_initialize_finished"],
        ),
        (
            Event::Done(Operation::Update),
            vec!["event_report_acknowledged", "event_update_finished"],
        ),
        (
            Event::Done(Operation::Roll),
            vec!["event_key_rolled", "event_roll_finished"],
        ),
        (
            Event::Done(Operation::Revoke),
            vec!["event_revoke_finished"],
        ),
    ] {
        let written = event(&happened);
        assert_eq!(written.len(), names.len(), "{written:?}");
        events.extend(names.into_iter().zip(written));
    }
    events
}

fn suggestions() -> [(&'static str, Value); 4] {
    let switch = |name, subevent, checkin_list| {
        let slug = "museum".to_owned();
        Suggestion::Switch(Selected {
            event: SelectedEvent { slug, name },
            subevent,
            checkin_list,
        })
    };
    let name = json!({"en": "Museum night"});
    [
        ("suggestion_keep", Suggestion::Keep),
        ("suggestion_nothing", Suggestion::Nothing),
        ("suggestion_switch", switch(name, Some(3), Some(7))),
        ("suggestion_switch_bare", switch(Value::Null, None, None)),
    ]
    .map(|(name, suggested)| (name, read(&suggestion(&suggested)).unwrap()))
}

fn enrolments() -> [(&'static str, Value); 2] {
    let url = "http://pretix.münchen.example:8080/tickets"
        .parse()
        .unwrap();
    let token = Secret::new("kpp4jn8g2ynzonp6".to_owned());
    let plain = Enrolment::new(url, token).ok().unwrap().into();
    // Typed through another keyboard layout, which leaves open whether the token is y or z.
    let typed = "7@handshake?version@> 1, @url@> @https>&&pretix.eu@, @token@> @y@0";
    let mapped = Reading::of(typed, None).ok().unwrap();
    let words = "the scanner and this system are set to different keyboard layouts";
    [
        ("enrolment", read(&enrolment(&plain)).unwrap()),
        (
            "enrolment_mapped",
            with(read(&enrolment(&mapped)).unwrap(), "mapping", words),
        ),
    ]
}

fn key_sets() -> [(&'static str, Value); 2] {
    let opened = MediaKeys {
        public_id: 7,
        organizer: "bigevents".to_owned(),
        active: true,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: Zeroizing::new(vec![255; 4]),
        diversification_key: Zeroizing::new(vec![3]),
    };
    let encrypted = MediumKeySet {
        public_id: 7,
        organizer: "bigevents".to_owned(),
        active: false,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: "AQI=".to_owned(),
        diversification_key: "Aw==".to_owned(),
    };
    let as_of = identity().enrolled;
    let opened = MediaKeySets {
        identity: identity(),
        sets: vec![opened],
        as_of,
        unasked: None,
    };
    let encrypted = MediaKeySets {
        identity: identity(),
        sets: vec![encrypted],
        as_of,
        unasked: Some(AgentError::Unsound {
            operation: Operation::Update,
            server: SERVER.to_owned(),
        }),
    };
    let mut told: Value = read(&encrypted_keys(encrypted)).unwrap();
    let unasked = with(told["unasked"].take(), "message", "what failed");
    told["unasked"] = unasked;
    [
        ("key_sets", read(&keys(opened)).unwrap()),
        ("key_sets_encrypted", told),
    ]
}

fn heads() -> [(&'static str, Value); 1] {
    let fields = [("etag", "a"), ("link", "1"), ("link", "2")];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    [("head", read(&head(304, &fields)).unwrap())]
}

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("inner")]
struct Inner;

fn failures() -> [(&'static str, Value); 2] {
    let words = "the vault's key is not of 32 bytes";
    let failure = Failure::new("argument_invalid", words).caused_by(&Outer(Inner));
    let server = SERVER.to_owned();
    let answered = Failure::from(AgentError::OtherDevice { server });
    [
        ("failure", read(&failure.json()).unwrap()),
        (
            "failure_answered",
            with(read(&answered.json()).unwrap(), "message", "what failed"),
        ),
    ]
}

#[test]
fn what_kotlin_writes_is_read_to_the_last_field() {
    let names = names("to_native");
    assert!(!names.is_empty());
    for name in names {
        let json = golden("to_native", &name);
        let whole: Value = read(&json).unwrap();
        assert_eq!(read_again(&name, &json), whole, "{name}.json");
    }
}

#[test]
fn what_is_written_for_kotlin_is_what_it_reads() {
    let written: Vec<_> = enrolments()
        .into_iter()
        .chain(states())
        .chain(events())
        .chain(suggestions())
        .chain(key_sets())
        .chain(heads())
        .chain(failures())
        .collect();
    for (name, value) in &written {
        let expected: Value = read(&golden("to_kotlin", name)).unwrap();
        assert_eq!(*value, expected, "{name}.json");
    }
    let checked: BTreeSet<_> = written.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(checked, names("to_kotlin"));
}
