//! Taking over a device that another app enrolled.

use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::stranger::{Stranger, answer, identity, info};
use crate::common::way::{Way, header};

const SERIAL: &str = "ABCDEFGH12345678";
const KEY: &str = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3";
/// Long enough for one try and a repetition.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];

fn existing(url: &str, key: &str, serial: &str) -> String {
    json!({"url": url, "key": key, "serial": serial}).to_string()
}

/// Adopts from standard input.
fn adopt(scanner: &Scanner, existing: &str, more: &[&str]) -> Ended {
    let arguments = [&["adopt", "-"], &IMPATIENT[..], more].concat();
    scanner.run_with_input(&arguments, existing.as_bytes())
}

/// What the vault holds but for what every vault does.
fn entries(scanner: &Scanner) -> i64 {
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    vault
        .query_row("SELECT count(*) FROM entry", [], |row| row.get(0))
        .unwrap()
}

#[track_caller]
fn no_file_holds(scanner: &Scanner, key: &str) {
    for (path, contents) in scanner.files() {
        let mut windows = contents.windows(key.len());
        let found = windows.any(|window| window == key.as_bytes());
        assert!(!found, "the key is in {}", path.display());
    }
}

/// A scanner that sent a token and never got an answer.
fn enrolling() -> (Stranger, Scanner) {
    let (server, scanner) = (Stranger::answering("HTTP/1.1 200 OK\r\n"), Scanner::new());
    let ended = scanner.init(&server.url, "kpp4jn8g2ynzonp6", &IMPATIENT);
    assert_eq!(ended.code, 8, "{ended:?}");
    (server, scanner)
}

#[test]
fn a_device_of_another_app_is_taken_over_and_the_server_sees_this_machine() {
    let installation = Installation::start();
    for (number, from_file) in [(1, true), (2, false)] {
        let name = format!("Lane {number}");
        let device = installation.enrol_with_another_app(&name);
        let row = || installation.devices()[number - 1].clone();
        let (before, scanner) = (row(), Scanner::new());
        assert_eq!(before["software_brand"], "pretixSCAN");
        let (key, serial) = (
            device["api_token"].as_str().unwrap(),
            device["unique_serial"].as_str().unwrap(),
        );
        let ended = if from_file {
            let file = scanner.scratch().join("old.json");
            fs::write(&file, existing(&installation.url, key, serial)).unwrap();
            scanner.run(&["adopt", file.to_str().unwrap(), "--json"])
        } else {
            let file = json!({
                "url": format!("{}/\n", installation.url), "api_token": format!("{key}\n"),
                "unique_serial": serial, "something": {"else": [1]},
            });
            adopt(&scanner, &file.to_string(), &["--json"])
        };
        let mut told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
        let of_the_command = told.as_object_mut().unwrap();
        assert_eq!(of_the_command.remove("done").unwrap(), "adopt");
        assert_eq!(of_the_command.remove("begun_before").unwrap(), false);
        assert_eq!(told, scanner.status());
        assert!(!ended.stdout.contains(key) && !ended.stderr.contains(key));

        let status = scanner.status();
        assert_eq!(status["state"], "enrolled");
        assert_eq!(status["pending"], Value::Null);
        assert_eq!(status["name"], name);
        assert_eq!(status["device_id"], number);
        assert_eq!(status["unique_serial"], serial);
        let row = row();
        assert_eq!(row["software_brand"], "gatehand");
        for field in ["hardware_brand", "hardware_model", "os_name", "os_version"] {
            assert_eq!(row[field], status["reported"][field], "{field}");
        }
        assert_eq!(row["initialized"], before["initialized"]);
        scanner.run(&["info"]).succeeds();
        no_file_holds(&scanner, key);
    }
}

#[test]
fn what_is_to_be_reported_instead_is_reported_of_an_adopted_device() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let device = installation.enrol_with_another_app("Lane 1");
    let existing = existing(
        &installation.url,
        device["api_token"].as_str().unwrap(),
        device["unique_serial"].as_str().unwrap(),
    );
    adopt(&scanner, &existing, &["--hardware-model", "Kiosk 3"]).succeeds();
    assert_eq!(installation.devices()[0]["hardware_model"], "Kiosk 3");
}

#[test]
fn nothing_is_stored_unless_the_server_confirms_the_device() {
    let installation = Installation::start();
    let device = installation.enrol_with_another_app("Lane 1");
    let url = installation.url.as_str();
    let (key, serial) = (
        device["api_token"].as_str().unwrap(),
        device["unique_serial"].as_str().unwrap(),
    );
    let gone = Stranger::once("");
    std::net::TcpStream::connect(gone.url.strip_prefix("http://").unwrap()).unwrap();
    let portal = Stranger::answering(answer("200 OK", "text/html", "<html>"));
    for (url, key, serial, code, words) in [
        (url, KEY, serial, 17, "nothing was adopted"),
        (url, key, SERIAL, 7, "another device"),
        (&portal.url, key, serial, 7, "not the device API"),
        (&gone.url, key, serial, 8, "can't connect"),
        ("http://192.0.2.1", key, serial, 5, "--allow-http"),
    ] {
        let scanner = Scanner::new();
        let ended = adopt(&scanner, &existing(url, key, serial), &[]);
        ended.complains(code, words);
        assert!(!ended.stderr.contains(key), "{ended:?}");
        assert_eq!(scanner.status()["state"], "not-enrolled");
        if scanner.home().exists() {
            assert_eq!(entries(&scanner), 0, "{words}");
            no_file_holds(&scanner, key);
        }
    }
    assert_eq!(installation.devices()[0]["software_brand"], "pretixSCAN");
}

#[test]
fn an_enrolled_device_is_kept_unless_it_is_to_be_replaced() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    let device = installation.enrol_with_another_app("Lane 2");
    let way = Way::to(&installation.url);
    let serial = device["unique_serial"].as_str().unwrap();
    let right = existing(&way.url, device["api_token"].as_str().unwrap(), serial);

    let before = scanner.lasting_files();
    adopt(&scanner, &right, &[]).complains(12, "already enrolled");
    assert!(scanner.lasting_files() == before, "a file was changed");
    assert!(way.requests().is_empty(), "the key was sent");

    // Neither does a replacement that fails cost the device that is there.
    let wrong = existing(&way.url, KEY, serial);
    adopt(&scanner, &wrong, &["--replace"]).complains(17, "nothing was adopted");
    assert_eq!(scanner.status()["name"], "Lane 1");
    scanner.run(&["info"]).succeeds();

    adopt(&scanner, &right, &["--replace"]).succeeds();
    assert_eq!(scanner.status()["name"], "Lane 2");
    scanner.run(&["info"]).succeeds();
    let device = format!("Device {}", device["api_token"].as_str().unwrap());
    let requests = way.requests();
    let last = requests.last().unwrap();
    assert_eq!(header(last, "authorization"), device);
}

#[test]
fn a_device_that_was_taken_over_already_with_this_key_is_taken_over() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let device = installation.enrol_with_another_app("Lane 1");
    let (key, serial) = (
        device["api_token"].as_str().unwrap(),
        device["unique_serial"].as_str().unwrap(),
    );
    let right = existing(&installation.url, key, serial);
    adopt(&scanner, &right, &[]).succeeds();
    let before = scanner.status();
    adopt(&scanner, &right, &[]).succeeds();
    let after = scanner.status();
    for field in ["state", "unique_serial", "enrolled", "since"] {
        assert_eq!(after[field], before[field], "{field}");
    }

    for other in [
        existing(&installation.url, KEY, serial),
        existing(&installation.url, key, SERIAL),
        existing(&format!("{}/shop", installation.url), key, serial),
    ] {
        adopt(&scanner, &other, &[]).complains(12, "already enrolled");
    }
    // It would be lost.
    adopt(&scanner, &right, &["--hardware-model", "Kiosk 3"]).complains(12, "already enrolled");
    scanner.run(&["roll"]).succeeds();
    adopt(&scanner, &right, &[]).complains(12, "already enrolled");
}

#[test]
fn an_unfinished_enrolment_is_given_up_only_if_it_is_to_be_and_the_device_is_there() {
    let server = Stranger::answering_in_turn(vec![
        answer(
            "401 Unauthorized",
            "application/json",
            r#"{"detail": "Invalid token."}"#,
        ),
        info(KEY),
        identity(KEY),
    ]);
    let (lossy, scanner) = enrolling();
    let existing = existing(&server.url, KEY, SERIAL);
    let is_still_enrolling = || {
        let status = scanner.status();
        assert_eq!(status["state"], "enrolling");
        assert_eq!(status["unfinished"], lossy.url);
    };

    let before = scanner.lasting_files();
    adopt(&scanner, &existing, &[]).complains(12, "was not finished");
    assert!(scanner.lasting_files() == before, "a file was changed");
    assert!(server.requests().is_empty(), "the key was sent");
    is_still_enrolling();

    adopt(&scanner, &existing, &["--replace"]).complains(17, "nothing was adopted");
    is_still_enrolling();

    adopt(&scanner, &existing, &["--replace"]).succeeds();
    let status = scanner.status();
    assert_eq!(status["state"], "enrolled");
    assert_eq!(status["server"], server.url);
    assert_eq!(status["pending"], Value::Null);
}

#[test]
fn a_report_that_is_refused_does_not_undo_the_adoption() {
    let refusal = answer(
        "403 Forbidden",
        "application/json",
        r#"{"detail": "Not now."}"#,
    );
    let server = Stranger::answering_in_turn(vec![info(KEY), refusal]);
    let scanner = Scanner::new();
    let ended = adopt(&scanner, &existing(&server.url, KEY, SERIAL), &[]);
    assert!(ended.succeeds().stderr.contains("Not now."), "{ended:?}");
    let status = scanner.status();
    assert_eq!(status["state"], "enrolled");
    assert_eq!(status["pending"], Value::Null);
    assert_eq!(status["reported"], Value::Null);
}

#[test]
fn a_file_of_another_shape_is_refused_in_words_that_do_not_repeat_the_key() {
    let scanner = Scanner::new();
    for content in [
        String::new(),
        KEY.to_owned(),
        format!("<html>{KEY}</html>"),
        format!(r#"{{"url": "http://localhost:1", "key": "{KEY}", "serial": "{SERIAL}""#),
        json!([KEY]).to_string(),
        json!({"url": "http://localhost:1", "key": KEY}).to_string(),
        json!({"url": "http://localhost:1", "serial": SERIAL}).to_string(),
        json!({"key": KEY, "serial": SERIAL}).to_string(),
        json!({"url": "http://localhost:1", "key": [KEY], "serial": SERIAL}).to_string(),
        json!({"url": {KEY: 1}, "key": KEY, "serial": SERIAL}).to_string(),
        json!({"url": "http://localhost:1", "key": KEY, "api_token": KEY, "serial": SERIAL})
            .to_string(),
        existing("http://localhost:1", &format!("{KEY}\n{KEY}"), SERIAL),
        existing("http://localhost:1", " ", SERIAL),
        existing("http://localhost:1", KEY, " "),
    ] {
        let ended = adopt(&scanner, &content, &[]);
        ended.complains(2, "standard input is not JSON with url, key and serial");
        assert!(!ended.stderr.contains(KEY), "{content}: {ended:?}");
        assert!(!scanner.home().exists(), "{content}");
    }
    let ended = adopt(&scanner, &existing("localhost", KEY, SERIAL), &[]);
    ended.complains(4, "https://localhost");
    scanner
        .run(&["adopt", "missing.json"])
        .complains(1, "can't read missing.json");
    let large = " ".repeat(64 * 1024 + 1);
    adopt(&scanner, &large, &[]).complains(1, "is larger than");
}

#[test]
fn what_can_not_be_reported_is_found_before_anything_is_stored() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let device = installation.enrol_with_another_app("Lane 1");
    let existing = json!({
        "url": installation.url, "key": device["api_token"], "serial": device["unique_serial"],
    });
    let file = scanner.scratch().join("existing.json");
    fs::write(&file, existing.to_string()).unwrap();
    scanner
        .run(&["adopt", file.to_str().unwrap(), "--hardware-brand", " "])
        .complains(2, "hardware brand");
    assert_eq!(scanner.status()["state"], "not-enrolled");
}
