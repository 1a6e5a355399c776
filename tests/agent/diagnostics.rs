//! How the device is doing is reported anew once an hour, whatever the clock shows, and stands in nobody's way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gatehand::agent::{Agent, ApiRequest, Client, ClientConfig, ThisMachine};
use gatehand::vault::Folder;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::stranger::{Stranger, answer, identity, info, read_request};
use crate::common::way::Way;

const CALL: [&str; 3] = ["request", "GET", "/api/v1/device/info"];

fn enrolled() -> (Installation, Way, Scanner) {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    scanner.init(&way.url, &token, &[]).succeeds();
    (installation, way, scanner)
}

/// A device whose server answers reports with `update`.
fn enrolled_at_stranger(
    update: impl Fn() -> String + Send + Sync + 'static,
) -> (Stranger, Scanner) {
    let server = Stranger::answering_by(move |request| match request {
        request if request.contains("/device/update ") => update(),
        request if request.starts_with("GET") => info("k3y"),
        _ => identity("k3y"),
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    (server, scanner)
}

/// Which reports there are among some requests.
fn reports(requests: &[String]) -> Vec<&String> {
    let is_report = |request: &&String| request.contains("/device/update ");
    requests.iter().filter(is_report).collect()
}

/// As if the last report had been made then.
fn reported_at(scanner: &Scanner, at: Option<Timestamp>) {
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let set =
        "UPDATE entry SET plain = json_set(plain, '$.reported_at', ?1) WHERE name = 'identity'";
    let remove =
        "UPDATE entry SET plain = json_remove(plain, '$.reported_at') WHERE name = 'identity'";
    let changed = match at {
        Some(at) => vault.execute(set, [at.to_string()]),
        None => vault.execute(remove, []),
    };
    assert_eq!(changed.unwrap(), 1);
}

fn ago(minutes: i64) -> Option<Timestamp> {
    Some(Timestamp::now() - SignedDuration::from_mins(minutes))
}

fn staying(scanner: &Scanner) -> Agent {
    let folder = Folder::at(scanner.home()).unwrap().volatile_allowed();
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    let client = Client::new(&ClientConfig::default()).unwrap();
    Agent::new(folder, client, Arc::new(describe)).with_memory()
}

fn call(time_limit: Duration) -> ApiRequest {
    ApiRequest {
        method: "GET".to_owned(),
        path: CALL[2].to_owned(),
        body: Vec::new(),
        content_type: None,
        headers: Vec::new(),
        idempotency_key: None,
        once: false,
        time_limit: Some(time_limit),
        read_timeout: None,
    }
}

#[test]
fn what_was_reported_an_hour_ago_is_reported_anew_after_the_next_call_and_only_then() {
    let (_installation, way, scanner) = enrolled();
    scanner.run(&CALL).succeeds();
    reported_at(&scanner, ago(58));
    scanner.run(&CALL).succeeds();
    assert!(reports(&way.requests()).is_empty());

    reported_at(&scanner, ago(62));
    scanner.run(&CALL).succeeds();
    let requests = way.requests();
    assert_eq!(reports(&requests), [requests.last().unwrap()]);
    let (_, report) = requests.last().unwrap().split_once("\r\n\r\n").unwrap();
    let report: Value = serde_json::from_str(report).unwrap();
    assert!(report["info"]["uptime_seconds"].is_u64(), "{report}");

    // By whichever process.
    scanner.run(&CALL).succeeds();
    scanner.run(&["info"]).succeeds();
    assert_eq!(reports(&way.requests()).len(), 1);
    scanner.run(&["update"]).succeeds();
    assert_eq!(reports(&way.requests()).len(), 2, "on demand at any time");
}

#[tokio::test]
async fn a_call_whose_answer_is_streamed_brings_a_report_that_is_due_too() {
    let (_installation, way, scanner) = enrolled();
    reported_at(&scanner, ago(62));
    let agent = staying(&scanner);
    for _ in 0..2 {
        let call = call(Duration::from_secs(50));
        let status = agent
            .stream(call, None)
            .await
            .ok()
            .map(|answer| answer.status);
        assert_eq!(status, Some(200));
        assert_eq!(reports(&way.requests()).len(), 1);
    }
}

#[test]
fn a_clock_that_was_wrong_makes_one_report_and_not_one_with_each_call() {
    let (_installation, way, scanner) = enrolled();
    let year = |year: &str| Some(format!("{year}-01-01T00:00:00Z").parse().unwrap());
    for (number, at) in [year("1970"), year("2099"), None].into_iter().enumerate() {
        reported_at(&scanner, at);
        for _ in 0..3 {
            scanner.run(&CALL).succeeds();
        }
        assert_eq!(reports(&way.requests()).len(), number + 1, "{at:?}");
    }
}

#[test]
fn what_is_old_is_reported_once_with_all_that_has_changed() {
    let (_installation, way, scanner) = enrolled();
    reported_at(&scanner, ago(62));
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let changed = "UPDATE entry SET plain = json_set(plain, '$.reported.software_version', '0.0.1')
                   WHERE name = 'identity'";
    assert_eq!(vault.execute(changed, []).unwrap(), 1);
    drop(vault);
    scanner.run(&CALL).succeeds();
    scanner.run(&CALL).succeeds();
    assert_eq!(reports(&way.requests()).len(), 1);
}

#[test]
fn a_report_of_diagnostics_that_is_lost_leaves_nothing_to_go_on_with() {
    let (server, scanner) = enrolled_at_stranger(String::new);
    reported_at(&scanner, ago(62));
    scanner.run(&CALL).succeeds();
    let status = scanner.status();
    assert_eq!(status["state"], "enrolled", "{status}");
    assert_eq!(status["pending"], Value::Null, "{status}");
    assert!(!reports(&server.requests()).is_empty());
}

#[test]
fn a_report_that_is_refused_is_not_sent_again_before_the_next_is_due() {
    let refused = || {
        let words = r#"{"info": ["This is not what we want."]}"#;
        answer("400 Bad Request", "application/json", words)
    };
    let (server, scanner) = enrolled_at_stranger(refused);
    reported_at(&scanner, ago(62));
    for _ in 0..3 {
        scanner.run(&CALL).succeeds();
    }
    assert_eq!(reports(&server.requests()).len(), 1);
}

#[tokio::test]
async fn a_report_that_is_never_answered_stays_within_the_calls_time_and_is_not_tried_with_the_next()
 {
    let server = Stranger::serving("http", |mut stream, requests| {
        use std::io::Write;
        let request = read_request(&mut stream);
        requests.lock().unwrap().push(request.clone());
        if request.contains("/device/update ") {
            std::thread::park();
        }
        let is_question = request.starts_with("GET");
        let answer = if is_question {
            info("k3y")
        } else {
            identity("k3y")
        };
        let _ = stream.write_all(answer.as_bytes());
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    reported_at(&scanner, ago(62));
    let agent = staying(&scanner);
    let limit = Duration::from_secs(4);
    let began = Instant::now();
    assert_eq!(agent.request(call(limit)).await.unwrap().status, 200);
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    for _ in 0..3 {
        assert_eq!(agent.request(call(limit)).await.unwrap().status, 200);
    }
    assert_eq!(reports(&server.requests()).len(), 1);
}

#[tokio::test]
async fn a_server_that_is_away_is_not_asked_to_take_a_report_first() {
    let unavailable = || answer("503 Service Unavailable", "text/html", "busy");
    let server = Stranger::answering_by(move |request| match request {
        request if request.starts_with("POST") => identity("k3y"),
        _ => unavailable(),
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    reported_at(&scanner, ago(62));
    let answer = staying(&scanner)
        .request(call(Duration::from_secs(2)))
        .await;
    assert_eq!(answer.unwrap().status, 503);
    assert!(reports(&server.requests()).is_empty());
}
