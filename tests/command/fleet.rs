//! `gatehand fleet`: many devices at a server, by its API.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::common::faulty_way::{Fault, FaultyWay};
use crate::common::fleet::Fleet;
use crate::common::installation::Installation;
use crate::common::pty::Pty;
use crate::common::scanner::Scanner;
use crate::common::server::ORGANIZER;
use crate::common::stranger::{Stranger, answer};
use crate::common::way::header;

const THREE: [&str; 6] = [
    "create",
    "--count",
    "3",
    "--name",
    "Lane {:02}",
    "--all-events",
];

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn json_answer(document: &Value) -> String {
    answer("200 OK", "application/json", &document.to_string())
}

fn all(results: &[(String, String)], result: &str) -> bool {
    !results.is_empty() && results.iter().all(|(_, has)| has == result)
}

#[test]
fn many_devices_are_made_once_and_their_pictures_enrol() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    let codes = fleet.file("codes");
    let create = [&THREE[..], &["--qr-dir", &codes]].concat();
    assert!(all(&fleet.results(&create), "done"));
    let pictures: Vec<_> = ["0001-Lane-01.png", "0002-Lane-02.png", "0003-Lane-03.png"]
        .map(|name| Path::new(&codes).join(name))
        .to_vec();
    for picture in &pictures {
        assert_eq!(mode(picture), 0o600);
    }
    let scanner = Scanner::new();
    let enrol = ["init", "--qr-image", pictures[1].to_str().unwrap()];
    scanner.run(&enrol).succeeds();
    assert_eq!(scanner.status()["name"], "Lane 02");

    fs::remove_dir_all(&codes).unwrap();
    assert!(all(&fleet.results(&create), "left"));
    assert_eq!(installation.devices().len(), 3, "none was made twice");
    let is_there = pictures.iter().map(|picture| picture.exists());
    let is_there: Vec<bool> = is_there.collect();
    assert_eq!(is_there, [true, false, true], "of those that wait");

    let more = [
        "create",
        "--count",
        "4",
        "--name",
        "Lane {:02}",
        "--all-events",
    ];
    let results = fleet.results(&more);
    assert_eq!(results[3], ("Lane 04".to_owned(), "done".to_owned()));
    assert!(all(&results[..3], "left"));
    let other = ["create", "--name", "Lane 04", "--event", "none"];
    fleet.run(&other).complains(6, "has this name already");
}

#[test]
fn an_answer_that_is_lost_makes_no_device_twice() {
    let installation = Arc::new(Installation::start());
    let (fleet, way) = (
        Fleet::of(&installation),
        FaultyWay::to(Arc::clone(&installation)),
    );
    fleet.goes_to(&way.url);
    way.once("POST", Fault::LoseAnswer);
    assert!(all(&fleet.results(&THREE), "done"));
    let made = installation.devices();
    let names: Vec<&Value> = made.iter().map(|device| &device["name"]).collect();
    assert_eq!(names, ["Lane 01", "Lane 02", "Lane 03"]);
    let sent = way.record().into_iter().map(|exchange| exchange.request);
    let sent: Vec<String> = sent.filter(|request| request.starts_with("POST")).collect();
    let keys: Vec<&str> = sent
        .iter()
        .map(|one| header(one, "x-idempotency-key"))
        .collect();
    assert_eq!(keys[0], keys[1], "it was repeated");
    assert!(keys[0].len() > 32);
}

#[test]
fn a_table_makes_a_device_a_line_and_with_a_bad_line_none() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    let table = fleet.file("lanes.csv");
    let create = ["create", "--csv", &table, "--all-events"];
    fs::write(
        &table,
        "name,security_profile\nLane 1,pretixscan\nLane 2,ful\n",
    )
    .unwrap();
    fleet.run(&create).complains(2, "line 3");
    assert!(installation.devices().is_empty());

    fs::write(
        &table,
        "name;security_profile\nLane 1;pretixscan\n\"Lane; 2\";\n",
    )
    .unwrap();
    assert_eq!(fleet.run(&create).code, 0);
    let made = installation.devices();
    assert_eq!(made[0]["security_profile"], "pretixscan");
    assert_eq!((&made[1]["name"], made.len()), (&json!("Lane; 2"), 2));
}

#[test]
fn a_device_goes_by_its_number_its_serial_or_its_name() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    for name in ["Lane 1", "Lane 2", "Lane 2", "1"] {
        installation.create_device(name);
    }
    let serial = installation.device(2)["unique_serial"].clone();
    for (word, number) in [
        ("1", 1),
        (serial.as_str().unwrap(), 2),
        ("Lane 1", 1),
        ("3", 3),
    ] {
        let shown = fleet.told(&["show", word]);
        assert_eq!(shown[0]["device"]["device_id"], number, "{word}");
    }
    let ended = fleet.run(&["show", "Lane 1", "Lane 2"]);
    ended.complains(2, "2 devices have the name \"Lane 2\": 2, 3");
    fleet.run(&["show", "Lane 9"]).complains(2, "\"Lane 9\"");
    installation.admin(&["device", "revoke", ORGANIZER, "3"]);
    let shown = fleet.told(&["show", "Lane 2"]);
    assert_eq!(
        shown[0]["device"]["device_id"], 2,
        "a revoked one does not count"
    );
}

#[test]
fn several_are_changed_and_the_same_again_changes_none() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    fleet.run(&THREE).succeeds();
    let edit = ["edit", "1", "Lane 03", "--security-profile", "pretixscan"];
    assert!(all(&fleet.results(&edit), "done"));
    let profiles = || {
        let devices = installation.devices().into_iter();
        let profiles = devices.map(|mut device| device["security_profile"].take());
        profiles.collect::<Vec<Value>>()
    };
    assert_eq!(profiles(), ["pretixscan", "full", "pretixscan"]);
    assert!(all(&fleet.results(&edit), "left"));

    let edit = [
        "edit",
        "--all-matching",
        "search=lane",
        "--security-profile",
        "full",
    ];
    let dry = [&edit[..], &["--dry-run"]].concat();
    let results = fleet.results(&dry);
    let would: Vec<&str> = results.iter().map(|(_, result)| result.as_str()).collect();
    assert_eq!(would, ["would", "left", "would"]);
    let shown = fleet.run(&edit);
    shown.complains(2, "nothing was done");
    assert!(shown.stdout.contains("Lane 03  would be done"), "{shown:?}");
    assert_eq!(profiles(), ["pretixscan", "full", "pretixscan"]);
    fleet.run(&[&edit[..], &["--yes"]].concat()).succeeds();
    assert_eq!(profiles(), ["full", "full", "full"]);

    fleet
        .run(&["edit", "1", "--name", "Lane 1, left"])
        .succeeds();
    assert_eq!(installation.device(1)["name"], "Lane 1, left");
    fleet
        .run(&["edit", "1", "2", "--name", "Both"])
        .complains(2, "for one device");
    let refused = fleet.run(&["edit", "1", "--event", "none"]);
    refused.complains(6, "slug=none does not exist");
}

/// Where a token must not go, it does not.
#[test]
fn the_token_goes_to_its_server_alone() {
    let elsewhere = Stranger::answering(json_answer(&json!({})));
    let location = format!("Location: {}/", elsewhere.url);
    let redirect = format!("HTTP/1.1 302 Found\r\n{location}\r\nContent-Length: 0\r\n\r\n");
    let redirecting = Stranger::answering(redirect);
    Fleet::at(&redirecting.url, "t", ORGANIZER)
        .run(&["list", "--timeout", "1"])
        .complains(7, "redirects are not followed");

    let next = format!("{}/api/v1/?page=2", elsewhere.url);
    let listing = Stranger::answering_by(move |request| {
        let is_first = request.contains("page=1 ");
        let next = is_first.then_some(&next);
        let page = json!({"count": 2, "next": next, "previous": null, "results": []});
        json_answer(&page)
    });
    Fleet::at(&listing.url, "t", ORGANIZER)
        .run(&["list"])
        .succeeds();
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_token_needs_its_server_and_a_file_of_its_own() {
    let fleet = Fleet::at("http://127.0.0.1:9", "s3cretoken", ORGANIZER);
    let with = |url: Option<&str>, organizer: Option<&str>| {
        let mut command = fleet.command(&["list", "--timeout", "1"]);
        command.env_remove("GATEHAND_FLEET_TOKEN_FILE");
        command.env("GATEHAND_FLEET_TOKEN", "s3cretoken");
        for (name, value) in [("URL", url), ("ORGANIZER", organizer)] {
            if let Some(value) = value {
                command.env(format!("GATEHAND_FLEET_{name}"), value);
            }
        }
        crate::common::scanner::end(command.output().unwrap())
    };
    with(None, Some(ORGANIZER)).complains(2, "GATEHAND_FLEET_URL is not");
    with(Some("http://127.0.0.1:9"), None).complains(2, "whose devices they are");
    with(Some("http://127.0.0.1:9"), Some("a/../b")).complains(2, "no organizer's slug");
    let plain = with(Some("http://tickets.example"), Some(ORGANIZER));
    plain.complains(5, "is not encrypted");
    let file = fleet.file("team.env");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let open = fleet.run(&["list"]);
    open.complains(2, "others on this machine can read");
    assert!(!open.stderr.contains("s3cretoken"));
    fs::write(&file, "GATEHAND_FLEET_TOKEN=s3cretoken\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fleet
        .run(&["list"])
        .complains(2, "does not say GATEHAND_FLEET_URL");
}

#[test]
fn a_token_that_may_not_is_told_what_it_lacks() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    fleet
        .run(&["list", "--organizer", "nobody"])
        .complains(6, "permission");
    Fleet::at(&installation.url, "wrong", ORGANIZER)
        .run(&["list"])
        .complains(6, "Invalid token");
    let stopped = Installation::start();
    let fleet = Fleet::of(&stopped);
    drop(stopped);
    fleet.run(&["list", "--timeout", "1"]).complains(8, "");
}

#[test]
fn a_list_leaves_revoked_devices_out_and_fits_into_the_terminal() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    for name in [
        "Lane 1, left of the stairs to the gallery",
        "入口の左側の改札機",
        "Old",
    ] {
        installation.create_device(name);
    }
    installation.admin(&["device", "revoke", ORGANIZER, "3"]);
    let listed = fleet.told(&["list"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert!(listed[0].get("initialization_token").is_none());
    let revoked = fleet.told(&["list", "--revoked"]);
    assert_eq!(revoked[0]["name"], "Old");
    assert_eq!(
        fleet
            .told(&["list", "--with-revoked"])
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        fleet
            .told(&["list", "--search", "lane"])
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let terminal = Pty::new();
    let size = Winsize {
        ws_row: 24,
        ws_col: 40,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal.line, size).unwrap();
    let mut list = fleet.command(&["list"]);
    list.env("NO_COLOR", "1")
        .stdout(terminal.line.try_clone().unwrap());
    assert!(list.status().unwrap().success());
    terminal.wait_for("改");
    let shown = terminal.shown();
    for line in shown.lines() {
        // Those are two columns wide.
        let wide = line.chars().filter(|c| *c > '\u{3000}').count();
        assert!(line.trim_end().chars().count() + wide <= 40, "{shown}");
    }
    assert!(
        shown.contains("Lane 1") && shown.contains("waiting"),
        "{shown}"
    );
}

#[test]
fn who_watches_sees_devices_come_in() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    let token = installation.create_device("Lane 1");
    let watch = ["watch", "--every", "1", "--until-all"];
    let mut watching = fleet
        .command(&watch)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(
        first.ends_with("1 devices: 0 initialized, 1 waiting"),
        "{first}"
    );
    Scanner::new()
        .init(&installation.url, &token, &[])
        .succeeds();
    let change = lines.next().unwrap().unwrap();
    assert!(change.contains("1 (Lane 1)  initialized"), "{change}");
    assert!(watching.wait().unwrap().success(), "none waits any more");
}

#[test]
fn a_sheet_of_codes_is_for_its_owner_alone() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    let sheet = fleet.file("labels.pdf");
    let create = [&THREE[..], &["--sheet", &sheet]].concat();
    let printed = fleet.run(&create);
    assert!(
        printed.succeeds().stderr.contains("--public-url"),
        "{printed:?}"
    );
    let mut begin = [0; 5];
    fs::File::open(&sheet)
        .unwrap()
        .read_exact(&mut begin)
        .unwrap();
    assert_eq!((&begin, mode(Path::new(&sheet))), (b"%PDF-", 0o600));

    let nowhere = fleet.file("none/labels.pdf");
    let create = [
        "create",
        "--name",
        "Lane 9",
        "--all-events",
        "--sheet",
        &nowhere,
    ];
    fleet.run(&create).complains(1, "can't write");
    assert_eq!(installation.devices().len(), 3, "nothing was made");
    let odd = ["show", "1", "--sheet", &sheet, "--paper", "a5"];
    fleet.run(&odd).complains(2, "as 62x29");
}

#[test]
fn devices_are_made_at_a_gate_and_put_at_another() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    for gate in ["north", "south"] {
        installation.admin(&["gate", "create", ORGANIZER, gate, "--name", gate]);
    }
    assert!(all(
        &fleet.results(&[&THREE[..], &["--gate", "north"]].concat()),
        "done"
    ));
    let gates = || {
        let devices = installation.devices().into_iter();
        devices
            .map(|mut device| device["gate"]["identifier"].take())
            .collect::<Vec<Value>>()
    };
    assert_eq!(gates(), ["north", "north", "north"]);
    let to_south = ["move", "1", "Lane 02", "--gate", "south"];
    assert!(all(&fleet.results(&to_south), "done"));
    assert!(all(&fleet.results(&to_south), "left"));
    assert_eq!(gates(), ["south", "south", "north"]);
    let listed = fleet.told(&["list", "--gate", "south"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    fleet.run(&["move", "3", "--no-gate"]).succeeds();
    assert_eq!(gates()[2], Value::Null);
    let back = [
        "move",
        "--all-matching",
        "gate=south",
        "--gate",
        "north",
        "--yes",
    ];
    assert!(all(&fleet.results(&back), "done"));
    fleet
        .run(&["move", "1", "--gate", "none"])
        .complains(6, "none");
    let nowhere = [
        &THREE[..3],
        &["--name", "X {}", "--all-events", "--gate", "none"],
    ]
    .concat();
    fleet.run(&nowhere).complains(6, "none was made");
    assert_eq!(installation.devices().len(), 3);
}

#[test]
fn who_revokes_is_asked_and_told_what_is_revoked() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    fleet.run(&THREE).succeeds();
    fleet.run(&["revoke", "1"]).complains(2, "nothing was done");
    assert_eq!(installation.device(1)["revoked"], false);
    assert!(all(
        &fleet.results(&["revoke", "1", "Lane 02", "--yes"]),
        "done"
    ));
    let revoked = installation.devices().into_iter();
    let revoked: Vec<Value> = revoked.map(|mut device| device["revoked"].take()).collect();
    assert_eq!(revoked, [true, true, false]);
    assert!(all(&fleet.results(&["revoke", "1", "2", "--yes"]), "left"));
    let log = fleet.told(&["log", "2"]);
    assert_eq!(log.as_array().unwrap().last().unwrap()["action"], "revoked");
}

#[test]
fn a_scanner_that_was_reset_becomes_the_same_device_again() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    let enrolled = installation.enrol_with_another_app("Lane 1");
    let codes = fleet.file("codes");
    let reconnect = ["reconnect", "Lane 1", "--qr-dir", &codes];
    assert!(all(&fleet.results(&reconnect), "done"));
    let scanner = Scanner::new();
    let picture = Path::new(&codes).join("0001-Lane-1.png");
    scanner
        .run(&["init", "--qr-image", picture.to_str().unwrap()])
        .succeeds();
    assert_eq!(scanner.status()["device_id"], enrolled["device_id"]);
    assert_eq!(installation.devices().len(), 1);
}
