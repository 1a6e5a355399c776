//! What is held of importing and exporting organizers files.

use std::io::Cursor;
use std::sync::{Arc, Mutex};

use gatehand::server::model::{DeviceChange, Permissions};
use gatehand::server::organizers_file::{OrganizersFile, Writer};
use gatehand::server::store::{
    Administration, GateChange, ImportReport, Imported, OrganizerChange, StoreError, TeamChange,
    Terms, TokenChange,
};
use serde_json::json;

use super::{ATTEMPTS, Fixture, contract, device, secret};

contract! {
    importing_twice_changes_nothing
    an_import_gives_nobody_access_back
    an_export_makes_the_same_of_another_database
    a_device_is_known_by_serial_key_or_name_once
    an_edited_export_changes_the_devices_it_names
    two_devices_in_a_file_are_never_taken_for_the_same
    what_a_file_refers_to_may_be_on_the_server_only
    an_import_that_contradicts_changes_nothing
    of_dates_and_lists_with_equal_names_an_import_without_numbers_means_the_first
    imports_at_once_with_other_changes_are_each_done_wholly
}

const FILE: &str = include_str!("../../data/organizers.json");

fn organizers_file(text: &str) -> OrganizersFile {
    OrganizersFile::read(Cursor::new(text.as_bytes().to_vec()))
        .ok()
        .unwrap()
}

async fn importing_twice_changes_nothing(f: Fixture) {
    let report = f.store.import(organizers_file(FILE)).await.unwrap();
    assert!(report.devices.created > 100 && report.events.created > 10);
    let organizers = f.store.organizers().await.unwrap();
    let again = f.store.import(organizers_file(FILE)).await.unwrap();
    assert_eq!(again, ImportReport::default());
    assert_eq!(f.store.organizers().await.unwrap(), organizers);

    let renamed = FILE.replacen("\"name\": \"Big Events\"", "\"name\": \"Bigger Events\"", 1);
    assert_ne!(renamed, FILE);
    let report = f.store.import(organizers_file(&renamed)).await.unwrap();
    assert_eq!(
        report.organizers,
        Imported {
            changed: 1,
            ..Imported::default()
        }
    );
}

/// A file with a device, a team with a token, an event with a date, and a list.
fn small_file() -> serde_json::Value {
    json!({"organizers": [{
        "slug": "s", "name": "Small", "gates": [{"name": "G", "identifier": "G"}],
        "events": [{
            "slug": "e", "name": {"de": "Fest", "en": "Feast"}, "live": true, "timezone": "UTC",
            "date_from": "2030-01-01T10:00:00Z", "date_to": null, "date_admission": null,
            "has_subevents": true,
            "subevents": [
                {"name": "picked", "active": true, "date_from": "2030-01-02T10:00:00Z",
                 "date_to": null, "date_admission": null},
                {"id": 1, "name": "named", "active": true, "date_from": "2030-01-01T10:00:00Z",
                 "date_to": null, "date_admission": null},
            ],
            "checkin_lists": [
                {"name": "All", "subevent": null, "gates": ["G"]},
                {"id": 1, "name": "One", "subevent": 1, "gates": []},
            ],
        }],
        "teams": [{"name": "t", "organizer_permissions": ["organizer.devices:read"],
                   "tokens": [{"name": "t", "token": "t".repeat(64), "active": true}]}],
        "devices": [
            {"name": "d", "all_events": true, "limit_events": [], "gate": "G",
             "security_profile": "full", "initialized": true, "revoked": false,
             "api_token": "d".repeat(64)},
            {"name": "waiting", "all_events": false, "limit_events": ["e"], "gate": null,
             "security_profile": "pretixscan", "initialized": false, "revoked": false,
             "api_token": null},
        ],
    }]})
}

async fn an_import_gives_nobody_access_back(f: Fixture) {
    let (store, import) = (&f.store, async |file: &serde_json::Value| {
        f.store.import(organizers_file(&file.to_string())).await
    });
    let report = import(&small_file()).await.unwrap();
    assert_eq!(report.subevents.created, 2);
    assert_eq!(report.devices.created, 2);
    let organizer = store.organizer("s").await.unwrap().id;
    let key = secret(&"d".repeat(64));
    let device = store.enrolled_device(&key).await.unwrap().unwrap();
    assert_eq!(device.gate.as_ref().unwrap().identifier, "G");
    let placed = store.placed_devices(organizer).await.unwrap();
    assert_eq!(placed[0].gate.as_ref().unwrap().identifier, "G");
    assert_eq!(placed[1].device.limit_events, ["e"]);

    let new_key = secret("rolled");
    store
        .roll_key(&key, &new_key, Terms::default())
        .await
        .unwrap();
    store.revoke_device(organizer, 2).await.unwrap();
    let tokens = store.team_tokens(organizer, "t").await.unwrap();
    let change = TokenChange {
        name: None,
        active: Some(false),
    };
    store
        .change_team_token(organizer, "t", tokens[0].id, change)
        .await
        .unwrap();
    let one_left = Imported {
        left: 1,
        ..Imported::default()
    };
    let told = ImportReport {
        tokens: one_left,
        devices: one_left,
        ..ImportReport::default()
    };
    assert_eq!(import(&small_file()).await.unwrap(), told);
    assert!(store.enrolled_device(&key).await.unwrap().is_none());
    let second = store.device(organizer, 2).await.unwrap().unwrap();
    assert!(second.device.revoked);
    let team = store
        .team_caller(&secret(&"t".repeat(64)))
        .await
        .unwrap()
        .unwrap();
    assert!(!team.active);
}

async fn exported(store: &dyn Administration) -> String {
    let text = Arc::new(Mutex::new(String::new()));
    let lines = Arc::clone(&text);
    let writer = Writer::new(move |line: Option<&str>| {
        let mut text = lines.lock().unwrap();
        text.extend(line.into_iter().flat_map(|line| [line, "\n"]));
        Ok(())
    });
    store.export(Box::new(writer)).await.unwrap();
    let text = text.lock().unwrap();
    text.clone()
}

async fn an_export_makes_the_same_of_another_database(f: Fixture) {
    f.store.import(organizers_file(FILE)).await.unwrap();
    let mut small = small_file();
    let event = &mut small["organizers"][0]["events"][0];
    event["subevents"][1]["id"] = json!(9001);
    event["checkin_lists"][1]["id"] = json!(9002);
    event["checkin_lists"][1]["subevent"] = json!(9001);
    let small = organizers_file(&small.to_string());
    f.store.import(small).await.unwrap();
    let odd = [
        "\"",
        "]}",
        "\\u0041\\",
        "a\tb\nc",
        "\u{202e}abc\u{2028}\u{feff}x",
        "👩\u{200d}🚒 e\u{301} ß İ",
        "\u{1}\u{7f}\u{fffd}",
    ];
    for name in odd {
        f.device(name).await;
        let gate = f.store.create_gate(f.organizer, name, name).await.unwrap();
        let permissions = Permissions::Listed(Vec::new());
        f.store
            .create_team(f.organizer, name, permissions)
            .await
            .unwrap();
        let moved = DeviceChange {
            gate: Some(Some(gate.identifier)),
            ..DeviceChange::default()
        };
        f.store.edit_device(f.organizer, 1, moved).await.unwrap();
    }
    f.enrolled("Lane", "a key").await;
    let team = TeamChange {
        active: Some(false),
        ..TeamChange::default()
    };
    f.store
        .change_team(f.organizer, odd[0], team)
        .await
        .unwrap();
    let gate = GateChange {
        active: Some(false),
        ..GateChange::default()
    };
    f.store
        .change_gate(f.organizer, odd[1], gate)
        .await
        .unwrap();
    let organizer = OrganizerChange {
        active: Some(false),
        ..OrganizerChange::default()
    };
    f.store.change_organizer("s", organizer).await.unwrap();
    let export = exported(&*f.store).await;

    let other = f.another().await;
    let report = other.store.import(organizers_file(&export)).await.unwrap();
    assert!(report.devices.created > 100, "{report:?}");
    assert_eq!(exported(&*other.store).await, export);
    let again = other.store.import(organizers_file(&export)).await.unwrap();
    assert_eq!(again, ImportReport::default());
    assert_eq!(exported(&*other.store).await, export);

    let (here, there) = (
        f.store
            .enrolled_device(&secret("a key"))
            .await
            .unwrap()
            .unwrap(),
        other
            .store
            .enrolled_device(&secret("a key"))
            .await
            .unwrap()
            .unwrap(),
    );
    assert_eq!(
        (here.unique_serial.clone(), here.device_id),
        (there.unique_serial.clone(), there.device_id)
    );
    let token = f.device("Later").await.initialization_token.unwrap();
    assert!(!export.contains(token.expose()));
}

async fn a_device_is_known_by_serial_key_or_name_once(f: Fixture) {
    let serial = f.enrolled("Door", "key").await.unique_serial;
    f.device("Door").await;
    let file = |devices: serde_json::Value| {
        let organizer = json!({"slug": "o", "name": "Organizer", "devices": devices});
        organizers_file(&json!({"organizers": [organizer]}).to_string())
    };
    let full = |mut device: serde_json::Value| {
        device["security_profile"] = json!("full");
        device
    };
    let by_serial = || full(json!({"name": "Renamed", "unique_serial": serial}));
    let by_name = || full(json!({"name": "Door"}));
    // The one with the serial counts as the first door, wherever it stands.
    let known = file(json!([by_name(), by_serial()]));
    let report = f.store.import(known).await.unwrap().devices;
    assert_eq!((report.created, report.changed, report.left), (0, 1, 1));
    // By now it is called otherwise.
    let known = f.store.device(f.organizer, 1).await.unwrap().unwrap();
    assert_eq!(known.device.name, "Renamed");
    let one_more = file(json!([by_name(), by_name(), by_serial()]));
    assert_eq!(f.store.import(one_more).await.unwrap().devices.created, 1);
    assert_eq!(f.count().await, 3);
    let elsewhere = json!({"organizers": [{"slug": "p", "name": "P", "devices": [by_serial()]}]});
    match f
        .store
        .import(organizers_file(&elsewhere.to_string()))
        .await
    {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(faults[0].path, "organizers[0].devices[0].unique_serial");
        }
        other => panic!("{other:?}"),
    }
    assert!(f.store.organizer("p").await.is_err());
}

async fn an_edited_export_changes_the_devices_it_names(f: Fixture) {
    let mut small = small_file();
    small["organizers"][0]["gates"] =
        json!([{"name": "G", "identifier": "G"}, {"name": "H", "identifier": "H"}]);
    f.store
        .import(organizers_file(&small.to_string()))
        .await
        .unwrap();
    let organizer = f.store.organizer("s").await.unwrap().id;
    let edit = async |edits: &[(usize, &str, serde_json::Value)]| {
        let mut file: serde_json::Value = serde_json::from_str(&exported(&*f.store).await).unwrap();
        let organizers = file["organizers"].as_array_mut().unwrap();
        let edited = organizers.iter_mut().find(|one| one["slug"] == "s");
        let edited = edited.unwrap();
        for (device, field, value) in edits {
            edited["devices"][device][field] = value.clone();
        }
        f.store.import(organizers_file(&file.to_string())).await
    };
    let report = edit(&[
        (0, "name", json!("waiting")),
        (0, "all_events", json!(false)),
        (0, "limit_events", json!(["e"])),
        (0, "gate", json!("H")),
        (0, "security_profile", json!("pretixscan")),
        (1, "name", json!("d")),
        (1, "limit_events", json!([])),
        (1, "revoked", json!(true)),
    ])
    .await;
    let changed = |devices| ImportReport {
        devices,
        ..ImportReport::default()
    };
    let two = Imported {
        changed: 2,
        ..Imported::default()
    };
    assert_eq!(report.unwrap(), changed(two));
    let placed = f.store.placed_devices(organizer).await.unwrap();
    let first = &placed[0].device;
    assert_eq!(placed[0].gate.as_ref().unwrap().identifier, "H");
    assert_eq!(
        (&*first.name, first.all_events, &*first.security_profile),
        ("waiting", false, "pretixscan")
    );
    assert_eq!(first.limit_events, ["e"]);
    let second = &placed[1].device;
    assert_eq!((&*second.name, second.revoked), ("d", true));
    assert!(second.limit_events.is_empty());
    // The key that it had is its key.
    let key = secret(&"d".repeat(64));
    assert!(f.store.enrolled_device(&key).await.unwrap().is_some());
    let log = f.store.device_log(organizer, 2).await.unwrap();
    let log: Vec<_> = log
        .iter()
        .map(|entry| (&*entry.action, &*entry.actor))
        .collect();
    let by_administrator = ["created", "changed", "revoked"].map(|what| (what, "administrator"));
    assert_eq!(log, by_administrator);

    assert_eq!(edit(&[]).await.unwrap(), ImportReport::default());
    let left = Imported {
        left: 1,
        ..Imported::default()
    };
    let report = edit(&[(1, "revoked", json!(false))]).await.unwrap();
    assert_eq!(report, changed(left));
    let second = f.store.device(organizer, 2).await.unwrap().unwrap();
    assert!(second.device.revoked);
}

async fn two_devices_in_a_file_are_never_taken_for_the_same(f: Fixture) {
    let serial = f.enrolled("Door", "key").await.unique_serial;
    let devices = json!([
        {"name": "A", "security_profile": "full", "unique_serial": serial},
        {"name": "B", "security_profile": "full", "initialized": true,
         "api_token_sha256": "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"},
    ]);
    let file = json!({"organizers": [{"slug": "o", "name": "Organizer", "devices": devices}]});
    match f.store.import(organizers_file(&file.to_string())).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(faults[0].path, "organizers[0].devices[1]");
        }
        other => panic!("{other:?}"),
    }
    let device = f.store.device(f.organizer, 1).await.unwrap().unwrap();
    assert_eq!(device.device.name, "Door");
}

async fn what_a_file_refers_to_may_be_on_the_server_only(f: Fixture) {
    let import =
        async |file: &serde_json::Value| f.store.import(organizers_file(&file.to_string())).await;
    import(&small_file()).await.unwrap();
    let device = |name: &str, gate: &str, event: &str| json!({"name": name, "gate": gate, "limit_events": [event], "security_profile": "full"});
    let file = |slug: &str, device: serde_json::Value| json!({"organizers": [{"slug": slug, "name": "Small", "devices": [device]}]});
    let report = import(&file("s", device("new", "G", "e"))).await.unwrap();
    assert_eq!(report.devices.created, 1);

    let known = device("d", "N", "gone");
    for file in [
        file("s", device("more", "N", "gone")),
        file("s", known),
        file("other", device("more", "G", "e")),
    ] {
        match import(&file).await {
            Err(StoreError::Contradiction { faults, more: 0 }) => {
                let told: Vec<_> = faults
                    .iter()
                    .map(|fault| (&*fault.path, &*fault.expected))
                    .collect();
                let expected = [
                    (
                        "organizers[0].devices[0].gate",
                        "the identifier of a gate of this organizer",
                    ),
                    (
                        "organizers[0].devices[0].limit_events[0]",
                        "the slug of an event of this organizer",
                    ),
                ];
                assert_eq!(told, expected);
                assert!(faults[0].device.is_some());
            }
            other => panic!("{other:?}"),
        }
    }
    let mut lists = small_file();
    lists["organizers"][0]["gates"] = json!([]);
    let report = import(&lists).await.unwrap();
    assert_eq!(report.checkin_lists, Imported::default());
    lists["organizers"][0]["events"][0]["checkin_lists"][0]["gates"] = json!(["G", "N"]);
    match import(&lists).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            let path = "organizers[0].events[0].checkin_lists[0].gates[1]";
            assert_eq!(faults[0].path, path);
        }
        other => panic!("{other:?}"),
    }
}

async fn an_import_that_contradicts_changes_nothing(f: Fixture) {
    let import =
        async |file: &serde_json::Value| f.store.import(organizers_file(&file.to_string())).await;
    import(&small_file()).await.unwrap();
    for path in [
        "organizers[0].events[0].subevents[1].id",
        "organizers[0].teams[0].tokens[0].token",
    ] {
        let mut file = small_file();
        file["organizers"][0]["slug"] = json!("other");
        if path.contains("teams") {
            file["organizers"][0]["events"] = json!([]);
            file["organizers"][0]["devices"] = json!([]);
        }
        match import(&file).await {
            Err(StoreError::Contradiction { faults, .. }) => assert_eq!(faults[0].path, path),
            other => panic!("{other:?}"),
        }
        assert!(f.store.organizer("other").await.is_err());
    }
    let mut file = small_file();
    file["organizers"][0]["teams"][0]["organizer_permissions"] = json!("all");
    let report = import(&file).await.unwrap();
    assert_eq!((report.teams.changed, report.teams.left), (0, 1));
    file["organizers"][0]["teams"][0]["tokens"][0]["token"] = json!("u".repeat(64));
    match import(&file).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(
                faults[0].path,
                "organizers[0].teams[0].organizer_permissions"
            );
        }
        other => panic!("{other:?}"),
    }
    let mut file = small_file();
    file["organizers"][0]["slug"] = json!("other");
    file["organizers"][0]["events"] = json!([]);
    file["organizers"][0]["teams"] = json!([]);
    file["organizers"][0]["devices"][1]["limit_events"] = json!([]);
    match import(&file).await {
        Err(StoreError::Contradiction { faults, .. }) => {
            assert_eq!(faults[0].path, "organizers[0].devices[0].api_token");
        }
        other => panic!("{other:?}"),
    }
}

async fn of_dates_and_lists_with_equal_names_an_import_without_numbers_means_the_first(f: Fixture) {
    let file = |subevents: serde_json::Value, lists: serde_json::Value| {
        let file = json!({"organizers": [{
            "slug": "o", "name": "Organizer", "gates": [{"name": "North", "identifier": "N"}],
            "events": [{
                "slug": "series", "name": "Series", "live": true, "timezone": "UTC",
                "date_from": "2030-01-01T10:00:00Z", "subevents": subevents, "checkin_lists": lists,
            }],
            "teams": [], "devices": [],
        }]});
        organizers_file(&file.to_string())
    };
    let date = |id: serde_json::Value, active: bool| json!({"id": id, "name": "Day", "active": active, "date_from": "2030-01-02T10:00:00Z"});
    let list = |id: serde_json::Value, gates: &[&str]| json!({"id": id, "name": "Door", "gates": gates, "subevent": null});
    let numbered = file(
        json!([date(json!(5), true), date(json!(6), true)]),
        json!([list(json!(1), &[]), list(json!(2), &[])]),
    );
    f.store.import(numbered).await.unwrap();
    let unnumbered = file(
        json!([date(json!(null), false)]),
        json!([list(json!(null), &["N"])]),
    );
    f.store.import(unnumbered).await.unwrap();
    f.enrolled("Door", "key").await;
    let enrolled = f.store.enrolled_device(&secret("key")).await.unwrap();
    let events = f.store.accessible_events(enrolled.unwrap().id).await;
    let event = events.unwrap().remove(0);
    let mut dates = event.subevents;
    dates.sort_by_key(|date| date.id);
    let active: Vec<_> = dates.iter().map(|date| (date.id, date.active)).collect();
    assert_eq!(active, [(5, false), (6, true)]);
    let mut lists = event.checkin_lists;
    lists.sort_by_key(|list| list.id);
    let gates: Vec<_> = lists
        .iter()
        .map(|list| (list.id, list.gates.len()))
        .collect();
    assert_eq!(gates, [(1, 1), (2, 0)]);
}

async fn imports_at_once_with_other_changes_are_each_done_wholly(f: Fixture) {
    f.device("Door").await;
    let ends = f
        .at_once(|number, store| async move {
            if number % 4 < 2 {
                let file = json!({"organizers": [{"slug": "o", "name": "Organizer", "devices": [
                    {"name": format!("A {number}"), "security_profile": "full"},
                    {"name": format!("B {number}"), "security_profile": "full"},
                ]}]});
                let file = organizers_file(&file.to_string());
                return store.import(file).await.unwrap().devices.created;
            }
            let organizer = store.organizer("o").await.unwrap().id;
            let device = device(&format!("C {number}"));
            u64::from(store.add_device(organizer, device).await.is_ok())
        })
        .await;
    let made = 1 + ends.iter().sum::<u64>();
    assert_eq!(made, 1 + (ATTEMPTS * 3 / 2) as u64);
    assert_eq!(f.count().await, made);
    let all = f.store.devices(f.organizer, 0, u64::MAX).await.unwrap();
    let numbers: Vec<u64> = all
        .devices()
        .iter()
        .map(|device| device.device_id)
        .collect();
    assert_eq!(numbers, (1..=made).collect::<Vec<_>>());
}
