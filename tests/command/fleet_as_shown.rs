//! `gatehand fleet` does what somebody was shown and said yes to, and looks at no more devices than it needs for that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::common::faulty_way::{FaultyWay, first_line};
use crate::common::fleet::Fleet;
use crate::common::installation::Installation;
use crate::common::pty::Pty;
use crate::common::scanner::Scanner;
use crate::common::server::ORGANIZER;
use crate::common::stranger::{Stranger, answer, answer_with};

/// A command, what changes before its question is answered, and what it then says.
type Case<'c> = (Vec<&'c str>, &'c dyn Fn(&Installation), &'c str);

/// Runs it for a person who says yes after `meanwhile`; its exit code, and what was shown.
fn said_yes_after(fleet: &Fleet, arguments: &[&str], meanwhile: impl FnOnce()) -> (i32, String) {
    let terminal = Pty::new();
    let mut command = fleet.command(arguments);
    command.env("NO_COLOR", "1");
    let mut running = terminal.start_for_a_person(&command);
    terminal.wait_for("Type yes: ");
    meanwhile();
    terminal.types("yes\n");
    let code = running.wait().unwrap().code().unwrap();
    if code != 0 {
        terminal.wait_for("what to do: ");
    }
    (code, terminal.shown())
}

/// A device of a server that knows no more of it than every other does.
fn plain(number: u64, name: &str) -> Value {
    json!({
        "device_id": number, "unique_serial": format!("SERIAL{number}"), "all_events": true, "limit_events": [],
        "revoked": false, "name": name, "created": "2027-05-08T16:00:00Z", "initialized": null,
        "hardware_brand": null, "hardware_model": null, "os_name": null, "os_version": null, "software_brand": null,
        "software_version": null, "security_profile": "full",
    })
}

fn json_answer(document: &Value) -> String {
    answer("200 OK", "application/json", &document.to_string())
}

/// What of the way's requests changes nothing, each by its first line.
fn readings(way: &FaultyWay) -> Vec<String> {
    let exchanges = way.record().into_iter();
    let lines = exchanges.map(|exchange| first_line(&exchange.request).to_owned());
    lines.filter(|line| line.starts_with("GET ")).collect()
}

#[test]
fn devices_that_changed_since_they_were_shown_are_left_alone() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    for gate in ["north", "south"] {
        installation.admin(&["gate", "create", ORGANIZER, gate, "--name", gate]);
    }
    let token = installation.create_device("Lane 1");
    installation.create_device("Lane 2");
    let rename = |name: &'static str| {
        let arguments = ["device", "rename", ORGANIZER, "1", name];
        move |installation: &Installation| drop(installation.admin(&arguments))
    };
    let moved = |installation: &Installation| {
        let fleet = Fleet::of_team(installation, "gates");
        fleet.run(&["move", "2", "--gate", "north"]).succeeds();
    };
    let enrols = |installation: &Installation| {
        let scanner = Scanner::new();
        scanner.init(&installation.url, &token, &[]).succeeds();
    };
    let all = ["--all-matching", "search=lane"];
    let cases: [Case<'_>; 6] = [
        (
            vec!["revoke", "1"],
            &rename("Lane A"),
            "device 1 was changed",
        ),
        (vec!["revoke", "1", "2"], &moved, "device 2 was changed"),
        (
            [&["edit", "--security-profile", "pretixscan"], &all[..]].concat(),
            &rename("Lane B"),
            "device 1 was changed",
        ),
        (
            [&["move", "--gate", "south"], &all[..]].concat(),
            &rename("Lane C"),
            "device 1 was changed",
        ),
        // What waited for a scanner has one now, which would be cut off.
        (
            vec!["reconnect", "1", "--again", "--now"],
            &enrols,
            "device 1 was changed",
        ),
        (
            vec!["revoke", "Lane C", "2"],
            &rename("Lane D"),
            "device 1 was changed",
        ),
    ];
    for (arguments, meanwhile, words) in cases {
        let before = || {
            let mut devices = installation.devices();
            // The change in between is another's.
            for device in &mut devices {
                let device = device.as_object_mut().unwrap();
                device.retain(|field, _| ["revoked", "security_profile"].contains(&field.as_str()));
            }
            devices
        };
        let were = before();
        let (code, shown) = said_yes_after(&fleet, &arguments, || meanwhile(&installation));
        assert_eq!(code, 6, "{arguments:?}: {shown}");
        assert!(shown.contains(words), "{arguments:?}: {shown}");
        assert_eq!(before(), were, "{arguments:?}");
    }
    let gates = installation.devices();
    let gates: Vec<&Value> = gates
        .iter()
        .map(|device| &device["gate"]["identifier"])
        .collect();
    assert_eq!(gates, [&Value::Null, &json!("north")]);
    // Of one that nobody touched it is done.
    let (code, shown) = said_yes_after(&fleet, &["revoke", "Lane D"], || {});
    assert_eq!(code, 0, "{shown}");
    assert_eq!(installation.device(1)["revoked"], true);
}

/// Where devices have no versions, they are looked at once more before anything is done.
#[test]
fn at_a_server_without_versions_a_device_that_changed_is_left_alone_too() {
    let looks = Arc::new(AtomicUsize::new(0));
    let server = Stranger::answering_by(move |request| {
        if !request.starts_with("GET") {
            return json_answer(&plain(7, "Lane 7"));
        }
        let name = match looks.fetch_add(1, Ordering::SeqCst) {
            0 => "Lane 7",
            _ => "VIP entrance",
        };
        json_answer(&plain(7, name))
    });
    let fleet = Fleet::at(&server.url, "s3cretoken", ORGANIZER);
    let refused = fleet.run(&["revoke", "7", "--yes"]);
    refused.complains(6, "device 7 was changed by somebody else");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.starts_with("GET"))
    );
}

/// What compresses answers on their way weakens the tag.
#[test]
fn what_is_done_to_one_device_names_the_version_that_was_looked_at() {
    for tag in ["\"v1\"", "W/\"v1\""] {
        let server = Stranger::answering_by(move |request| {
            let body = plain(7, "Lane 7").to_string();
            match request.starts_with("GET") {
                true => answer_with("200 OK", &format!("ETag: {tag}"), &body),
                false => answer(
                    "412 Precondition Failed",
                    "application/json",
                    "{\"detail\": \"It changed.\"}",
                ),
            }
        });
        let fleet = Fleet::at(&server.url, "s3cretoken", ORGANIZER);
        for arguments in [
            &["revoke", "7", "--yes"][..],
            &["reconnect", "7", "--again", "--yes"],
            &["edit", "7", "--security-profile", "pretixscan"],
        ] {
            let refused = fleet.run(arguments);
            refused.complains(6, "device 7 was changed by somebody else");
            let requests = server.requests();
            let last = requests.last().unwrap().to_ascii_lowercase();
            assert!(!last.starts_with("get "), "{last}");
            assert!(last.contains("if-match: \"v1\"\r\n"), "{last}");
        }
    }
}

#[test]
fn a_few_devices_are_looked_for_and_not_all_of_them_listed() {
    let installation = Arc::new(Installation::start());
    let fleet = Fleet::of(&installation);
    let many = [
        "create",
        "--count",
        "120",
        "--name",
        "Lane {}",
        "--all-events",
    ];
    fleet.run(&many).succeeds();
    let way = FaultyWay::to(Arc::clone(&installation));
    fleet.goes_to(&way.url);
    let serial = installation.device(9)["unique_serial"].clone();
    let edit = [
        "edit",
        "Lane 1",
        "20",
        serial.as_str().unwrap(),
        "--security-profile",
        "pretixscan",
    ];
    assert_eq!(fleet.results(&edit).len(), 3);
    fleet
        .run(&["create", "--name", "Lane 121", "--all-events"])
        .succeeds();
    fleet
        .run(&["edit", "Lane 5", "--name", "Lane 6"])
        .complains(6, "device 6 has the name");
    for line in readings(&way) {
        let is_of_one = line.contains("search=") || !line.contains("page=");
        assert!(is_of_one && !line.contains("&page=2 "), "{line}");
    }
    fleet.run(&["show", "Lane"]).complains(2, "no device has");
}

#[test]
fn where_a_server_does_not_search_all_devices_are_read_once() {
    let devices = 120_u64;
    let server = Stranger::answering_by(move |request| {
        let asked = request.split(' ').nth(1).unwrap();
        let Some((_, page)) = asked.rsplit_once("page=") else {
            let (_, number) = asked.split_once("/devices/").unwrap();
            let (number, _) = number.split_once('/').unwrap();
            let number = number.parse().unwrap();
            return json_answer(&plain(number, &format!("Lane {number}")));
        };
        let page: u64 = page.parse().unwrap();
        let last = (page * 50).min(devices);
        let results =
            ((page - 1) * 50 + 1..=last).map(|number| plain(number, &format!("Lane {number}")));
        let results: Vec<Value> = results.collect();
        let next = (last < devices).then_some("more");
        json_answer(&json!({"count": devices, "next": next, "previous": null, "results": results}))
    });
    let fleet = Fleet::at(&server.url, "s3cretoken", ORGANIZER);
    let show = ["show", "Lane 3", "Lane 119", "Lane 44", "SERIAL7"];
    assert_eq!(fleet.results(&show).len(), 4);
    let requests = server.requests();
    let pages: Vec<&String> = requests
        .iter()
        .filter(|request| request.contains("&page=3 "))
        .collect();
    assert_eq!(pages.len(), 1, "{requests:?}");
}

#[test]
fn a_search_that_a_server_cuts_is_told_and_nothing_is_done_to_what_it_found() {
    let server = Stranger::answering_by(|_| {
        json_answer(&json!({
            "count": 10000, "count_is_minimum": true, "next": null, "previous": null, "results": [plain(1, "Lane 1")],
        }))
    });
    let fleet = Fleet::at(&server.url, "s3cretoken", ORGANIZER);
    let words = "more names begin with \"L\" than";
    fleet.run(&["list", "--search", "L"]).complains(2, words);
    let revoke = ["revoke", "--all-matching", "search=L", "--yes"];
    fleet.run(&revoke).complains(2, words);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.starts_with("GET"))
    );
    fleet.run(&["list", "--gate", "north"]).complains(15, "");
}
