//! `gatehand fleet`: many devices at a server, by its API.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
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
use crate::common::server::{ORGANIZER, ask};
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

/// The status with which the server takes a key.
fn status_of(installation: &Installation, key: &str) -> u16 {
    let url = format!("{}/api/v1/device/info", installation.url);
    ask(|client| {
        client
            .get(url)
            .header("Authorization", format!("Device {key}"))
    })
    .status
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
    fs::write(&table, "name,gate\n\nLane 1,\nLane 2,nowhere\n").unwrap();
    let refused = fleet.run(&create);
    refused.complains(6, "\"Lane 2\" in line 4: ");
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
    assert!(shown.stdout.contains("Lane 03  not tried"), "{shown:?}");
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
    refused.complains(6, "refused: events: Object with slug=none does not exist");
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
    let misused = fleet.run(&["show"]);
    misused.complains(2, "Usage: gatehand fleet show <DEVICE>...");
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
        first.ends_with("1 device: 0 initialized, 1 waiting"),
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
    fleet.run(&["move", "1", "--gate", "none"]).complains(
        6,
        "refused: gate: There is no gate \"none\". There are north, south.",
    );
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
    let unasked = ["reconnect", "Lane 1", "--qr-dir", &codes];
    fleet.run(&unasked).complains(2, "nothing was done");
    let reconnect = [&unasked[..], &["--yes"]].concat();
    let code = |arguments: &[&str]| fleet.told(arguments)[0].clone();
    let first = code(&reconnect);
    assert_eq!(
        (&first["result"], &first["device"]["code"]),
        (&json!("done"), &json!("open"))
    );
    let listed = fleet.run(&["list"]);
    assert!(listed.stdout.contains("reconnecting"), "{listed:?}");

    // The code that was handed out stays good until another one is asked for, and is shown again.
    for arguments in [&reconnect[..], &["show", "1"]] {
        let again = code(arguments);
        assert_eq!(again["result"], "left");
        assert_eq!(again["link"], first["link"]);
    }
    let picture = Path::new(&codes).join("0001-Lane-1.png");
    let key = enrolled["api_token"].as_str().unwrap();
    assert_eq!(status_of(&installation, key), 200);
    let now = [&reconnect[..], &["--now"]].concat();
    let second = code(&now);
    assert_eq!(second["result"], "done");
    assert_ne!(second["link"], first["link"]);
    assert_eq!(status_of(&installation, key), 401);
    let again = code(&now);
    assert_eq!(
        (&again["result"], &again["link"]),
        (&json!("left"), &second["link"])
    );
    let third = code(&[&reconnect[..], &["--again"]].concat());
    assert_ne!(third["link"], second["link"]);
    let scanner = Scanner::new();
    scanner
        .run(&["init", "--qr-image", picture.to_str().unwrap()])
        .succeeds();
    assert_eq!(scanner.status()["device_id"], enrolled["device_id"]);
    assert_eq!(installation.devices().len(), 1);
}

#[test]
fn many_are_revoked_by_one_call_where_the_server_takes_that() {
    let installation = Arc::new(Installation::start());
    let (fleet, way) = (
        Fleet::of(&installation),
        FaultyWay::to(Arc::clone(&installation)),
    );
    fleet.run(&THREE).succeeds();
    fleet.run(&["revoke", "2", "--yes"]).succeeds();
    fleet.goes_to(&way.url);
    let revoke = ["revoke", "--all-matching", "revoked=no", "--yes"];
    assert!(all(&fleet.results(&revoke), "done"));
    let sent = way.record().into_iter().map(|exchange| exchange.request);
    let changing: Vec<String> = sent.filter(|request| !request.starts_with("GET")).collect();
    assert!(
        changing
            .iter()
            .all(|request| request.starts_with("PATCH") && request.contains("/devices/batch/"))
    );
    assert_eq!(changing.len(), 2, "looked at, and done");
    let devices = installation.devices();
    assert!(devices.iter().all(|device| device["revoked"] == true));
}

/// A server of so many devices that takes changes of many, but of the last one.
fn picky(count: u64) -> Stranger {
    let full = std::sync::Mutex::new(std::collections::HashSet::new());
    Stranger::answering_by(move |request| {
        let mut full = full.lock().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        if head.starts_with("PATCH") {
            let body: Value = serde_json::from_str(body).unwrap();
            let numbers: Vec<u64> = serde_json::from_value(body["devices"].clone()).unwrap();
            if numbers.contains(&count) {
                let words = json!({"detail": "Not that one."});
                return answer("403 Forbidden", "application/json", &words.to_string());
            }
            if body["dry_run"] == false {
                full.extend(numbers);
            }
            return json_answer(&json!({}));
        }
        let device = |number: u64| {
            let profile = if full.contains(&number) {
                "full"
            } else {
                "pretixscan"
            };
            json!({
                "device_id": number, "unique_serial": format!("SERIAL{number}"), "all_events": true, "limit_events": [],
                "revoked": false, "name": format!("Lane {number}"), "created": "2027-05-08T16:00:00Z", "initialized": null,
                "hardware_brand": null, "hardware_model": null, "os_name": null, "os_version": null, "software_brand": null,
                "software_version": null, "security_profile": profile, "code": "ended",
            })
        };
        let asked = head.split(' ').nth(1).unwrap();
        let Some((_, page)) = asked.rsplit_once("page=") else {
            let (_, number) = asked.split_once("/devices/").unwrap();
            let (number, _) = number.split_once('/').unwrap();
            return json_answer(&device(number.parse().unwrap()));
        };
        let page: u64 = page.parse().unwrap();
        let last = (page * 50).min(count);
        let results: Vec<Value> = ((page - 1) * 50 + 1..=last).map(device).collect();
        let next = (last < count).then_some("more");
        json_answer(&json!({"count": count, "next": next, "previous": null, "results": results}))
    })
}

#[test]
fn of_many_pieces_those_that_were_done_are_told_when_a_later_one_is_refused() {
    let server = picky(1002);
    let fleet = Fleet::at(&server.url, "s3cretoken", ORGANIZER);
    let edit = [
        "edit",
        "--all-matching",
        "revoked=no",
        "--security-profile",
        "full",
        "--yes",
    ];
    let results = fleet.results(&edit);
    assert!(all(&results[..1000], "done"));
    let rest: Vec<&str> = results[1000..]
        .iter()
        .map(|(_, result)| result.as_str())
        .collect();
    assert_eq!(rest, ["failed", "not-tried"]);
    fleet.run(&edit).complains(6, "Not that one.");
}

#[test]
fn a_code_that_was_ended_leads_to_another() {
    let server = picky(3);
    let fleet = Fleet::at(&server.url, "s3cretoken", ORGANIZER);
    let shown = fleet.run(&["show", "Lane 2", "Lane 3"]);
    assert!(shown.succeeds().stdout.contains("code ended"), "{shown:?}");
    assert!(shown.stderr.contains("fleet reconnect 2 3 "), "{shown:?}");
    let create = [
        "create",
        "--name",
        "Lane 2",
        "--all-events",
        "--security-profile",
        "pretixscan",
    ];
    let refused = fleet.run(&create);
    refused.complains(6, "its code was ended before it was used");
    assert!(refused.stderr.contains("fleet reconnect 2 "), "{refused:?}");
    let watch = fleet.run(&["watch", "--search", "none", "--until-all"]);
    watch.complains(2, "there is no such device");
}

#[test]
fn a_name_is_not_given_twice_unasked_and_a_new_device_is_told_from_a_revoked_one() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    fleet.run(&THREE).succeeds();
    let rename = ["edit", "1", "--name", "Lane 02"];
    fleet
        .run(&rename)
        .complains(6, "device 2 has the name \"Lane 02\" already");
    assert_eq!(installation.device(1)["name"], "Lane 01");
    fleet.run(&["revoke", "2", "--yes"]).succeeds();
    let again = fleet.run(&THREE);
    assert!(
        again
            .succeeds()
            .stdout
            .contains("device 2 of this name was revoked"),
        "{again:?}"
    );
    fleet.run(&rename).complains(6, "device 4 has the name");
    fleet.run(&[&rename[..], &["--yes"]].concat()).succeeds();
    assert_eq!(installation.device(1)["name"], "Lane 02");
}

#[test]
fn what_is_refused_is_told_whatever_becomes_of_the_sheet() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    fleet.run(&THREE).succeeds();
    let sheet = fleet.file("labels.pdf");
    let create = [
        "create", "--name", "Lane 01", "--event", "none", "--sheet", &sheet,
    ];
    fleet.run(&create).complains(6, "has this name already");
    assert!(!Path::new(&sheet).exists());
    let full = [
        "create",
        "--count",
        "4",
        "--name",
        "Lane {:02}",
        "--event",
        "none",
        "--sheet",
        "/dev/full",
    ];
    let refused = fleet.run(&full);
    refused.complains(6, "devices are not as they are to be");
}

#[test]
fn a_code_goes_where_no_link_of_others_leads() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    fleet.run(&THREE).succeeds();
    let folder = fleet.file("codes");
    fs::create_dir(&folder).unwrap();
    let (link, notes) = (format!("{folder}/0001-Lane-01.png"), fleet.file("notes"));
    fs::write(&notes, "mine").unwrap();
    symlink(&notes, &link).unwrap();
    let show = ["show", "1", "--qr-dir", &folder];
    fleet.run(&show).complains(1, "no picture");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "mine");
    fs::remove_file(&link).unwrap();
    fs::write(&link, "not a picture at all").unwrap();
    fleet.run(&show).complains(1, "no picture");
    fs::remove_file(&link).unwrap();
    // An earlier picture is replaced, whoever keeps it open.
    fleet.run(&show).succeeds();
    let mut kept = fs::File::open(&link).unwrap();
    fleet
        .run(&["reconnect", "1", "--again", "--yes", "--qr-dir", &folder])
        .succeeds();
    let mut old = Vec::new();
    kept.read_to_end(&mut old).unwrap();
    assert_ne!(old, fs::read(&link).unwrap());
    assert_eq!(mode(Path::new(&link)), 0o600);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_live_table_tells_who_came_in() {
    let installation = Installation::start();
    let fleet = Fleet::of(&installation);
    let token = installation.create_device("Lane 1");
    installation.create_device("Lane 10");
    let terminal = Pty::new();
    let mut watch = fleet.command(&["watch", "Lane 1", "--every", "1", "--until-all"]);
    watch.env("NO_COLOR", "1");
    let mut watching = terminal.start_for_a_person(&watch);
    terminal.wait_for("1 device: 0 initialized, 1 waiting");
    Scanner::new()
        .init(&installation.url, &token, &[])
        .succeeds();
    terminal.wait_for("1 (Lane 1)  initialized");
    assert!(watching.wait().unwrap().success(), "Lane 10 is not meant");
    let shown = terminal.shown();
    assert!(!shown.contains("Lane 10"), "{shown}");
    assert!(
        shown.contains("1 device: 1 initialized, 0 waiting"),
        "{shown}"
    );
}
