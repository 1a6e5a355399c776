//! Reporting, rolling and revoking, at a server of our own and over ways that lose answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::io::{BufRead, BufReader};
use std::thread;

use common::installation::Installation;
use common::scanner::Scanner;
use common::server::ORGANIZER;
use common::stranger::{Stranger, answer, answer_with, identity, info};
use common::way::{Way, header};
use rusqlite::Connection;
use serde_json::Value;

/// Long enough for one try and a repetition.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];

/// An enrolled device, its server, and the way between them.
fn enrolled() -> (Installation, Way, Scanner) {
    let installation = Installation::start();
    let way = Way::to(&installation.url);
    let scanner = Scanner::new();
    let token = installation.create_device("Lane 1");
    let report = ["--hardware-brand", "Zebra"];
    scanner.init(&way.url, &token, &report).succeeds();
    (installation, way, scanner)
}

fn idempotency_keys(requests: &[String], path: &str) -> Vec<String> {
    let of_path = requests
        .iter()
        .filter(|request| request.starts_with(&format!("POST /api/v1/device/{path} ")));
    of_path
        .map(|request| header(request, "x-idempotency-key").to_owned())
        .collect()
}

fn standing(scanner: &Scanner) -> (Value, Value) {
    let status = scanner.status();
    (status["state"].clone(), status["pending"].clone())
}

/// Whether the vault has a sealed entry of this name.
fn has_sealed(scanner: &Scanner, name: &str) -> bool {
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let count: i64 = vault
        .query_row(
            "SELECT count(*) FROM entry WHERE name = ?1 AND sealed IS NOT NULL",
            [name],
            |row| row.get(0),
        )
        .unwrap();
    count > 0
}

#[test]
fn what_is_to_be_reported_instead_is_kept_for_later_reports() {
    let (installation, _way, scanner) = enrolled();
    scanner
        .run(&["update", "--hardware-model", "Kiosk 3"])
        .succeeds();
    let device = &installation.devices()[0];
    assert_eq!(device["hardware_brand"], "Zebra");
    assert_eq!(device["hardware_model"], "Kiosk 3");

    scanner.run(&["update"]).succeeds();
    assert_eq!(installation.devices()[0]["hardware_model"], "Kiosk 3");
    scanner.run(&["update", "--as-found"]).succeeds();
    let device = &installation.devices()[0];
    assert_ne!(device["hardware_brand"], "Zebra");
    assert_ne!(device["hardware_model"], "Kiosk 3");
}

/// What was acknowledged is another version.
fn after_an_update_of_the_software(scanner: &Scanner) {
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let changed = vault.execute(
        "UPDATE entry SET plain = json_set(plain, '$.reported.software_version', '0.0.1')
         WHERE name = 'identity'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
}

#[test]
fn a_report_that_is_no_longer_true_is_sent_with_the_next_call_and_only_then() {
    let (installation, way, scanner) = enrolled();
    scanner.run(&["info"]).succeeds();
    assert!(idempotency_keys(&way.requests(), "update").is_empty());

    after_an_update_of_the_software(&scanner);
    scanner.run(&["info"]).succeeds();
    scanner.run(&["info"]).succeeds();
    assert_eq!(idempotency_keys(&way.requests(), "update").len(), 1);
    assert_eq!(
        installation.devices()[0]["software_version"],
        env!("CARGO_PKG_VERSION")
    );
}

#[test]
fn a_report_is_not_marked_done_before_its_answer_is_read() {
    let (installation, way, scanner) = enrolled();
    way.lose_answers();
    let update = ["update", "--hardware-model", "Kiosk 3"];
    scanner
        .run(&[&update[..], &IMPATIENT].concat())
        .complains(8, "the next try goes on where it stopped");
    assert_eq!(standing(&scanner), ("enrolled".into(), "update".into()));
    assert_ne!(
        scanner.status()["reported"]["hardware_model"],
        "Kiosk 3",
        "the server has it, but has not said so"
    );
    assert_eq!(installation.devices()[0]["hardware_model"], "Kiosk 3");

    way.lose_nothing();
    scanner.run(&["info"]).succeeds();
    assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
    assert_eq!(scanner.status()["reported"]["hardware_model"], "Kiosk 3");
    let keys = idempotency_keys(&way.requests(), "update");
    assert!(keys.len() >= 2 && keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn a_lost_new_key_is_asked_for_again_under_the_same_idempotency_key() {
    let (_installation, way, scanner) = enrolled();
    way.lose_answers();
    scanner
        .run(&[&["roll"][..], &IMPATIENT].concat())
        .complains(8, "the next try goes on where it stopped");
    assert_eq!(standing(&scanner), ("enrolled".into(), "roll".into()));
    way.lose_nothing();
    scanner.run(&["info"]).succeeds();
    assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));

    let requests = way.requests();
    let keys = idempotency_keys(&requests, "roll");
    assert!(keys.len() >= 2 && keys.iter().all(|key| *key == keys[0]));
    assert_eq!(keys[0].len(), 48, "192 random bits in hexadecimal");
    let authorizations: Vec<&str> = [&requests[requests.len() - 2], &requests[requests.len() - 1]]
        .map(|request| header(request, "authorization"))
        .to_vec();
    assert_ne!(authorizations[0], authorizations[1], "the key is a new one");
}

#[test]
fn every_operation_has_an_idempotency_key_of_its_own() {
    let (_installation, way, scanner) = enrolled();
    for _ in 0..3 {
        scanner.run(&["roll"]).succeeds();
        scanner.run(&["update"]).succeeds();
    }
    let requests = way.requests();
    let mut keys = idempotency_keys(&requests, "roll");
    keys.extend(idempotency_keys(&requests, "update"));
    keys.extend(idempotency_keys(&requests, "initialize"));
    assert_eq!(keys.len(), 7);
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 7);
}

#[test]
fn processes_that_roll_at_once_take_turns_and_the_last_key_works() {
    let (_installation, way, scanner) = enrolled();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| scanner.run(&["roll"]).succeeds().code);
            scope.spawn(|| scanner.run(&["info"]).succeeds().code);
        }
    });
    scanner.run(&["info"]).succeeds();
    assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
    let mut keys = idempotency_keys(&way.requests(), "roll");
    keys.dedup();
    assert_eq!(keys.len(), 4, "each roll was done once");
}

#[test]
fn a_server_without_idempotency_keys_that_has_rolled_leads_to_words_on_what_to_do() {
    let (installation, way, scanner) = enrolled();
    way.forget_idempotency_keys();
    way.lose_answers();
    assert_eq!(scanner.run(&[&["roll"][..], &IMPATIENT].concat()).code, 8);
    way.lose_nothing();
    let ended = scanner.run(&["info"]);
    ended.complains(
        18,
        "revoke the device on the server, create a new one there",
    );
    assert_eq!(standing(&scanner), ("answer-lost".into(), Value::Null));
    let status = scanner.status();
    assert_eq!(status["lost"]["operation"], "roll");
    assert_eq!(status["name"], "Lane 1", "who it was is still known");
    for command in ["status", "info", "roll", "update", "event-selection"] {
        assert_eq!(scanner.run(&[command]).code, 18, "{command}");
    }

    let token = installation.create_device("Lane 1 again");
    scanner.init(&installation.url, &token, &[]).succeeds();
    assert_eq!(scanner.status()["name"], "Lane 1 again");
    assert!(scanner.status()["lost"].is_null());
}

#[test]
fn a_server_without_idempotency_keys_that_has_redeemed_the_token_does_so_too() {
    let installation = Installation::start();
    let (way, scanner) = (Way::to(&installation.url), Scanner::new());
    way.forget_idempotency_keys();
    let token = installation.create_device("Lane 1");
    way.lose_answers();
    assert_eq!(scanner.init(&way.url, &token, &IMPATIENT).code, 8);
    way.lose_nothing();
    scanner
        .init(&way.url, &token, &[])
        .complains(18, "redeemed this device's initialization token");
    assert_eq!(standing(&scanner), ("answer-lost".into(), Value::Null));
    assert_eq!(scanner.status()["lost"]["operation"], "initialize");
    scanner.run(&["status"]).complains(18, "create a new one");

    let token = installation.create_device("Lane 2");
    scanner.init(&way.url, &token, &[]).succeeds();
    assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
}

#[test]
fn a_lost_answer_of_a_replacement_leaves_the_device_that_was_there() {
    let (installation, way, scanner) = enrolled();
    way.forget_idempotency_keys();
    let token = installation.create_device("Lane 2");
    way.lose_answers();
    let replace = [&["--replace"][..], &IMPATIENT].concat();
    assert_eq!(scanner.init(&way.url, &token, &replace).code, 8);
    way.lose_nothing();
    scanner
        .init(&way.url, &token, &[])
        .complains(18, "create a new one");
    assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
    scanner.run(&["info"]).succeeds();
    assert_eq!(scanner.status()["name"], "Lane 1");
}

#[test]
fn a_revocation_destroys_every_secret_and_keeps_the_record() {
    let (installation, _way, scanner) = enrolled();
    installation.admin(&["media-keys", "create", ORGANIZER, "7"]);
    scanner.run(&["info", "--media-keys"]).succeeds();
    assert!(has_sealed(&scanner, "api key") && has_sealed(&scanner, "rsa key"));
    scanner.run(&["revoke"]).complains(2, "give --yes");
    scanner.run(&["revoke", "--yes"]).succeeds();

    assert_eq!(installation.devices()[0]["revoked"], true);
    assert_eq!(standing(&scanner), ("revoked".into(), Value::Null));
    assert_eq!(scanner.status()["name"], "Lane 1");
    assert!(!has_sealed(&scanner, "api key") && !has_sealed(&scanner, "rsa key"));
    for command in [&["info"][..], &["roll"], &["revoke", "--yes"], &["status"]] {
        assert_eq!(scanner.run(command).code, 16, "{command:?}");
    }
    let token = installation.create_device("Lane 2");
    scanner.init(&installation.url, &token, &[]).succeeds();
    assert_eq!(scanner.status()["name"], "Lane 2");
}

#[test]
fn a_lost_answer_to_a_revocation_is_no_loss_whatever_the_server_knows() {
    for forgets in [false, true] {
        let (installation, way, scanner) = enrolled();
        if forgets {
            way.forget_idempotency_keys();
        }
        way.lose_answers();
        let revoke = [&["revoke", "--yes"][..], &IMPATIENT].concat();
        assert_eq!(scanner.run(&revoke).code, 8);
        assert_eq!(standing(&scanner), ("enrolled".into(), "revoke".into()));
        way.lose_nothing();
        scanner.run(&["revoke", "--yes"]).succeeds();
        assert_eq!(standing(&scanner), ("revoked".into(), Value::Null));
        assert_eq!(installation.devices()[0]["revoked"], true);
    }
}

#[test]
fn an_operation_that_is_killed_while_it_finds_no_server_is_not_done_later() {
    for operation in [&["roll"][..], &["revoke", "--yes"]] {
        let (server, scanner) = (Stranger::once(&identity("k3y")), Scanner::new());
        scanner
            .init(&server.url, "kpp4jn8g2ynzonp6", &[])
            .succeeds();
        // By now the server is gone.
        let mut trying = scanner.start(&[operation, &["--log", "info"]].concat());
        let log = BufReader::new(trying.stderr.take().unwrap());
        let mut lines = log.lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("the next try is in")));
        trying.kill().unwrap();
        trying.wait().unwrap();
        assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
    }
}

#[test]
fn an_operation_that_never_left_the_device_is_not_done_later() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    drop(installation);
    for command in [&["roll"][..], &["revoke", "--yes"], &["update"]] {
        scanner
            .run(&[command, &IMPATIENT].concat())
            .complains(8, "can't connect to");
        assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
    }
}

#[test]
fn what_the_server_says_of_the_device_is_taken_over() {
    let (installation, _way, scanner) = enrolled();
    installation.admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    installation.admin(&["device", "rename", ORGANIZER, "1", "Lane 9"]);
    installation.admin(&["device", "move", ORGANIZER, "1", "north"]);
    scanner.run(&["update"]).succeeds();
    let status = scanner.status();
    assert_eq!(status["name"], "Lane 9");
    assert_eq!(status["gate"]["identifier"], "north");
    assert!(
        status["server_version"].is_null(),
        "no answer carried it yet"
    );

    installation.admin(&["device", "rename", ORGANIZER, "1", "Lane 10"]);
    installation.admin(&["device", "move", ORGANIZER, "1"]);
    scanner.run(&["info"]).succeeds();
    let status = scanner.status();
    assert_eq!(status["name"], "Lane 10");
    assert!(status["gate"].is_null());
    assert_eq!(status["server_version"], "2026.8.0");
}

#[test]
fn what_people_want_reported_outlives_a_report_that_was_lost() {
    let (installation, way, scanner) = enrolled();
    way.lose_answers();
    let lost = ["update", "--hardware-model", "Kiosk 3"];
    assert_eq!(scanner.run(&[&lost[..], &IMPATIENT].concat()).code, 8);
    way.lose_nothing();
    scanner.run(&["update", "--os-name", "Other"]).succeeds();
    let device = &installation.devices()[0];
    assert_eq!(
        (&device["hardware_model"], &device["os_name"]),
        (&"Kiosk 3".into(), &"Other".into())
    );
    assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
}

/// A server that answers one of the device API's calls with `failure`.
fn failing_at(path: &'static str, failure: String) -> Stranger {
    Stranger::answering_by(move |request| match request {
        request if request.contains(&format!("{path} ")) => failure.clone(),
        request if request.starts_with("GET") => info("k3y"),
        _ => identity("k3y"),
    })
}

#[test]
fn a_report_that_is_not_taken_stops_neither_calls_nor_other_operations() {
    let failure = answer("500 Internal Server Error", "text/html", "oops");
    let server = failing_at("/device/update", failure);
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    let update = ["update", "--hardware-model", "Kiosk 3"];
    scanner
        .run(&update)
        .complains(7, "goes on where it stopped");
    for command in [
        &["info"][..],
        &["request", "GET", "/api/v1/device/info"],
        &["roll"],
        &["revoke", "--yes"],
    ] {
        scanner.run(command).succeeds();
    }
    assert_eq!(standing(&scanner), ("revoked".into(), Value::Null));
}

#[test]
fn a_report_that_is_due_does_not_keep_a_call_waiting_as_long_as_its_server_asks() {
    let busy = answer_with("503 Service Unavailable", "Retry-After: 20", "{}");
    let server = failing_at("/device/update", busy);
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    after_an_update_of_the_software(&scanner);
    scanner
        .run(&["request", "GET", "/api/v1/device/info"])
        .succeeds();
    let requests = server.requests();
    let updates = requests
        .iter()
        .filter(|request| request.contains("/device/update "));
    assert_eq!(updates.count(), 1);
}

#[test]
fn a_roll_that_can_not_be_finished_does_not_stop_the_key_that_is_there() {
    let missing = answer("404 Not Found", "text/html", "<h1>404</h1>");
    let server = failing_at("/device/roll", missing);
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    assert_eq!(scanner.run(&["roll"]).code, 7);
    scanner.run(&["info"]).succeeds();
    assert_eq!(standing(&scanner), ("enrolled".into(), "roll".into()));
}

#[test]
fn a_server_that_stands_in_for_another_ends_no_enrolment_that_was_sent_before() {
    let unknown = r#"{"token": ["Unknown initialization token."]}"#;
    let lost = "HTTP/1.1 200 OK\r\n".to_owned();
    let stand_in = answer("400 Bad Request", "application/json", unknown);
    let server = Stranger::answering_in_turn(vec![lost, stand_in, identity("k3y")]);
    let scanner = Scanner::new();
    let ended = scanner.init(&server.url, "kpp4jn8g2ynzonp6", &[]);
    ended.complains(6, "it stays begun");
    assert_eq!(
        standing(&scanner),
        ("enrolling".into(), "initialize".into())
    );
    scanner
        .init(&server.url, "kpp4jn8g2ynzonp6", &[])
        .succeeds();
    let keys: Vec<String> = server
        .requests()
        .iter()
        .map(|request| header(request, "x-idempotency-key").to_owned())
        .collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[test]
fn a_report_that_is_refused_can_be_corrected() {
    let refused = r#"{"hardware_brand": ["Not a brand."]}"#;
    let away = answer("502 Bad Gateway", "text/html", "");
    let refusal = answer("400 Bad Request", "application/json", refused);
    let server = Stranger::answering_in_turn(vec![away, refusal, identity("k3y")]);
    let scanner = Scanner::new();
    scanner
        .init(&server.url, "token", &[])
        .complains(6, "Not a brand");
    assert_eq!(standing(&scanner), ("not-enrolled".into(), Value::Null));
    let corrected = ["--hardware-brand", "Good"];
    scanner.init(&server.url, "token", &corrected).succeeds();
    assert_eq!(scanner.status()["reported"]["hardware_brand"], "Good");
}

#[test]
fn a_revoked_device_whose_next_enrolment_was_lost_is_told_so() {
    let (installation, way, scanner) = enrolled();
    scanner.run(&["revoke", "--yes"]).succeeds();
    way.forget_idempotency_keys();
    let token = installation.create_device("Lane 2");
    way.lose_answers();
    assert_eq!(scanner.init(&way.url, &token, &IMPATIENT).code, 8);
    way.lose_nothing();
    assert_eq!(scanner.init(&way.url, &token, &[]).code, 18);
    for command in [&["status"][..], &["info"], &["roll"]] {
        assert_eq!(scanner.run(command).code, 18, "{command:?}");
    }
    let token = installation.create_device("Lane 3");
    scanner.init(&way.url, &token, &[]).succeeds();
}

#[test]
fn the_same_code_again_is_done_already() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    for more in [&[][..], &[], &["--replace"]] {
        scanner.init(&way.url, &token, more).succeeds();
    }
    assert_eq!(idempotency_keys(&way.requests(), "initialize").len(), 1);
    scanner.run(&["roll"]).succeeds();
    scanner.init(&way.url, &token, &[]).succeeds();
    scanner.run(&["init"]).complains(12, "already enrolled");
}

#[test]
fn what_an_apps_own_look_at_the_device_tells_is_taken_over() {
    let (installation, _way, scanner) = enrolled();
    installation.admin(&["device", "rename", ORGANIZER, "1", "Lane 9"]);
    scanner
        .run(&["request", "GET", "/api/v1/device/info"])
        .succeeds();
    assert_eq!(scanner.status()["name"], "Lane 9");
}

#[test]
fn a_revocation_is_believed_beside_a_report_that_is_not_taken() {
    let revoked = r#"{"detail": "Device access has been revoked."}"#;
    let server = Stranger::answering_by(move |request| {
        if request.contains("/device/update ") {
            return answer("404 Not Found", "text/html", "<h1>404</h1>");
        }
        match request.starts_with("GET") {
            true => answer("401 Unauthorized", "application/json", revoked),
            false => identity("k3y"),
        }
    });
    let scanner = Scanner::new();
    scanner
        .init(&server.url, "kpp4jn8g2ynzonp6", &[])
        .succeeds();
    assert_eq!(scanner.run(&["update", "--os-name", "X"]).code, 7);
    assert_eq!(standing(&scanner), ("enrolled".into(), "update".into()));
    assert_eq!(scanner.run(&["info"]).code, 16);
    assert_eq!(standing(&scanner), ("revoked".into(), Value::Null));
    assert!(!has_sealed(&scanner, "api key") && !has_sealed(&scanner, "redeemed token"));
}

#[test]
fn a_gateways_list_of_words_does_not_end_an_enrolment_that_was_sent_before() {
    let away = answer("502 Bad Gateway", "text/html", "");
    let blocked = answer(
        "400 Bad Request",
        "application/json",
        r#"{"errors": ["blocked"]}"#,
    );
    let server = Stranger::answering_in_turn(vec![away, blocked, identity("k3y")]);
    let scanner = Scanner::new();
    let token = "kpp4jn8g2ynzonp6";
    scanner
        .init(&server.url, token, &[])
        .complains(6, "blocked");
    assert_eq!(
        standing(&scanner),
        ("enrolling".into(), "initialize".into())
    );
    scanner.init(&server.url, token, &[]).succeeds();
}
