//! When a server does not accept the key: what is believed, and what becomes of the device.

use std::fs;

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::ORGANIZER;
use crate::common::stranger::{Stranger, answer, identity, info};
use crate::common::way::header;

const REVOKED: &str = r#"{"detail": "Device access has been revoked."}"#;
const INVALID: &str = r#"{"detail": "Invalid token."}"#;
const KEY: &str = "k3yk3yk3yk3y";

fn unauthorized(body: &str) -> String {
    answer("401 Unauthorized", "application/json", body)
}

/// A device enrolled at a server that then gives these answers in turn, and the last one for ever.
fn enrolled(answers: &[String]) -> (Stranger, Scanner) {
    let mut all = vec![identity(KEY)];
    all.extend_from_slice(answers);
    let server = Stranger::answering_in_turn(all);
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    (server, scanner)
}

fn request(scanner: &Scanner) -> Ended {
    scanner.run(&["request", "GET", "/api/v1/organizers/"])
}

fn state(scanner: &Scanner) -> String {
    scanner.status()["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_device_that_was_revoked_on_the_server_learns_it_on_any_call() {
    for command in [
        &["info"][..],
        &["update"],
        &["roll"],
        &["event-selection"],
        &["request", "GET", "/api/v1/device/info"],
        &["info", "--media-keys"],
    ] {
        let (installation, scanner) = (Installation::start(), Scanner::new());
        let token = installation.create_device("Lane 1");
        scanner.init(&installation.url, &token, &[]).succeeds();
        installation.admin(&["device", "revoke", ORGANIZER, "1"]);
        scanner
            .run(command)
            .complains(16, "has revoked this device");
        assert_eq!(state(&scanner), "revoked", "{command:?}");
        assert_eq!(scanner.status()["name"], "Lane 1");
    }
}

#[test]
fn one_word_of_revocation_is_not_enough() {
    let (server, scanner) = enrolled(&[unauthorized(REVOKED), info(KEY), info(KEY)]);
    assert_eq!(request(&scanner).code, 19, "the answer is handed on");
    assert_eq!(state(&scanner), "enrolled");
    assert!(server.requests()[2].starts_with("GET /api/v1/device/info "));
    scanner.run(&["info"]).succeeds();
}

#[test]
fn two_different_words_reject_and_destroy_nothing() {
    for (first, second) in [(REVOKED, INVALID), (INVALID, REVOKED), (INVALID, INVALID)] {
        let (_server, scanner) = enrolled(&[unauthorized(first), unauthorized(second), info(KEY)]);
        request(&scanner).complains(17, "the key is kept");
        assert_eq!(state(&scanner), "rejected");
        scanner
            .run(&["status"])
            .complains(17, "gatehand info asks the server again");
        scanner.run(&["info"]).succeeds();
        assert_eq!(state(&scanner), "enrolled", "the key works again");
    }
}

#[test]
fn a_rejected_device_recovers_by_any_call_that_succeeds() {
    let events = answer("200 OK", "application/json", r#"{"count": 0}"#);
    let (_server, scanner) = enrolled(&[
        unauthorized(INVALID),
        unauthorized(INVALID),
        events.clone(),
        info(KEY),
    ]);
    assert_eq!(request(&scanner).code, 17);
    assert!(request(&scanner).succeeds().stdout.contains("count"));
    assert_eq!(state(&scanner), "enrolled");
}

#[test]
fn what_is_no_answer_of_the_api_is_not_believed() {
    for strange in [
        answer(
            "401 Unauthorized",
            "text/html",
            "<h1>Log in to the network</h1>",
        ),
        answer("403 Forbidden", "text/html", "<h1>blocked</h1>"),
        answer("200 OK", "text/html", "<h1>Accept the terms</h1>"),
        "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"
            .into(),
    ] {
        for first in [vec![], vec![unauthorized(REVOKED)]] {
            let (_server, scanner) = enrolled(&[first, vec![strange.clone()]].concat());
            let ended = scanner.run(&["info", "--timeout", "1"]);
            assert_eq!(ended.code, 7, "{ended:?}");
            assert_eq!(state(&scanner), "enrolled", "{strange}");
        }
    }
}

#[test]
fn an_answer_about_another_device_is_not_taken_in() {
    let other = info(KEY).replace("ABCDEFGH12345678", "HGFEDCBA87654321");
    let (_server, scanner) = enrolled(&[other]);
    scanner
        .run(&["info"])
        .complains(7, "another device than this one");
    assert_eq!(scanner.status()["unique_serial"], "ABCDEFGH12345678");
}

#[test]
fn before_a_401_is_believed_the_key_is_read_again_from_the_vault() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    // Between the call and its 401 another process replaces the key.
    let way = crate::common::way::Way::to(&installation.url);
    scanner.init(&way.url, &token, &[]).succeeds();
    way.hold_next("GET /api/v1/device/info");
    let slow = scanner.start(&["request", "GET", "/api/v1/device/info"]);
    way.wait_until_held();
    scanner.run(&["roll"]).succeeds();
    way.let_go();
    let ended = crate::common::scanner::end(slow.wait_with_output().unwrap());
    assert!(!ended.stderr.contains("Invalid token"), "{ended:?}");
    assert_eq!(state(&scanner), "enrolled");
    let requests = way.requests();
    let asked: Vec<&str> = requests
        .iter()
        .filter(|request| request.starts_with("GET /api/v1/device/info "))
        .map(|request| header(request, "authorization"))
        .collect();
    assert_eq!(asked.len(), 2, "asked again with the new key");
    assert_ne!(asked[0], asked[1]);
}

#[test]
fn the_key_goes_to_the_enrolled_origin_only() {
    let (server, scanner) = enrolled(&[
        "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".into(),
    ]);
    let elsewhere = Stranger::answering(info(KEY));
    let redirect = scanner.run(&["info", "--timeout", "1"]);
    redirect.complains(7, "redirects are not followed");
    for other in [
        elsewhere.url.clone(),
        format!("{}/api/v1/device/info", elsewhere.url),
        elsewhere.url.replace("http:", ""),
    ] {
        let ended = scanner.run(&["request", "GET", &other]);
        assert_ne!(ended.code, 0, "{ended:?}");
    }
    assert!(elsewhere.requests().is_empty());
    assert!(
        server.requests()[1..]
            .iter()
            .all(|request| header(request, "authorization") == format!("Device {KEY}"))
    );
}

#[test]
fn who_replaces_a_copy_that_was_left_behind_is_not_told_to_revoke_the_device_that_lives_on() {
    for more in [&["--replace"][..], &["--replace", "--revoke-old"]] {
        let (installation, scanner) = (Installation::start(), Scanner::new());
        let token = installation.create_device("Lane 1");
        scanner.init(&installation.url, &token, &[]).succeeds();
        let copy = Scanner::new();
        fs::create_dir(copy.home()).unwrap();
        for (path, contents) in scanner.files() {
            fs::write(copy.home().join(path.file_name().unwrap()), contents).unwrap();
        }
        scanner.run(&["roll"]).succeeds();
        assert_eq!(copy.run(&["info"]).code, 17);

        let another = installation.create_device("Lane 2");
        let ended = copy.init(&installation.url, &another, more);
        ended.succeeds();
        assert!(
            ended
                .stderr
                .contains("if another copy of its vault is in use"),
            "{ended:?}"
        );
        for words in ["still active", "The next time"] {
            assert!(!ended.stderr.contains(words), "{ended:?}");
        }
        scanner.run(&["info"]).succeeds();
    }
}

#[test]
fn a_copy_of_a_vault_whose_key_the_other_copy_has_rolled_is_told_of_that() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    let copy = Scanner::new();
    std::fs::create_dir(copy.home()).unwrap();
    for (path, contents) in scanner.files() {
        let name = path.file_name().unwrap();
        std::fs::write(copy.home().join(name), contents).unwrap();
    }
    scanner.run(&["roll"]).succeeds();
    for command in ["info", "roll", "status"] {
        copy.run(&[command])
            .complains(17, "nother copy of this vault");
    }
    scanner.run(&["info"]).succeeds();

    // What has other reasons is not put down to a copy.
    let other = r#"{"detail": "The organizer is closed."}"#;
    let (_server, scanner) = enrolled(&[unauthorized(other)]);
    let ended = request(&scanner);
    ended.complains(17, "The organizer is closed.");
    assert!(!ended.stderr.contains("copy of this vault"), "{ended:?}");
}
