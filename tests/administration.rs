//! Setting a server up by hand, with the real command on a real database.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::fs;

use common::scanner::{Ended, Scanner};
use serde_json::{Value, json};

/// A desk with a database of its own.
struct Desk(Scanner);

impl Desk {
    fn new() -> Self {
        Self(Scanner::new())
    }

    /// With the organizer `bigevents` and its team `admins`.
    fn set_up() -> Self {
        let desk = Self::new();
        desk.admin("organizer create bigevents --name Big")
            .succeeds();
        desk.admin("team create bigevents admins --permission all")
            .succeeds();
        desk
    }

    /// Runs `gatehand admin` with arguments that hold no blanks.
    fn admin(&self, arguments: &str) -> Ended {
        let database = self.0.scratch().join("server.db");
        let mut command = vec!["admin", "--database", database.to_str().unwrap()];
        command.extend(arguments.split(' '));
        self.0.run(&command)
    }

    fn json(&self, arguments: &str) -> Value {
        let ended = self.admin(&format!("{arguments} --json"));
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }
}

#[test]
fn what_is_created_is_listed() {
    let desk = Desk::set_up();
    desk.admin("gate create bigevents NORTH --name North")
        .succeeds();
    desk.admin("event create bigevents museum --name Museum --from 2027-05-08T18:00:00+02:00 --timezone Europe/Berlin").succeeds();
    desk.admin("device create bigevents --name Lane --event museum --gate NORTH")
        .succeeds();

    assert_eq!(desk.json("organizer list")[0]["name"], "Big");
    assert_eq!(desk.json("gate list bigevents")[0]["identifier"], "NORTH");
    let event = &desk.json("event list bigevents")[0];
    assert_eq!(event["date_from"], "2027-05-08T16:00:00.000000Z");
    assert_eq!(event["live"], true);
    assert_eq!(
        desk.json("team list bigevents"),
        json!([{"name": "admins", "permissions": "all", "active": true}])
    );
    let device = &desk.json("device list bigevents")[0];
    assert_eq!(device["limit_events"], json!(["museum"]));
    assert_eq!(
        (&device["gate"], &device["device_id"]),
        (&json!("NORTH"), &json!(1))
    );
    assert!(
        desk.admin("device list bigevents")
            .stdout
            .contains("waiting")
    );
}

#[test]
fn what_is_renamed_or_deactivated_stays_so() {
    let desk = Desk::set_up();
    desk.admin("organizer rename bigevents Bigger").succeeds();
    desk.admin("organizer deactivate bigevents").succeeds();
    let organizer = &desk.json("organizer list")[0];
    assert_eq!(
        (&organizer["name"], &organizer["active"]),
        (&json!("Bigger"), &json!(false))
    );

    desk.admin("gate create bigevents N --name North")
        .succeeds();
    desk.admin("gate rename bigevents N South").succeeds();
    desk.admin("gate deactivate bigevents N").succeeds();
    let gate = &desk.json("gate list bigevents")[0];
    assert_eq!(
        (&gate["name"], &gate["active"]),
        (&json!("South"), &json!(false))
    );

    desk.admin("team permit bigevents admins --permission organizer.devices:read")
        .succeeds();
    desk.admin("team rename bigevents admins readers")
        .succeeds();
    let team = &desk.json("team list bigevents")[0];
    assert_eq!(team["permissions"], json!(["organizer.devices:read"]));
    assert_eq!(team["name"], "readers");

    desk.admin("device create bigevents --name Lane --all-events")
        .succeeds();
    desk.admin("device rename bigevents 1 Door").succeeds();
    desk.admin("device revoke bigevents 1").succeeds();
    let device = &desk.json("device list bigevents")[0];
    assert_eq!(
        (&device["name"], &device["revoked"]),
        (&json!("Door"), &json!(true))
    );
}

#[test]
fn what_was_done_to_a_device_is_told_with_who_did_it() {
    let desk = Desk::set_up();
    desk.admin("device create bigevents --name Lane --all-events")
        .succeeds();
    desk.admin("device rename bigevents 1 Door").succeeds();
    let log = desk.json("device log bigevents 1");
    let log = log.as_array().unwrap();
    assert_eq!(log.len(), 2, "{log:?}");
    assert!(log.iter().all(|entry| entry["actor"] == "administrator"));
    assert!(log[1]["data"].to_string().contains("Door"));
}

#[test]
fn media_keys_are_made_and_never_shown() {
    let desk = Desk::set_up();
    desk.admin("media-keys create bigevents 7").succeeds();
    desk.admin("media-keys create bigevents 7")
        .complains(15, "7");
    let listed = json!([{"public_id": 7, "media_type": "nfc_mf0aes", "active": true}]);
    assert_eq!(desk.json("media-keys list bigevents"), listed);
}

#[test]
fn nothing_is_made_by_a_bad_file_or_a_mistyped_name() {
    let desk = Desk::new();
    let file = desk.0.scratch().join("bad.json");
    fs::write(&file, "{}").unwrap();
    desk.admin(&format!("import {}", file.display()))
        .complains(15, "organizers");
    desk.admin("organizer list")
        .complains(15, "there is no database");
    assert_eq!(fs::read_dir(desk.0.scratch()).unwrap().count(), 1);
}

#[test]
fn a_token_is_shown_once_and_kept_nowhere() {
    let desk = Desk::set_up();
    let made = desk.admin("token create bigevents admins");
    let token = made.succeeds().stdout.trim().to_owned();
    assert_eq!(token.len(), 64, "alone on standard output: {made:?}");
    assert!(
        !desk
            .admin("token list bigevents admins")
            .succeeds()
            .stdout
            .contains(&token)
    );
    for file in fs::read_dir(desk.0.scratch()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(token.len())
                .any(|window| window == token.as_bytes())
        );
    }
}

#[test]
fn what_is_not_there_or_there_already_is_told() {
    let desk = Desk::set_up();
    desk.admin("organizer create bigevents --name Again")
        .complains(15, "bigevents");
    desk.admin("team create nobody admins --permission all")
        .complains(15, "nobody");
    desk.admin("token create bigevents nobody")
        .complains(15, "nobody");
    desk.admin("device show bigevents 7")
        .complains(15, "no device 7");
    desk.admin("device create bigevents --name x --event nowhere")
        .complains(15, "nowhere");
    desk.admin("organizer create with/slash --name x")
        .complains(2, "letters without accents");
    desk.admin("event create bigevents e --name x --from tomorrow")
        .complains(2, "tomorrow");
    desk.admin(
        "event create bigevents e --name x --from 2027-05-08T18:00:00Z --timezone Mars/Base",
    )
    .complains(2, "Europe/Berlin");
    desk.admin("team create bigevents t --permission everything")
        .complains(2, "known are");
}

#[test]
fn a_new_device_comes_with_its_code() {
    let desk = Desk::set_up();
    let png = desk.0.scratch().join("code.png");
    let shown = desk.admin(&format!(
        "device create bigevents --name Lane --all-events --public-url https://tickets.example --qr-image {}",
        png.display()
    ));
    assert!(
        shown
            .succeeds()
            .stdout
            .contains("pretixscan://setup?url=https%3A%2F%2Ftickets.example&token=")
    );
    assert!(shown.stdout.contains('▀'), "{shown:?}");
    assert!(fs::read(&png).unwrap().starts_with(b"\x89PNG"));

    desk.admin("device revoke bigevents 1").succeeds();
    let used = desk.admin("device show bigevents 1 --public-url https://tickets.example");
    let shown = &used.succeeds().stdout;
    assert!(
        shown.contains("of no use") && !shown.contains("token="),
        "{used:?}"
    );
}

#[test]
fn an_import_is_whole_or_not_at_all_and_twice_changes_nothing() {
    let desk = Desk::new();
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/organizers.json");
    let first = desk.json(&format!("import {recorded}"));
    assert!(
        first["devices"]["created"].as_u64().unwrap() >= 120,
        "{first}"
    );
    let again = desk.admin(&format!("import {recorded}"));
    assert!(
        again.succeeds().stdout.contains("Nothing to change"),
        "{again:?}"
    );

    let mut bad: Value = serde_json::from_slice(&fs::read(recorded).unwrap()).unwrap();
    bad["organizers"][0]["name"] = json!("Renamed");
    bad["organizers"][0]["events"][0]["date_from"] = json!("tomorrow");
    let file = desk.0.scratch().join("bad.json");
    fs::write(&file, bad.to_string()).unwrap();
    let refused = desk.admin(&format!("import {}", file.display()));
    refused.complains(15, "\n  organizers[0].events[0].date_from");
    let faults = desk.admin(&format!("import {} --json", file.display()));
    let faults: Value = serde_json::from_str(&faults.stdout).unwrap();
    assert_eq!(
        faults["faults"][0]["path"],
        "organizers[0].events[0].date_from"
    );
    let names: Vec<_> = desk
        .json("organizer list")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert!(
        !names.contains(&json!("Renamed")),
        "nothing of a bad file is taken"
    );
}
