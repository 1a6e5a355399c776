mod faults;
mod properties;

use std::io::Cursor;

use serde_json::{Value, json};

use super::*;
use crate::secret::Secret;
use crate::server::installation_keys::key_hash;
use crate::server::model::{Name, Permissions};

const RECORDED: &[u8] = include_bytes!("../../../../tests/data/organizers.json");

fn token(letter: &str) -> String {
    letter.repeat(64)
}

fn parse(content: &[u8]) -> Result<OrganizersFile, OrganizersFileError> {
    OrganizersFile::read(Cursor::new(content.to_vec()))
}

/// The devices of all organizers, each with its place.
fn devices(file: &OrganizersFile) -> Vec<(Place, DeviceEntry)> {
    let mut devices = Vec::new();
    let taken = file.devices(|place, device| {
        devices.push((place, device));
        Ok::<(), OrganizersFileError>(())
    });
    taken.unwrap();
    devices
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
    match parse(content.as_bytes()) {
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
    let Ok(file) = parse(good().to_string().as_bytes()) else {
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
    assert!(team.active && organizer.active.is_none());
    let hash = |letter| key_hash(&Secret::new(token(letter)));
    assert_eq!(team.tokens[0].hash, hash("a"));

    let devices = devices(&file);
    let [(place, device)] = devices.as_slice() else {
        panic!("a device");
    };
    assert_eq!((place.organizer, place.device), (0, 0));
    assert_eq!((device.all_events, device.revoked), (false, false));
    assert_eq!(device.limit_events, ["fair"]);
    assert_eq!(device.gate.as_deref(), Some("N1"));
    assert_eq!(device.security_profile, "pretixscan");
    assert_eq!(device.api_key_hash, Some(hash("b")));
    assert_eq!(device.report.hardware_model.as_deref(), Some("TC25"));
    assert_eq!(device.report.os_version, None);
    assert_eq!(device.report.software_version, None);

    assert!(second.gates.is_empty() && second.events.is_empty());
    assert!(second.teams.is_empty());
}

#[test]
fn the_file_of_the_recorded_answers_is_read() {
    let Ok(file) = parse(RECORDED) else {
        panic!("{:?}", faults(std::str::from_utf8(RECORDED).unwrap()));
    };
    let of = |slug: &str| {
        file.organizers
            .iter()
            .find(|o| o.slug.as_str() == slug)
            .unwrap()
    };
    let devices = devices(&file);
    let of_pages = devices.iter().filter(|(place, _)| {
        let organizer = &file.organizers[place.organizer];
        organizer.slug.as_str() == "pages"
    });
    assert_eq!(of_pages.count(), 120);
    assert_eq!(of("bigevents").teams[0].permissions, Permissions::All);
    assert!(!of("bigevents").teams[4].tokens[0].active);
    assert_eq!(of("sel-subs").events[0].subevents.len(), 3);
    assert_eq!(of("sel-gate").events[0].checkin_lists[1].gates, ["G1"]);
    assert!(devices.iter().any(|(_, device)| device.revoked));
    assert!(
        devices
            .iter()
            .all(|(_, device)| device.api_key_hash.is_some())
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
        let error = parse(content.as_bytes()).err().unwrap();
        assert_eq!(error.to_string(), "the organizers file is not JSON");
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(cause.to_string(), expected);
    }
    assert!(parse(b"{\"\xff\": 1}").is_err());
}

#[test]
fn what_is_too_large_besides_devices_or_as_one_is_not_read() {
    let content = vec![b' '; SIZE_LIMIT + 1];
    let error = parse(&content).err().unwrap();
    assert!(matches!(error, OrganizersFileError::TooLarge));
    assert_eq!(
        error.to_string(),
        "the organizers file holds more than 16 MiB besides devices; split it"
    );
    let mut file = good();
    file["organizers"][0]["devices"][0]["name"] = json!("x".repeat(DEVICE_LIMIT));
    let error = parse(file.to_string().as_bytes()).err().unwrap();
    assert!(
        matches!(error, OrganizersFileError::LargeDevice { line: 1, .. }),
        "{error}"
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
fn a_mark_before_utf_8_is_passed_over_and_utf_16_is_named() {
    let text = good().to_string();
    let marked = format!("\u{feff}{text}");
    let file = parse(marked.as_bytes()).ok().unwrap();
    assert_eq!(
        devices(&file).len(),
        devices(&parse(text.as_bytes()).ok().unwrap()).len()
    );
    assert!(parse(&marked.as_bytes()[..2]).is_err());
    for content in [marked, text] {
        for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
            let content: Vec<u8> = content.encode_utf16().flat_map(bytes).collect();
            let error = parse(&content).err().unwrap();
            assert!(matches!(error, OrganizersFileError::Utf16), "{error}");
        }
    }
}

#[test]
fn times_are_taken_as_on_the_command_line_on_the_clocks_of_the_event() {
    let schedule = |from: &str, to: Value| {
        let mut file = good();
        let event = &mut file["organizers"][0]["events"][0];
        event["date_from"] = json!(from);
        event["date_to"] = to.clone();
        event["subevents"][0]["date_from"] = json!(from);
        event["subevents"][0]["date_to"] = to;
        let file = parse(file.to_string().as_bytes()).ok().unwrap();
        let event = &file.organizers[0].events[0];
        let times = |schedule: &crate::server::model::Schedule| {
            let end = schedule.date_to.map(|end| end.to_string());
            (schedule.date_from.to_string(), end.unwrap_or_default())
        };
        let told = times(&event.schedule);
        assert_eq!(times(&event.subevents[0].schedule), told);
        told
    };
    let is = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let day = is("2027-05-07T22:00:00Z", "2027-05-08T21:59:59Z");
    assert_eq!(schedule("2027-05-08", Value::Null), day);
    let two_days = is("2027-05-07T22:00:00Z", "2027-05-09T21:59:59Z");
    assert_eq!(schedule("2027-05-08", json!("2027-05-09")), two_days);
    let evening = is("2027-05-08T16:00:00Z", "2027-05-09T00:00:00Z");
    assert_eq!(
        schedule("2027-05-08T18:00", json!("2027-05-09T02:00:00+02:00")),
        evening
    );
    let open = is("2027-05-08T16:00:00Z", "");
    assert_eq!(schedule("2027-05-08T18:00", Value::Null), open);
}

#[test]
fn languages_without_a_translation_are_left_out() {
    let mut file = good();
    file["organizers"][0]["events"][0]["name"] = json!({"de": "Messe", "en": ""});
    let file = parse(file.to_string().as_bytes()).ok().unwrap();
    let expected = Name::ByLanguage(vec![("de".into(), "Messe".into())]);
    assert_eq!(file.organizers[0].events[0].name, expected);
}

#[test]
fn of_devices_there_may_be_any_number_wherever_they_stand_and_each_is_checked() {
    let count = SIZE_LIMIT / 1000;
    let device = |number: usize, gate: &str| {
        let reported = [
            "hardware_brand",
            "hardware_model",
            "os_name",
            "os_version",
            "software_brand",
        ];
        let reported = reported.map(|key| format!(", \"{key}\": \"{}\"", "x".repeat(190)));
        format!(
            "{{\"name\": \"Lane {number}\", \"security_profile\": \"full\", \"gate\": \"{gate}\", \
             \"initialized\": true, \"api_token\": \"{number:0>64}\"{}}}",
            reported.concat()
        )
    };
    let file = |devices: Vec<String>| {
        format!(
            "{{\"organizers\": [{{\"devices\": [{}], \"slug\": \"o\", \"name\": \"O\",
              \"gates\": [{{\"identifier\": \"N\", \"name\": \"North\"}}]}}]}}",
            devices.join(",\n")
        )
    };
    let mut many: Vec<String> = (0..count).map(|number| device(number, "N")).collect();
    many.extend([device(count, ""), device(7, "N"), "5".to_owned()]);
    let many = file(many);
    assert!(many.len() > SIZE_LIMIT);
    let place = |more: usize| format!("organizers[0].devices[{}]", count + more);
    let expected = [
        format!(
            "{}.gate (\"Lane {count}\"): found \"\", expected 1 to 190 characters, \
             not only blanks, without NUL",
            place(0)
        ),
        format!(
            "{}.api_token (\"Lane 7\"): found a text of 64 characters, \
             expected another than at organizers[0].devices[7].api_token",
            place(1)
        ),
        format!("{}: found a number, expected an object", place(2)),
    ];
    assert_eq!(faults(&many), expected);

    let good = parse(file((0..3).map(|number| device(number, "N")).collect()).as_bytes());
    let names = devices(&good.ok().unwrap());
    let names: Vec<_> = names
        .iter()
        .map(|(at, device)| (at.device, &*device.name))
        .collect();
    assert_eq!(names, [(0, "Lane 0"), (1, "Lane 1"), (2, "Lane 2")]);
    let cut = file(vec![device(0, "N"), "{\"name\" 5".to_owned()]);
    let Err(OrganizersFileError::Syntax(error)) = parse(cut.as_bytes()) else {
        panic!("no JSON");
    };
    assert_eq!((error.line(), error.column()), (2, 9));
}

#[test]
fn a_file_that_was_changed_since_it_was_looked_at_is_refused() {
    let mut folder = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut folder, good().to_string().as_bytes()).unwrap();
    let file = OrganizersFile::read(folder.try_clone().unwrap())
        .ok()
        .unwrap();
    let changed = good().to_string().replace("\"Lane\"", "9     ");
    let written = std::os::unix::fs::FileExt::write_all_at(&folder, changed.as_bytes(), 0);
    written.unwrap();
    let taken = file.devices(|_, _| Ok::<(), OrganizersFileError>(()));
    assert!(matches!(taken, Err(OrganizersFileError::Faults { .. })));
}

#[test]
fn a_hash_stands_for_its_key_and_only_one_of_both_is_given() {
    let hash = base16ct::lower::encode_string(&key_hash(&Secret::new(token("c"))));
    let mut file = good();
    let device = &mut file["organizers"][0]["devices"][0];
    device["api_token"] = json!(null);
    device["api_token_sha256"] = json!(hash);
    device["unique_serial"] = json!("ABCDEFGH12345678");
    let read = parse(file.to_string().as_bytes()).ok().unwrap();
    let read = &devices(&read)[0].1;
    assert_eq!(read.api_key_hash, Some(key_hash(&Secret::new(token("c")))));
    assert_eq!(read.unique_serial.as_deref(), Some("ABCDEFGH12345678"));
    let place =
        "organizers[0].devices[0].api_token (\"Lane\"): found a text of 64 characters, expected";
    for (key, fault) in [
        (
            token("c"),
            format!("{place} null, since there is api_token_sha256"),
        ),
        (
            token("d"),
            format!("{place} null, since there is api_token_sha256"),
        ),
    ] {
        file["organizers"][0]["devices"][0]["api_token"] = json!(key);
        assert_eq!(faults(&file.to_string()), [fault]);
    }
    let device = &mut file["organizers"][0]["devices"][0];
    device["api_token"] = json!(null);
    device["api_token_sha256"] = json!("AB".repeat(32));
    assert_eq!(
        faults(&file.to_string()),
        [
            "organizers[0].devices[0].api_token_sha256 (\"Lane\"): found a text of 64 characters, \
          expected 64 of 0-9a-f"
        ]
    );
    let mut file = good();
    file["organizers"][0]["teams"][0]["tokens"][0] = json!({"name": "t", "token_sha256": hash});
    file["organizers"][0]["devices"][0]["api_token"] = json!(token("c"));
    assert_eq!(
        faults(&file.to_string()),
        [format!(
            "{place} another than at organizers[0].teams[0].tokens[0].token_sha256"
        )]
    );
}
