//! Enrolling at a server of our own, both as processes, with answers that get lost on the way.

use std::thread;

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::way::Way;

#[test]
fn a_device_is_enrolled_and_the_server_shows_what_it_reported() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner
        .init(
            &installation.url,
            &token,
            &["--hardware-brand", "Zebra", "--os-name", "X"],
        )
        .succeeds();

    let (device, status) = (&installation.devices()[0], scanner.status());
    assert!(device["initialized"].is_string());
    assert_eq!(
        (&device["hardware_brand"], &device["os_name"]),
        (&"Zebra".into(), &"X".into())
    );
    assert_eq!(
        device["hardware_model"],
        status["reported"]["hardware_model"]
    );
    assert_eq!(device["unique_serial"], status["unique_serial"]);
    assert_eq!(device["software_brand"], "gatehand");
}

#[test]
fn a_lost_answer_is_repeated_by_the_server_and_the_token_is_not_lost() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    let way = Way::to(&installation.url);
    for _ in 0..2 {
        way.lose_answers();
        scanner
            .init(&way.url, &token, &["--timeout", "1"])
            .complains(8, "it goes on where it stopped");
        assert_eq!(scanner.status()["state"], "enrolling");
    }
    assert!(
        installation.devices()[0]["initialized"].is_string(),
        "the token was used up"
    );

    way.lose_nothing();
    scanner.init(&way.url, &token, &[]).succeeds();
    assert_eq!(
        scanner.status()["unique_serial"],
        installation.devices()[0]["unique_serial"]
    );
}

#[test]
fn of_many_that_enrol_one_scanner_at_once_one_does_and_all_find_it_done() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    let way = Way::to(&installation.url);
    let ended: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| scanner.init(&way.url, &token, &[])))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(ended.iter().all(|ended| ended.code == 0), "{ended:?}");
    assert_eq!(way.requests().len(), 1, "the token was sent once");
    assert_eq!(scanner.status()["state"], "enrolled");
    let other = installation.create_device("Lane 2");
    scanner
        .init(&way.url, &other, &[])
        .complains(12, "already enrolled");
}

#[test]
fn a_token_works_once_and_the_second_scanner_is_told() {
    let installation = Installation::start();
    let token = installation.create_device("Lane 1");
    Scanner::new()
        .init(&installation.url, &token, &[])
        .succeeds();
    let second = Scanner::new();
    installation.create_device("Lane 2");
    let revoked = installation.create_device("Lane 3");
    installation.admin(&["device", "revoke", "bigevents", "3"]);
    for (token, words, advice) in [
        (
            &*token,
            "has already been used",
            "else another device has used it",
        ),
        (
            "unknownunknown00",
            "Unknown initialization token",
            "check that the code is whole",
        ),
        (&*revoked, "revoked", "create a new one there"),
    ] {
        let ended = second.init(&installation.url, token, &["--json"]);
        ended.complains(6, words);
        let told: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
        let advised = told["advice"].as_str().unwrap();
        assert!(
            advised.contains(advice) && !advised.contains("--replace"),
            "{advised}"
        );
        assert_eq!(second.status()["state"], "not-enrolled");
    }
}
