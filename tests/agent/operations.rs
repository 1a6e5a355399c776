//! Reporting, rolling and revoking, at a server of our own and over ways that lose answers.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::thread;

use rusqlite::Connection;
use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::scanner::{Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::stranger::{Stranger, answer, answer_with, identity, info};
use crate::common::way::{Way, header};

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
        .complains(8, "it goes on where it stopped");
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
        .complains(8, "it goes on where it stopped");
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
fn a_device_of_another_server_is_another_one_unless_it_may_be_the_same_whatever_its_serial() {
    // A test server that was made from a copy of the real one's database gives the same serials.
    let (first, second) = (
        Stranger::answering(identity("k3y")),
        Stranger::answering(identity("oth3r")),
    );
    for more in [&["--replace"][..], &["--replace", "--revoke-old"]] {
        let scanner = Scanner::new();
        scanner.init(&first.url, "token", &[]).succeeds();
        let ended = scanner.init(&second.url, "another", more);
        ended.complains(0, "may be another one than the new one");
        let requests = [first.requests(), second.requests()].concat();
        assert!(!requests.iter().any(|request| request.contains("/revoke ")));
    }
}

#[test]
fn an_unfinished_enrolment_that_is_given_up_may_have_made_a_device() {
    let scanner = Scanner::new();
    let silent = Stranger::silent_then(identity("k3y"));
    let ended = scanner.init(&silent.url, "token", &IMPATIENT);
    assert_eq!(ended.code, 8, "{ended:?}");
    let server = Stranger::answering(identity("k3y"));
    let ended = scanner.init(&server.url, "another", &["--replace"]);
    ended.complains(0, "its code may have made a device there");
    assert!(ended.stderr.contains(&silent.url), "{ended:?}");
}

#[test]
fn that_the_old_device_is_to_be_revoked_may_be_said_when_the_code_is_given_again() {
    let (installation, _old, new, scanner, init) = replaced();
    new.lose_answers();
    let ended = scanner.run(&with(&init, &IMPATIENT));
    assert_eq!(ended.code, 8, "{ended:?}");
    // The answer is lost again, and so the wish has to be kept until a later command.
    let ended = scanner.run(&with(&init, &["--revoke-old", "--timeout", "1"]));
    assert_eq!(ended.code, 8, "{ended:?}");
    new.lose_nothing();
    scanner.run(&["init"]).succeeds();
    assert_eq!(are_revoked(&installation), [true, false]);
}

#[test]
fn servers_that_are_gone_for_good_keep_nobody_waiting_again() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let mut gone = Vec::new();
    for number in 0..3 {
        let server = Stranger::answering_by(move |request| {
            let mut device = serde_json::json!({
                "organizer": "bigevents", "device_id": 7, "api_token": "k3y", "name": "Lane",
            });
            device["unique_serial"] = format!("ABCDEFGH1234567{number}").into();
            match request.contains("/initialize ") {
                true => answer("200 OK", "application/json", &device.to_string()),
                false => answer("500 Internal Server Error", "text/html", "oops"),
            }
        });
        let more = [&["--replace", "--revoke-old"][..], &IMPATIENT].concat();
        scanner.init(&server.url, "token", &more).succeeds();
        gone.push(server);
    }
    let token = installation.create_device("Lane 1");
    let more = ["--replace", "--revoke-old"];
    scanner.init(&installation.url, &token, &more).succeeds();
    let asked = |gone: &[Stranger]| gone.iter().map(|one| one.requests().len()).sum::<usize>();
    // Each may have been away for a moment only.
    for _ in 0..5 {
        scanner.run(&["info"]).succeeds();
    }
    let before = asked(&gone);
    for _ in 0..3 {
        let ended = scanner.run(&["info"]);
        assert_eq!(ended.succeeds().stderr, "");
    }
    assert_eq!(asked(&gone), before);
    assert_eq!(scanner.status()["to_revoke"].as_array().unwrap().len(), 3);
}

#[test]
fn what_was_done_is_told_where_the_output_can_not_be_written() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    let init = ["init", "--url", &installation.url, "--token", &token];
    for (operation, words) in [
        (&init[..], "This device is enrolled."),
        (&["roll"], "This device has a new key."),
        (&["roll", "--json"], "This device has a new key."),
        (&["revoke", "--yes"], "This device is revoked"),
    ] {
        let full = File::create("/dev/full").unwrap();
        let ended = end(scanner.command(operation).stdout(full).output().unwrap());
        ended.complains(1, "it was done, but not all of it could be told");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    assert_eq!(standing(&scanner), ("revoked".into(), Value::Null));
}

#[test]
fn an_enrolment_whose_answer_was_lost_is_finished_by_whatever_operation_comes_next() {
    let installation = Installation::start();
    for operation in [&["update"][..], &["roll"], &["revoke", "--yes"]] {
        let (way, scanner) = (Way::to(&installation.url), Scanner::new());
        way.lose_answers();
        let token = installation.create_device("Lane");
        let ended = scanner.init(&way.url, &token, &IMPATIENT);
        ended.complains(8, "it goes on where it stopped");
        way.lose_nothing();
        scanner.run(operation).succeeds();
        let state = match operation[0] {
            "revoke" => "revoked",
            _ => "enrolled",
        };
        assert_eq!(standing(&scanner), (state.into(), Value::Null));
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
    assert!(
        ended.stderr.contains("if it is refused again and again"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("new code"), "{ended:?}");
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

/// What a command prints with `--json`.
fn told(scanner: &Scanner, arguments: &[&str]) -> Value {
    let ended = scanner.run(&[arguments, &["--json"]].concat());
    serde_json::from_str(&ended.succeeds().stdout).unwrap()
}

#[test]
fn the_same_code_again_is_done_already() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    let first = scanner.init(&way.url, &token, &[]);
    assert!(
        first
            .succeeds()
            .stdout
            .contains("This device is enrolled.\n")
    );
    let init = ["init", "--url", &way.url, "--token", &token];
    for more in [&[][..], &["--replace"], &["--replace", "--revoke-old"]] {
        let ended = scanner.init(&way.url, &token, more);
        let heading = ended.succeeds().stdout.lines().next().unwrap();
        assert_eq!(heading, "This device is enrolled with this code already.");
        assert!(!ended.stderr.contains("begun before"), "{ended:?}");
        let says_so = ended.stderr.contains("Nothing was replaced");
        assert_eq!(says_so, !more.is_empty(), "{ended:?}");
        let told = told(&scanner, &[&init, more].concat());
        assert_eq!(
            (&told["done"], &told["begun_before"]),
            (&Value::Null, &false.into())
        );
        assert!(told["replaced"].is_null());
    }
    assert_eq!(idempotency_keys(&way.requests(), "initialize").len(), 1);
    scanner.run(&["roll"]).succeeds();
    scanner.init(&way.url, &token, &[]).succeeds();
    scanner.run(&["init"]).complains(12, "already enrolled");
}

#[test]
fn every_command_on_the_identity_tells_what_was_done_and_whether_it_was_begun_before() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    let init = ["init", "--url", &way.url, "--token", &token];
    for command in [&init[..], &["update"], &["roll"], &["revoke", "--yes"]] {
        way.lose_answers();
        assert_eq!(scanner.run(&[command, &IMPATIENT].concat()).code, 8);
        way.lose_nothing();
        let went_on = told(&scanner, command);
        assert_eq!(went_on["done"], command[0]);
        // A report that was begun gives way to the next one.
        assert_eq!(
            went_on["begun_before"],
            command[0] != "update",
            "{command:?}"
        );
        if matches!(command[0], "update" | "roll") {
            let done = told(&scanner, command);
            assert_eq!(
                (&done["done"], &done["begun_before"]),
                (&command[0].into(), &false.into())
            );
        }
    }
}

#[test]
fn a_device_that_was_revoked_from_here_says_so_and_not_that_the_server_did_it() {
    let (installation, way, scanner) = enrolled();
    // A lost answer makes no difference.
    way.lose_answers();
    assert_eq!(
        scanner
            .run(&[&["revoke", "--yes"][..], &IMPATIENT].concat())
            .code,
        8
    );
    way.lose_nothing();
    scanner.run(&["revoke", "--yes"]).succeeds();
    for command in [&["status"][..], &["info"], &["roll"], &["revoke", "--yes"]] {
        let ended = scanner.run(command);
        ended.complains(16, "was revoked from here");
        assert!(
            !ended.stderr.contains("the server has revoked"),
            "{ended:?}"
        );
    }
    assert_eq!(scanner.status()["revoked_by"], "device");

    let token = installation.create_device("Lane 2");
    scanner.init(&way.url, &token, &[]).succeeds();
    assert!(scanner.status()["revoked_by"].is_null());
    installation.admin(&["device", "revoke", ORGANIZER, "2"]);
    // Even if it is asked to do just that.
    scanner.run(&["revoke", "--yes"]).succeeds();
    scanner
        .run(&["status"])
        .complains(16, "the server has revoked");
    assert_eq!(scanner.status()["revoked_by"], "server");
}

/// A device that is about to be replaced by another one, with a way to each of their servers.
fn replaced() -> (Installation, Way, Way, Scanner, Vec<String>) {
    let installation = Installation::start();
    let (old, new) = (Way::to(&installation.url), Way::to(&installation.url));
    let scanner = Scanner::new();
    let token = installation.create_device("Lane 1");
    scanner.init(&old.url, &token, &[]).succeeds();
    let token = installation.create_device("Lane 2");
    let init = ["init", "--replace", "--url", &new.url, "--token", &token];
    let init = init.map(str::to_owned).to_vec();
    (installation, old, new, scanner, init)
}

fn with<'a>(command: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let mut all: Vec<&str> = command.iter().map(String::as_str).collect();
    all.extend(more);
    all
}

fn are_revoked(installation: &Installation) -> Vec<bool> {
    let devices = installation.devices();
    devices
        .iter()
        .map(|device| device["revoked"] == true)
        .collect()
}

#[test]
fn a_replaced_device_is_said_to_be_active_still() {
    let (installation, old, _new, scanner, init) = replaced();
    let ended = scanner.run(&with(&init, &[]));
    ended.complains(0, "is still active on its server: revoke it there");
    let which = format!("\"Lane 1\" (device 1 of {ORGANIZER} at {})", old.url);
    assert!(ended.stderr.contains(&which), "{ended:?}");
    assert_eq!(are_revoked(&installation), [false, false]);
    let device = installation.enrol_with_another_app("Lane 3");
    let existing = serde_json::json!({
        "url": old.url, "key": device["api_token"], "serial": device["unique_serial"],
    });
    let adopt = ["adopt", "--replace", "--json"];
    let ended = scanner.run_with_input(&adopt, existing.to_string().as_bytes());
    let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
    assert_eq!(told["done"], "adopt");
    assert_eq!(told["replaced"]["name"], "Lane 2");
    assert_eq!(told["replaced"]["state"], "active");
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_replaced_device_is_revoked_if_it_is_to_be_and_only_once_the_new_one_is_there() {
    let (installation, old, new, scanner, init) = replaced();
    new.lose_answers();
    let lost = with(&init, &["--revoke-old", "--timeout", "1"]);
    assert_eq!(scanner.run(&lost).code, 8);
    assert_eq!(are_revoked(&installation), [false, false]);
    scanner.run(&["info"]).succeeds();
    assert!(idempotency_keys(&old.requests(), "revoke").is_empty());
    new.lose_nothing();
    // It is known what was asked for.
    let told = told(&scanner, &["init"]);
    assert_eq!(
        (&told["done"], &told["begun_before"]),
        (&"init".into(), &true.into())
    );
    assert_eq!(told["replaced"]["state"], "revoked");
    assert_eq!(are_revoked(&installation), [true, false]);
    scanner.run(&["info"]).succeeds();
    assert!(!has_sealed(&scanner, "replaced devices"));

    let device = installation.enrol_with_another_app("Lane 3");
    let existing = serde_json::json!({
        "url": installation.url, "key": device["api_token"], "serial": device["unique_serial"],
    });
    let adopt = ["adopt", "--replace", "--revoke-old"];
    let ended = scanner.run_with_input(&adopt, existing.to_string().as_bytes());
    ended.complains(0, "is revoked.");
    assert_eq!(are_revoked(&installation), [true, true, false]);
    assert_eq!(scanner.status()["name"], "Lane 3");
}

#[test]
fn a_replaced_device_that_could_not_be_revoked_is_revoked_by_a_later_command() {
    for (loses_answers, command) in [
        (true, &["info"][..]),
        (false, &["roll"]),
        (false, &["update"]),
        (true, &[]),
    ] {
        let (installation, old, _new, scanner, init) = replaced();
        // The same again will do, too.
        let again = with(&init, &[]);
        let command = if command.is_empty() { &again } else { command };
        match loses_answers {
            true => old.lose_answers(),
            false => old.lose_requests(),
        }
        let ended = scanner.run(&with(&init, &["--revoke-old", "--timeout", "2"]));
        ended.complains(0, "is not revoked yet");
        assert_eq!(scanner.status()["name"], "Lane 2");
        assert_eq!(scanner.status()["to_revoke"][0]["name"], "Lane 1");
        assert_eq!(are_revoked(&installation), [loses_answers, false]);
        // It does not stand in the way, and stays.
        scanner.run(&["info", "--timeout", "2"]).succeeds();
        scanner
            .run(&["status"])
            .complains(0, "is still to be revoked");
        let device = scanner.run(&["request", "GET", "/api/v1/device/info"]);
        assert!(device.succeeds().stdout.contains("Lane 2"));

        old.lose_nothing();
        scanner.run(command).succeeds();
        assert_eq!(are_revoked(&installation), [true, false]);
        assert!(scanner.status()["to_revoke"].is_null());
        let mut keys = idempotency_keys(&old.requests(), "revoke");
        keys.dedup();
        assert_eq!(keys.len(), 1, "it is one revocation");
    }
}

#[test]
fn what_is_the_same_device_again_is_never_revoked() {
    let (installation, old, _new, scanner, init) = replaced();
    let folder = scanner.scratch().join("key");
    old.lose_requests();
    scanner
        .run(&with(&init, &["--revoke-old", "--timeout", "1"]))
        .complains(0, "is not revoked yet");
    // The first device comes back, by the key that it had, and so by another way to the server.
    let authorization = old.requests();
    let key = header(authorization.last().unwrap(), "authorization");
    let key = key.strip_prefix("Device ").unwrap();
    let serial = installation.device(1)["unique_serial"].clone();
    let existing = serde_json::json!({"url": installation.url, "key": key, "serial": serial});
    std::fs::write(&folder, existing.to_string()).unwrap();
    old.lose_nothing();
    let adopt = [
        "adopt",
        "--replace",
        "--revoke-old",
        folder.to_str().unwrap(),
    ];
    scanner.run(&adopt).complains(0, "is revoked.");
    assert_eq!(are_revoked(&installation), [false, true]);
    scanner.run(&["info"]).succeeds();
    // Once more with another key of its own is no replacement either.
    scanner.run(&["roll"]).succeeds();
    assert_eq!(are_revoked(&installation), [false, true]);
}

#[test]
fn a_replaced_device_whose_key_is_unknown_by_then_is_told_and_given_up() {
    let revoked = r#"{"detail": "Invalid token."}"#;
    let old =
        Stranger::answering_by(
            move |request| match request.contains("/device/initialize ") {
                true => identity("k3y"),
                false => answer("401 Unauthorized", "application/json", revoked),
            },
        );
    let (installation, scanner) = (Installation::start(), Scanner::new());
    scanner.init(&old.url, "token", &[]).succeeds();
    let token = installation.create_device("Lane 2");
    let ended = scanner.init(&installation.url, &token, &["--replace", "--revoke-old"]);
    ended.complains(0, "can't be revoked from here");
    ended.complains(0, "if another copy of its vault is in use");
    assert!(!has_sealed(&scanner, "replaced devices"));
    scanner.run(&["info"]).succeeds();
    assert_eq!(scanner.status()["name"], "Lane 2");
}

#[test]
fn a_roll_that_is_not_finished_does_not_keep_its_device_from_being_revoked() {
    for was_done in [true, false] {
        let (installation, old, _new, scanner, init) = replaced();
        match was_done {
            true => old.lose_answers(),
            false => old.lose_requests(),
        }
        assert_eq!(scanner.run(&[&["roll"][..], &IMPATIENT].concat()).code, 8);
        scanner
            .run(&with(&init, &["--revoke-old", "--timeout", "2"]))
            .complains(0, "is not revoked yet");
        assert_eq!(scanner.status()["name"], "Lane 2");
        assert_eq!(are_revoked(&installation), [false, false]);
        old.lose_nothing();
        scanner.run(&["info"]).succeeds();
        assert_eq!(are_revoked(&installation), [true, false]);
        let mut keys = idempotency_keys(&old.requests(), "roll");
        keys.dedup();
        assert_eq!(keys.len(), 1, "it is one roll");
    }
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
