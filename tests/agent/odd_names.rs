//! Names are any text: of a device, its gate, its organizer, an event. None of it is a reason to refuse an
//! answer that holds a key, and none of it does more than be read where it is shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gatehand::agent::{
    Agent, ApiRequest, Client, ClientConfig, Current, InitializeOptions, State, Suggestion,
    ThisMachine,
};
use gatehand::enrolment::Enrolment;
use gatehand::secret::Secret;
use gatehand::server::model::{DeviceChange, Name, Schedule};
use gatehand::server::store::NewEvent;
use gatehand::vault::Folder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::{ORGANIZER, TestServer, send};
use crate::common::stranger::{Stranger, answer, identity, info};

const TOKEN: &str = "kpp4jn8g2ynzonp6";
/// Each of these does something where it is shown: to a terminal, to a table, to a log.
const NAME: &str = "Lane\t1\r\n\u{1b}[2J\u{1b}]0;x\u{7}\u{85}\u{9b}31m\u{200f}\u{202e}\u{2067}\u{61c}\u{2028}👩‍🚀 \"q\" \\ <b>";

/// What pretix takes as a name: 1 to 190 characters without NUL that are not blank.
fn name() -> impl Strategy<Value = String> {
    let odd = "\t\n\r\u{1}\u{1b}\u{7f}\u{80}\u{9b}\u{200e}\u{202e}\u{2028}\u{2069}\u{feff}\u{fffe}\"\\/'<&%";
    let odd: Vec<char> = odd.chars().collect();
    let one = prop_oneof![
        2 => prop::sample::select(odd),
        1 => any::<char>(),
        1 => prop::char::range(' ', '~'),
    ];
    let text = prop::collection::vec(one, 1..190);
    text.prop_map(|text| text.into_iter().filter(|&c| c != '\0').collect::<String>())
        .prop_filter("a name is not blank", |name| {
            // What the API takes for blank is trimmed by it.
            !name
                .trim_matches(|c: char| c.is_whitespace() || c.is_control())
                .is_empty()
        })
}

fn agent(scanner: &Scanner) -> Agent {
    let folder = Folder::at(scanner.home()).unwrap();
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    let client = Client::new(&ClientConfig::default()).unwrap();
    Agent::new(folder, client, Arc::new(describe))
}

fn enrolment(url: &str, token: &str) -> Enrolment {
    Enrolment::new(url.parse().unwrap(), Secret::new(token.to_owned())).unwrap()
}

fn get(path: &str) -> ApiRequest {
    ApiRequest {
        method: "GET".to_owned(),
        path: path.to_owned(),
        body: Vec::new(),
        content_type: None,
        headers: Vec::new(),
        idempotency_key: None,
        once: false,
        time_limit: None,
        read_timeout: None,
    }
}

/// A device at a gate, its whole life at a server where everything has one of these names.
async fn live(server: &TestServer, names: [String; 4], number: usize) {
    let [first, second, gate, event] = names;
    let identifier = format!("gate-{number}");
    let gate = server
        .store
        .create_gate(server.organizer, &identifier, &gate)
        .await
        .unwrap();
    let slug = format!("event-{number}");
    let event = NewEvent {
        slug: slug.parse().unwrap(),
        name: Name::Plain(event),
        live: true,
        timezone: "UTC".to_owned(),
        schedule: Schedule {
            date_from: "2027-05-08T18:00:00Z".parse().unwrap(),
            date_to: None,
            date_admission: None,
        },
    };
    server
        .store
        .create_event(server.organizer, event)
        .await
        .unwrap();
    let body = json!({"name": first, "all_events": false, "limit_events": [slug]});
    let created = send(server.devices(Method::POST, "").json(&body)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let created = created.json();

    let scanner = Scanner::new();
    let agent = agent(&scanner);
    let token = created["initialization_token"].as_str().unwrap();
    let enrolment = enrolment(&server.url, token);
    let enrolled = agent
        .initialize(&enrolment, &InitializeOptions::default())
        .await
        .unwrap();
    assert_eq!(enrolled.identity.name, created["name"].as_str().unwrap());

    let place = format!("{}/", created["device_id"]);
    let renamed = send(
        server
            .devices(Method::PATCH, &place)
            .json(&json!({"name": second})),
    )
    .await;
    assert_eq!(renamed.status, 200, "{}", renamed.text);
    let renamed = renamed.json();
    let renamed = renamed["name"].as_str().unwrap();
    server
        .store
        .edit_device(
            server.organizer,
            enrolled.identity.device_id,
            DeviceChange {
                gate: Some(Some(identifier)),
                ..DeviceChange::default()
            },
        )
        .await
        .unwrap();

    let info = agent.info().await.unwrap().identity;
    assert_eq!((&*info.name, info.gate.as_ref()), (renamed, Some(&gate)));
    let updated = agent.update(|overrides| overrides).await.unwrap();
    assert_eq!(updated.identity.name, renamed);
    let answer = agent.request(get("api/v1/device/info")).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["device"]["name"], renamed);
    // No list is at the gate, and so the device is told that nothing is on.
    let selection = agent.event_selection(&Current::default()).await.unwrap();
    assert_eq!(selection, Suggestion::Nothing);
    let nowhere = DeviceChange {
        gate: Some(None),
        ..DeviceChange::default()
    };
    let number = enrolled.identity.device_id;
    let edited = server.store.edit_device(server.organizer, number, nowhere);
    edited.await.unwrap();
    match agent.event_selection(&Current::default()).await.unwrap() {
        Suggestion::Switch(selected) => assert_eq!(selected.event.slug, slug),
        other => panic!("{other:?}"),
    }
    let rolled = agent.roll().await.unwrap();
    assert_eq!(rolled.identity.name, renamed);
    let status = agent.status().unwrap();
    assert_eq!(status.identity.unwrap().name, renamed);
    agent.revoke().await.unwrap();
    assert_eq!(agent.status().unwrap().state, State::Revoked);
}

#[test]
fn a_device_lives_its_whole_life_under_every_name_that_a_server_takes() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let server = runtime.block_on(TestServer::start());
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config::with_cases(24));
    let names = [name(), name(), name(), name()];
    let lives = runner.run(&names, |names| {
        number.set(number.get() + 1);
        runtime.block_on(live(&server, names, number.get()));
        Ok(())
    });
    lives.unwrap();
}

/// Anything that a server may put where a text belongs.
fn any_field() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        any::<bool>().prop_map(|truth| Some(truth.into())),
        any::<i64>().prop_map(|number| Some(number.into())),
        any::<f64>().prop_map(|number| Some(number.into())),
        name().prop_map(|text| Some(text.into())),
        (1_usize..4000).prop_map(|length| Some("\u{1}".repeat(length).into())),
        Just(Some(json!(["a", {"b": 1}]))),
        Just(Some(json!({"id": "x", "name": [], "identifier": 7}))),
        any::<i64>().prop_map(|id| Some(json!({"id": id, "name": null}))),
    ]
}

#[test]
fn a_usable_key_is_kept_whatever_else_the_answer_holds() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config::with_cases(48));
    const SHOWN: [&str; 6] = [
        "organizer",
        "device_id",
        "unique_serial",
        "name",
        "security_profile",
        "gate",
    ];
    let fields = prop::collection::vec(any_field(), SHOWN.len());
    let kept = runner.run(&fields, |fields| {
        let mut device = json!({});
        for (field, value) in SHOWN.into_iter().zip(fields) {
            if let Some(value) = value {
                device[field] = value;
            }
        }
        let server = Stranger::answering_by(move |request| {
            let mut device = device.clone();
            device["api_token"] = match request.contains("/roll") {
                true => "n3w".into(),
                false => "k3y".into(),
            };
            let body = match request.starts_with("GET") {
                true => json!({"device": device, "server": 1, "medium_key_sets": "none"}),
                false => device,
            };
            answer("200 OK", "application/json", &body.to_string())
        });
        runtime.block_on(async {
            let scanner = Scanner::new();
            let agent = agent(&scanner);
            let enrolment = enrolment(&server.url, TOKEN);
            let options = InitializeOptions::default();
            agent.initialize(&enrolment, &options).await.unwrap();
            agent.info().await.unwrap();
            agent.update(|overrides| overrides).await.unwrap();
            agent.roll().await.unwrap();
            assert_eq!(agent.status().unwrap().state, State::Enrolled);
            agent.revoke().await.unwrap();
            assert_eq!(agent.status().unwrap().state, State::Revoked);
        });
        Ok(())
    });
    kept.unwrap();
}

#[test]
fn halves_of_characters_and_broken_ones_cost_no_key() {
    for name in [
        &br#""Lane \ud83d 1""#[..],
        b"\"Lane \xff 1\"",
        b"1e999",
        b"\"\\u0000\"",
    ] {
        let head = br#"{"organizer": "o", "device_id": 1, "unique_serial": "S", "api_token": "k", "name": "#;
        let body = [head, name, b"}"].concat();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let server = Stranger::answering([head.as_bytes(), &body].concat());
        let scanner = Scanner::new();
        scanner.init(&server.url, TOKEN, &[]).succeeds();
        assert_eq!(scanner.status()["state"], "enrolled");
    }
}

/// Asserts that nothing but line ends steers whoever reads what a command printed.
#[track_caller]
fn only_reads(ended: &Ended) {
    for text in [&ended.stdout, &ended.stderr] {
        let steering = text
            .chars()
            .filter(|&c| c != '\n')
            .find(|&c| c.is_control() || "\u{61c}\u{200f}\u{202e}\u{2028}\u{2067}".contains(c));
        assert_eq!(steering, None, "{ended:?}");
    }
}

#[test]
fn what_is_shown_is_cleaned_and_json_has_the_text_as_it_is() {
    let installation = Installation::start();
    let device = installation.add_device("Lane 1");
    let number = device["device_id"].as_u64().unwrap();
    let scanner = Scanner::new();
    let token = device["initialization_token"].as_str().unwrap();
    installation.admin(&["team", "create", ORGANIZER, "admins", "--permission", "all"]);
    let admin = installation.admin(&["token", "create", ORGANIZER, "admins"]);
    let admin = admin["token"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let renamed = runtime.block_on(async {
        let url = format!(
            "{}/api/v1/organizers/{ORGANIZER}/devices/{number}/",
            installation.url
        );
        let request = crate::common::server::client().patch(url);
        let request = request.header("Authorization", format!("Token {admin}"));
        send(request.json(&json!({"name": NAME}))).await
    });
    assert_eq!(renamed.json()["name"], NAME);

    let log = ["--log", "info"];
    let init = ["init", "--url", &installation.url, "--token", token];
    for arguments in [
        &[&init[..], &log].concat()[..],
        &["info"],
        &["status"],
        &["update"],
        &["request", "GET", "api/v1/device/info"],
        &["roll"],
    ] {
        let ended = scanner.run(arguments);
        ended.succeeds();
        // What another program reads is handed on as it came.
        if arguments[0] != "request" {
            assert!(ended.stdout.contains("Lane\u{fffd}1"), "{ended:?}");
            only_reads(&ended);
        }
    }
    for command in ["info", "status", "update", "roll"] {
        let ended = scanner.run(&[command, "--json"]);
        only_reads(&ended);
        let document: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
        assert_eq!(document["name"], NAME, "{command}");
    }
    let again = scanner.run(&["init", "--url", &installation.url, "--token", "other-token"]);
    again.complains(12, "already enrolled");
    only_reads(&again);
    only_reads(scanner.run(&["revoke", "--yes"]).succeeds());
    only_reads(&scanner.run(&["info"]));

    let database = installation.database();
    let admin = ["admin", "--database", database.to_str().unwrap()];
    for arguments in [
        vec!["device", "list", ORGANIZER],
        vec!["device", "show", ORGANIZER, "1"],
        vec!["device", "log", ORGANIZER, "1"],
    ] {
        let shown = scanner.run(&[&admin[..], &arguments].concat());
        only_reads(shown.succeeds());
    }
    assert_eq!(installation.device(number)["name"], NAME);
}

#[test]
fn a_servers_words_begin_no_line_of_the_log() {
    let words = "no\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\u{202e}\u{9b}";
    for format in ["text", "json"] {
        let is_first = AtomicBool::new(true);
        let server = Stranger::answering_by(move |request| {
            if request.contains("/initialize") {
                identity("k3y")
            } else if !request.contains("/update") {
                info("k3y")
            } else if is_first.swap(false, Ordering::SeqCst) {
                answer("500 Internal Server Error", "text/html", "oops")
            } else {
                let refusal = json!({"hardware_brand": [words]}).to_string();
                answer("400 Bad Request", "application/json", &refusal)
            }
        });
        let scanner = Scanner::new();
        scanner.init(&server.url, TOKEN, &[]).succeeds();
        let update = scanner.run(&["update", "--hardware-brand", "Other"]);
        update.complains(7, "failed with status 500");
        // The report that is still due is refused, which is a warning and no failure of the call.
        let ended = scanner.run(&["info", "--log", "info", "--log-format", format]);
        ended.succeeds();
        assert!(ended.stderr.contains("forged"), "{ended:?}");
        assert!(!ended.stderr.contains("\n2026-01-01"), "{ended:?}");
        only_reads(&ended);
    }
}
