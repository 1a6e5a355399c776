//! What is told of a file that is JSON but not as expected.

use super::*;

const TEXT: &str = "1 to 190 characters, not only blanks, without NUL";
const TIME: &str =
    "a day as 2027-05-08, or a time as 2027-05-08T18:00 or 2027-05-08T18:00:00+02:00";

/// Path, the value put there, and of the fault what was found and what expected.
const CASES: &str = r#"
organizers[0].slug | "big events" | "big events" | 1 to 190 letters, digits and ._-
organizers[0].slug | ".." | ".." | 1 to 190 letters, digits and ._-
organizers[0].slug | "" | "" | 1 to 190 letters, digits and ._-
organizers[0].name | 5 | 5 | TEXT
organizers[0].name | " \t" | " \t" | TEXT
organizers[0].name | "a\u001b[1m\u0000" | "a\u{1b}[1m\0" | TEXT
organizers[0].name | null | null | TEXT
organizers[0].teams | "N1" | a text of 2 characters | a list
organizers[0].events[0].live | "yes" | "yes" | true or false
organizers[0].events[0].timezone | "Mars/Olympus" | "Mars/Olympus" | an IANA time zone, as Europe/Berlin
organizers[0].events[0].timezone | "../UTC" | "../UTC" | an IANA time zone, as Europe/Berlin
organizers[0].events[0].date_from | "tomorrow" | "tomorrow" | TIME
organizers[0].events[0].date_from | "2026-06-15T" | "2026-06-15T" | TIME
organizers[0].events[0].date_from | 1780000000 | 1780000000 | TIME
organizers[0].events[0].date_to | "2026-06-15T11:00:00Z" | "2026-06-15T11:00:00Z" | a time not before date_from
organizers[0].events[0].date_admission | "2026-06-31T11:00:00Z" | "2026-06-31T11:00:00Z" | TIME
organizers[0].events[0].has_subevents | false | false | true, since there are subevents
organizers[0].events[0].name | {"en": ""} | an object | a name in at least one language
organizers[0].events[0].name.de | 5 | 5 | TEXT
organizers[0].events[0].subevents[0].active | null | null | true or false
organizers[0].events[0].checkin_lists | {} | an object | a list
organizers[0].events[0].checkin_lists[0].id | 0 | 0 | a whole number above 0
organizers[0].events[0].checkin_lists[0].id | 1.5 | 1.5 | a whole number above 0
organizers[0].events[0].checkin_lists[0].id | 18446744073709551615 | 18446744073709551615 | a whole number above 0
organizers[0].events[0].checkin_lists[0].subevent | 8 | 8 | the id of a subevent of this event
organizers[0].teams[0].organizer_permissions | "some" | "some" | "all" or a list of permissions
organizers[0].teams[0].organizer_permissions[1] | "devices" | "devices" | a permission, as organizer.devices:read
organizers[0].teams[0].organizer_permissions[1] | "a.b:" | "a.b:" | a permission, as organizer.devices:read
organizers[0].teams[0].tokens[0].token | "hunter2" | a text of 7 characters | 64 of a-z0-9
organizers[0].teams[0].tokens[0].token | 7 | a number | 64 of a-z0-9
organizers[0].teams[0].tokens[0].secret | "x" | an unknown key | one of name, token_sha256, token, active
organizers[0].teams[0].organizer_permissions[1] | "all" | "all" | "all" without brackets, in place of the list
organizers[0].devices[0].gate | "" | "" | TEXT
organizers[0].devices[0].limit_events[0] | "a b" | "a b" | 1 to 190 letters, digits and ._-
organizers[0].devices[0].security_profile | "root" | "root" | one of full, pretixscan, pretixscan_online_noorders, pretixscan_online_kiosk
organizers[0].devices[0].initialized | 1 | 1 | true or false
organizers[0].devices[0].api_token | null | null | 64 of a-z0-9
organizers[0].devices[0].unique_serial | "abc" | "abc" | 16 of A-Z0-9
organizers[0].active | "no" | "no" | true or false
organizers[0].gates[0].active | 1 | 1 | true or false
organizers[0].teams[0].active | null | null | true or false
organizers[0].devices[0].os_name | [] | a list | TEXT
organizers[0].events[0].date_form | "x" | an unknown key | perhaps date_from
organizers[0].teams[0].tokens[0].x | 1 | an unknown key | one of name, token_sha256, token, active
organizers[0].devices[0].os_nam | "x" | an unknown key | perhaps os_name
organizers[0].devices[0].device_id | 4 | an unknown key | one of name, unique_serial, all_events, limit_events, gate, security_profile, initialized, revoked, api_token_sha256, api_token, hardware_brand, hardware_model, os_name, os_version, software_brand, software_version
"#;

/// What a fault tells of the device it is in.
fn of_device(path: &str) -> &'static str {
    match path.contains(".devices[0].") {
        true => " (\"Lane\")",
        false => "",
    }
}

#[test]
fn what_is_wrong_is_told_with_path_value_and_what_was_expected() {
    for case in CASES.trim().lines() {
        let [path, value, found, expected] = case.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{case}");
        };
        let pointer = format!("/{}", path.replace(['[', '.'], "/").replace(']', ""));
        let value = serde_json::from_str(value).unwrap();
        let expected = expected.replace("TEXT", TEXT).replace("TIME", TIME);
        assert_eq!(
            faults_with(&pointer, value),
            [format!(
                "{path}{}: found {found}, expected {expected}",
                of_device(path)
            )]
        );
    }
}

#[test]
fn what_contradicts_another_place_is_told_with_that_place() {
    for (pointer, value, expected) in [
        (
            "/organizers/0/slug",
            json!("second"),
            "organizers[1].slug: found \"second\", expected another than at organizers[0].slug",
        ),
        (
            "/organizers/0/devices/0/initialized",
            json!(false),
            "organizers[0].devices[0].api_token (\"Lane\"): found a text of 64 characters, \
             expected null, since the device is not initialized",
        ),
        (
            "/organizers/0/devices/0/api_token",
            json!(token("a")),
            "organizers[0].devices[0].api_token (\"Lane\"): found a text of 64 characters, \
             expected another than at organizers[0].teams[0].tokens[0].token",
        ),
        (
            "/organizers/0/gates",
            json!([{"name": "A", "identifier": "N1"}, {"name": "B", "identifier": "N1"}]),
            "organizers[0].gates[1].identifier: found \"N1\", \
             expected another than at organizers[0].gates[0].identifier",
        ),
        (
            "/organizers/0/devices/0/limit_events",
            json!(["fair", "fair"]),
            "organizers[0].devices[0].limit_events[1] (\"Lane\"): found \"fair\", \
             expected another than at organizers[0].devices[0].limit_events[0]",
        ),
    ] {
        assert_eq!(faults_with(pointer, value), [expected]);
    }
}

#[test]
fn ids_are_unique_in_the_whole_file_but_references_stay_in_their_event() {
    let mut file = good();
    let mut other = file["organizers"][0]["events"][0].clone();
    other["slug"] = json!("other");
    other["checkin_lists"][0]["gates"] = json!([]);
    file["organizers"][1]["events"] = json!([other]);
    assert_eq!(
        faults(&file.to_string()),
        [
            "organizers[1].events[0].checkin_lists[0].id: found 3, \
             expected another than at organizers[0].events[0].checkin_lists[0].id",
            "organizers[1].events[0].subevents[0].id: found 7, \
             expected another than at organizers[0].events[0].subevents[0].id",
        ]
    );
    let event = &mut file["organizers"][1]["events"][0];
    event["subevents"][0]["id"] = json!(8);
    event["checkin_lists"][0]["id"] = json!(4);
    assert_eq!(
        faults(&file.to_string()),
        [
            "organizers[1].events[0].checkin_lists[0].subevent: found 7, \
          expected the id of a subevent of this event"
        ]
    );
}

#[test]
fn all_faults_are_told_in_the_order_of_the_file() {
    let file = r#"{"organizers": [
        {"devices": [{"security_profile": "x", "name": 1}], "slug": "a b", "events": [{}], "nam": 2},
        [], {"slug": "c", "name": "C", "slug": "d", "": 1, "a\u0000b": 2}
    ], "version": 1}"#;
    assert_eq!(
        faults(file),
        [
            "organizers[0].name: found nothing, expected 1 to 190 characters, \
             not only blanks, without NUL",
            "organizers[0].devices[0].security_profile: found \"x\", expected one of full, \
             pretixscan, pretixscan_online_noorders, pretixscan_online_kiosk",
            "organizers[0].devices[0].name: found 1, expected 1 to 190 characters, \
             not only blanks, without NUL",
            "organizers[0].slug: found \"a b\", expected 1 to 190 letters, digits and ._-",
            "organizers[0].events[0].slug: found nothing, \
             expected 1 to 190 letters, digits and ._-",
            "organizers[0].events[0].name: found nothing, expected 1 to 190 characters, \
             not only blanks, without NUL",
            "organizers[0].events[0].live: found nothing, expected true or false",
            "organizers[0].events[0].timezone: found nothing, \
             expected an IANA time zone, as Europe/Berlin",
            "organizers[0].events[0].date_from: found nothing, \
             expected a day as 2027-05-08, or a time as 2027-05-08T18:00 or \
             2027-05-08T18:00:00+02:00",
            "organizers[0].nam: found an unknown key, expected perhaps name",
            "organizers[1]: found a list, expected an object",
            "organizers[2].slug: found the key once more, expected it once",
            "organizers[2].\"\": found an unknown key, \
             expected one of slug, name, active, gates, events, teams, devices",
            "organizers[2].\"a\\0b\": found an unknown key, \
             expected one of slug, name, active, gates, events, teams, devices",
            "version: found an unknown key, expected one of organizers",
        ]
    );
}

#[test]
fn of_many_faults_the_first_are_told_and_the_others_counted() {
    let file = json!({"organizers": (0..50).collect::<Vec<_>>()}).to_string();
    let Err(OrganizersFileError::Faults { faults, more }) = parse(file.as_bytes()) else {
        panic!("expected faults");
    };
    assert_eq!((faults.len(), more), (FAULT_LIMIT, 30));
    assert_eq!(faults[19].path, "organizers[19]");
    let error = OrganizersFileError::Faults { faults, more }.to_string();
    assert!(error.starts_with("the organizers file is not as expected:\n  organizers[0]: found"));
    assert!(error.ends_with("\n  and 30 more"));
}

#[test]
fn a_file_that_is_no_object_is_told_so() {
    assert_eq!(faults("[]"), ["the file: found a list, expected an object"]);
    assert_eq!(faults("{}"), ["organizers: found nothing, expected a list"]);
    assert_eq!(faults(r#"{"organizers": []}"#), [""; 0]);
}

#[test]
fn long_values_are_shortened_on_a_character_boundary() {
    let faults = faults_with("/organizers/0/name", json!("ü".repeat(1000)));
    let shown = format!(
        "organizers[0].name: found \"{}…\", expected",
        "ü".repeat(40)
    );
    assert!(faults[0].starts_with(&shown), "{}", faults[0]);
    let long_key = format!("/organizers/0/{}", "k".repeat(1000));
    assert!(faults_with(&long_key, json!(1))[0].len() < 200);
}

#[test]
fn no_fault_shows_a_token_or_key() {
    let secret = "s3cr3t".repeat(5);
    for (pointer, value) in [
        ("/organizers/0/teams/0/tokens/0/token", json!(secret)),
        ("/organizers/0/teams/0/tokens/0", json!(secret)),
        ("/organizers/0/teams/0/tokens", json!(secret)),
        ("/organizers/0/teams/0/token", json!(secret)),
        ("/organizers/0/devices/0/api_token", json!(secret)),
        ("/organizers/0/devices/0/api_tokens", json!(secret)),
        ("/organizers/0/devices", json!(secret)),
    ] {
        let faults = faults_with(pointer, value);
        assert!(!faults.is_empty(), "{pointer}");
        assert!(
            faults.iter().all(|fault| !fault.contains("s3cr3t")),
            "{faults:?}"
        );
    }
}
