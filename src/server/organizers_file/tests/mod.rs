mod faults;
mod properties;

use serde_json::{Value, json};

use super::*;
use crate::server::model::{Name, Permissions};

const RECORDED: &[u8] = include_bytes!("../../../../tests/data/organizers.json");

fn token(letter: &str) -> String {
    letter.repeat(64)
}

/// A file with one of everything.
fn good() -> Value {
    json!({"organizers": [
        {
            "slug": "o", "name": "Organizer",
            "gates": [{"name": "North", "identifier": "N1"}],
            "events": [{
                "slug": "fair", "name": {"de": "Messe", "en": "Fair"}, "live": true,
                "timezone": "Europe/Berlin", "date_from": "2026-06-15T12:00:00Z",
                "date_to": "2026-06-15T18:00:00+02:00", "date_admission": null, "has_subevents": true,
                "subevents": [{
                    "id": 7, "name": "Day one", "active": true, "date_from": "2026-06-15T12:00:00Z",
                    "date_to": null, "date_admission": "2026-06-15T11:00:00Z",
                }],
                "checkin_lists": [{"id": 3, "name": "Main", "subevent": 7, "gates": ["N1"]}],
            }],
            "teams": [{
                "name": "Admins",
                "organizer_permissions": ["organizer.devices:read", "event.orders:write"],
                "tokens": [{"name": "script", "token": token("a"), "active": true}],
            }],
            "devices": [{
                "name": "Lane", "all_events": false, "limit_events": ["fair"], "gate": "N1",
                "security_profile": "pretixscan", "initialized": true, "revoked": false,
                "api_token": token("b"), "hardware_brand": "Zebra", "hardware_model": "TC25",
                "os_name": "Android", "os_version": null, "software_brand": "pretixSCAN",
            }],
        },
        {"slug": "second", "name": "Second"},
    ]})
}

fn faults(content: &str) -> Vec<String> {
    match OrganizersFile::parse(content.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(OrganizersFileError::Faults { faults, more: 0 }) => {
            faults.iter().map(Fault::to_string).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

/// The faults of the good file with `value` at `pointer`.
fn faults_with(pointer: &str, value: Value) -> Vec<String> {
    let mut file = good();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Object(object) => {
            object.insert(key.into(), value);
        }
        parent => parent[key.parse::<usize>().unwrap()] = value,
    }
    faults(&file.to_string())
}

#[test]
fn a_file_with_one_of_everything_is_read() {
    let Ok(file) = OrganizersFile::parse(good().to_string().as_bytes()) else {
        panic!("{:?}", faults(&good().to_string()));
    };
    let [organizer, second] = file.organizers.as_slice() else {
        panic!("two organizers");
    };
    assert_eq!(
        (organizer.slug.as_str(), organizer.name.as_str()),
        ("o", "Organizer")
    );
    assert_eq!(organizer.gates[0].identifier, "N1");

    let event = &organizer.events[0];
    assert_eq!((event.slug.as_str(), event.name.text()), ("fair", "Fair"));
    assert!(event.live && event.has_subevents);
    assert_eq!(event.timezone, "Europe/Berlin");
    let time = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    assert_eq!(event.schedule.date_from, time("2026-06-15T12:00:00Z"));
    assert_eq!(event.schedule.date_to, Some(time("2026-06-15T16:00:00Z")));
    let date = &event.subevents[0];
    assert_eq!(
        (date.id, date.name.text(), date.active),
        (Some(7), "Day one", true)
    );
    assert_eq!(
        date.schedule.date_admission,
        Some(time("2026-06-15T11:00:00Z"))
    );
    let list = &event.checkin_lists[0];
    assert_eq!(
        (list.id, list.name.as_str(), list.subevent),
        (Some(3), "Main", Some(7))
    );
    assert_eq!(list.gates, ["N1"]);

    let team = &organizer.teams[0];
    let listed = ["organizer.devices:read", "event.orders:write"].map(String::from);
    assert_eq!(team.permissions, Permissions::Listed(listed.to_vec()));
    assert_eq!(team.tokens[0].token.expose(), token("a"));

    let device = &organizer.devices[0];
    assert_eq!((device.all_events, device.revoked), (false, false));
    assert_eq!(device.limit_events, ["fair"]);
    assert_eq!(device.gate.as_deref(), Some("N1"));
    assert_eq!(device.security_profile, "pretixscan");
    assert_eq!(device.api_token.as_ref().unwrap().expose(), token("b"));
    assert_eq!(device.report.hardware_model.as_deref(), Some("TC25"));
    assert_eq!(device.report.os_version, None);
    assert_eq!(device.report.software_version, None);

    assert!(second.gates.is_empty() && second.events.is_empty());
    assert!(second.teams.is_empty() && second.devices.is_empty());
}

#[test]
fn the_file_of_the_recorded_answers_is_read() {
    let Ok(file) = OrganizersFile::parse(RECORDED) else {
        panic!("{:?}", faults(std::str::from_utf8(RECORDED).unwrap()));
    };
    let of = |slug: &str| {
        file.organizers
            .iter()
            .find(|o| o.slug.as_str() == slug)
            .unwrap()
    };
    assert_eq!(of("pages").devices.len(), 120);
    assert_eq!(of("bigevents").teams[0].permissions, Permissions::All);
    assert!(!of("bigevents").teams[4].tokens[0].active);
    assert_eq!(of("sel-subs").events[0].subevents.len(), 3);
    assert_eq!(of("sel-gate").events[0].checkin_lists[1].gates, ["G1"]);
    assert!(of("profiles").devices[4].revoked);
    assert!(
        file.organizers
            .iter()
            .all(|o| o.devices.iter().all(|d| d.api_token.is_some()))
    );
}

#[test]
fn what_is_no_json_is_told_with_line_and_column() {
    let deep = "[".repeat(100_000);
    for (content, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        (
            "{\n  \"organizers\": [,]}",
            "expected value at line 2 column 18",
        ),
        ("{} {}", "trailing characters at line 1 column 4"),
        (
            deep.as_str(),
            "recursion limit exceeded at line 1 column 128",
        ),
    ] {
        let error = OrganizersFile::parse(content.as_bytes()).err().unwrap();
        assert_eq!(error.to_string(), "the organizers file is not JSON");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), expected);
    }
    assert!(OrganizersFile::parse(b"{\"\xff\": 1}").is_err());
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let content = vec![b' '; SIZE_LIMIT + 1];
    let error = OrganizersFile::parse(&content).err().unwrap();
    assert!(matches!(error, OrganizersFileError::TooLarge));
    assert_eq!(
        error.to_string(),
        "the organizers file is larger than 16 MiB; split it"
    );
}

#[test]
fn the_text_of_a_name_is_the_english_one_or_else_the_first() {
    let text = |names: &[(&str, &str)]| {
        let names = names
            .iter()
            .map(|(language, name)| (language.to_string(), name.to_string()));
        Name::ByLanguage(names.collect()).text().to_owned()
    };
    assert_eq!(text(&[("de", "Messe"), ("en", "Fair")]), "Fair");
    assert_eq!(text(&[("de", "Messe"), ("en-gb", "Fayre")]), "Fayre");
    assert_eq!(text(&[("fr", "Foire"), ("de", "Messe")]), "Foire");
    assert_eq!(Name::Plain("Fair".into()).text(), "Fair");
}

#[test]
fn languages_without_a_translation_are_left_out() {
    let mut file = good();
    file["organizers"][0]["events"][0]["name"] = json!({"de": "Messe", "en": ""});
    let file = OrganizersFile::parse(file.to_string().as_bytes())
        .ok()
        .unwrap();
    let expected = Name::ByLanguage(vec![("de".into(), "Messe".into())]);
    assert_eq!(file.organizers[0].events[0].name, expected);
}
