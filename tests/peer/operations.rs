//! Reporting and rolling, over a way on which answers get lost.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::faulty_way::Fault;
use crate::common::scanner::Scanner;
use crate::pretix::pretix;
use crate::{Enrolled, IMPATIENT, recover, standing, was_repeated};

const UPDATE: &str = "/api/v1/device/update";
const ROLL: &str = "/api/v1/device/roll";

fn in_peace() -> (Value, Value) {
    ("enrolled".into(), Value::Null)
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn whatever_happens_to_a_new_key_the_device_has_it_and_pretix_takes_no_other() {
    let device = Enrolled::new("Roll");
    for (fault, times) in [
        (Fault::Pass, 1),
        (Fault::LoseAnswer, 2),
        (Fault::CutAnswer, 2),
        (Fault::LoseRequest, 2),
        (Fault::Repeat, 1),
    ] {
        let what = format!("{fault:?}");
        device.way.forget();
        device.scanner.run(&["info"]).succeeds();
        let old = device.way.secrets().api_keys;
        device.way.once(ROLL, fault);
        device.scanner.run(&["roll"]).succeeds();
        device.way.settle();
        device.scanner.run(&["info"]).succeeds();
        assert_eq!(standing(&device.scanner), in_peace());
        if times > 1 {
            was_repeated(&device.way, ROLL);
        }

        let keys = device.way.secrets().api_keys;
        assert_eq!(
            (old.len(), keys.len()),
            (1, 2),
            "{what}: the old key and one new"
        );
        let works = |key: &str| {
            let info = pretix().as_device(key, Method::GET, "/api/v1/device/info");
            info.status == 200
        };
        assert!(!works(&old[0]) && works(&keys[1]), "{what}");
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_new_key_whose_answers_are_lost_is_fetched_by_whatever_command_comes_next() {
    for command in [
        &["info"][..],
        &["roll"],
        &["update", "--os-name", "X"],
        &["event-selection"],
        &["request", "GET", "/api/v1/version"],
    ] {
        let device = Enrolled::new("Lost roll");
        device.way.always(Fault::LoseAnswer);
        let roll = [&["roll"][..], &IMPATIENT].concat();
        device
            .scanner
            .run(&roll)
            .complains(8, "goes on where it stopped");
        assert_eq!(
            standing(&device.scanner),
            ("enrolled".into(), "roll".into())
        );
        recover(&device.way);
        device.scanner.run(command).succeeds();
        assert_eq!(standing(&device.scanner), in_peace(), "{command:?}");
        device.scanner.run(&["info"]).succeeds();
    }
}

/// A scanner with the vault that this one has now.
fn copy(scanner: &Scanner) -> Scanner {
    let copy = Scanner::new();
    fs::create_dir(copy.home()).unwrap();
    for entry in fs::read_dir(scanner.home()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.home().join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn of_two_copies_of_a_device_the_one_that_did_not_roll_is_told() {
    let device = Enrolled::new("Copied");
    let copied = copy(&device.scanner);
    copied.run(&["info"]).succeeds();
    device.scanner.run(&["roll"]).succeeds();
    copied
        .run(&["info"])
        .complains(17, "does not accept this device's key");
    assert_eq!(standing(&copied).0, "rejected");
    device.scanner.run(&["info"]).succeeds();
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn both_copies_of_a_device_that_lost_its_new_key_are_given_it() {
    let device = Enrolled::new("Copied while rolling");
    device.way.always(Fault::LoseAnswer);
    let roll = [&["roll"][..], &IMPATIENT].concat();
    assert_eq!(device.scanner.run(&roll).code, 8);
    let copied = copy(&device.scanner);
    recover(&device.way);
    for scanner in [&device.scanner, &copied, &device.scanner] {
        scanner.run(&["info"]).succeeds();
        assert_eq!(standing(scanner), in_peace());
    }
    assert_eq!(
        device.way.secrets().api_keys.len(),
        2,
        "the old key and one new"
    );
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn what_a_device_says_it_is_arrives_as_it_shows_it_whatever_it_is() {
    let device = Enrolled::new("Reports");
    let is_told = || {
        let (told, status) = (pretix().device(device.number), device.scanner.status());
        for field in ["hardware_brand", "hardware_model", "os_name", "os_version"] {
            assert_eq!(told[field], status["reported"][field], "{field}");
        }
        assert_eq!(standing(&device.scanner), in_peace());
        told
    };
    for odd in [
        "Kiosk \"3\" <b>&amp; \\ %s {}",
        "Größe 入口 بوابة 👩‍👩‍👧‍👦 e\u{301}",
        "tab\there\r\nand \u{1b}[31mthere\u{202e}\u{9b}",
        "  blanks around  ",
        &"x".repeat(500),
        &"🎟".repeat(500),
        "0",
        "null",
    ] {
        let report = ["update", "--hardware-brand", odd, "--hardware-model", odd];
        let more = ["--os-name", odd, "--os-version", odd];
        let ended = device.scanner.run(&[&report[..], &more].concat());
        assert_eq!(ended.code, 0, "{odd:?}: {ended:?}");
        is_told();
    }

    device.way.forget();
    device.way.once(UPDATE, Fault::LoseAnswer);
    device
        .scanner
        .run(&["update", "--os-name", "Lost"])
        .succeeds();
    was_repeated(&device.way, UPDATE);
    assert_eq!(is_told()["os_name"], "Lost");

    device.way.always(Fault::LoseAnswer);
    let update = ["update", "--os-name", "Lost again"];
    assert_eq!(
        device.scanner.run(&[&update[..], &IMPATIENT].concat()).code,
        8
    );
    assert_eq!(
        standing(&device.scanner),
        ("enrolled".into(), "update".into())
    );
    recover(&device.way);
    device.scanner.run(&["info"]).succeeds();
    assert_eq!(is_told()["os_name"], "Lost again");

    device.scanner.run(&["update", "--as-found"]).succeeds();
    assert_ne!(is_told()["os_name"], "Lost again");
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn what_pretix_says_of_the_device_is_taken_over() {
    let device = Enrolled::new("Lane 1");
    device.scanner.run(&["info"]).succeeds();
    let status = device.scanner.status();
    assert_eq!(status["security_profile"], "full");
    assert_eq!(status["server_version"], "2026.8.0");
    assert!(status["gate"].is_null());
    pretix().rename(device.number, "Lane 2");
    device.scanner.run(&["update"]).succeeds();
    assert_eq!(device.scanner.status()["name"], "Lane 2");

    let north = &pretix().fixture["gates"]["North"];
    let page = pretix().page(device.number, "edit");
    let gate = north["id"].to_string();
    let edited = [
        ("name", "Lane 3"),
        ("all_events", "on"),
        ("security_profile", "pretixscan_online_kiosk"),
        ("gate", &gate),
    ];
    pretix().browser().submit(&page, &edited);
    device.scanner.run(&["info"]).succeeds();
    let status = device.scanner.status();
    assert_eq!(status["name"], "Lane 3");
    assert_eq!(status["gate"], *north);
    assert_eq!(status["security_profile"], "pretixscan_online_kiosk");
    let media = ["request", "GET", "/api/v1/organizers/fest/reusablemedia/"];
    let denied = device.scanner.run(&media);
    denied.complains(19, "status 403");
    let body: Value = serde_json::from_str(&denied.stdout).unwrap();
    assert_eq!(
        body,
        json!({"detail": "Request denied by device security profile."})
    );
}
