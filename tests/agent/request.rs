//! Authenticated calls: what goes to the server, what is handed on, and what is never sent.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::thread;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::stranger::{Stranger, answer, answer_with, identity};
use crate::common::way::{Way, header};

const KEY: &str = "k3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3yk3";
const INFO: &str = "/api/v1/device/info";
/// Part of every call that goes wrong, so that it does so soon.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];

fn request(scanner: &Scanner, arguments: &[&str]) -> Ended {
    scanner.run(&[&["request"], &IMPATIENT[..], arguments].concat())
}

/// A device enrolled at a server that then gives this answer to everything.
fn enrolled_at_stranger(answer: String) -> (Stranger, Scanner) {
    let server = Stranger::answering_in_turn(vec![identity(KEY), answer]);
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    (server, scanner)
}

/// What the server was asked after the enrolment.
fn calls(server: &Stranger) -> Vec<String> {
    server.requests().split_off(1)
}

fn empty_list() -> String {
    answer("200 OK", "application/json", r#"{"results": []}"#)
}

#[test]
fn a_call_is_made_as_the_device_and_the_answer_printed_as_it_is() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    scanner.init(&way.url, &token, &[]).succeeds();

    for (method, path) in [
        ("GET", INFO),
        ("get", &INFO[1..]),
        ("GET", &format!("{}{INFO}?a=b#part", way.url)),
    ] {
        let ended = request(&scanner, &[method, path]);
        let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
        assert_eq!(told["device"]["name"], "Lane 1");
        let requests = way.requests();
        let sent = requests.last().unwrap();
        assert!(sent.starts_with(&format!("GET {INFO}")), "{sent}");
        let key = header(sent, "authorization")
            .strip_prefix("Device ")
            .unwrap();
        assert_eq!(key.len(), 64);
        assert_eq!(told["device"]["api_token"], "*".repeat(64));
        assert!(!ended.stdout.contains(key) && !ended.stderr.contains(key));
    }
    let version = request(&scanner, &["GET", "/api/v1/version"]);
    assert!(version.succeeds().stdout.contains("20260080005000"));
}

#[test]
fn a_call_that_a_signal_ends_tells_under_which_key_to_repeat_it() {
    let server = Stranger::answering_by(|request| match request.contains("/device/initialize") {
        true => identity(KEY),
        false => {
            thread::park();
            String::new()
        }
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    for (method, more) in [("POST", &[][..]), ("POST", &["--json"]), ("GET", &[])] {
        let before = server.requests().len();
        let call = scanner.start(&[&["request", method, "/api/v1/x"], more].concat());
        while server.requests().len() == before {
            thread::yield_now();
        }
        kill_process(Pid::from_child(&call), Signal::TERM).unwrap();
        let ended = call.wait_with_output().unwrap();
        assert_eq!(ended.status.signal(), Some(15), "{ended:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        let request = server.requests().pop().unwrap();
        match method {
            "GET" => assert_eq!(said, ""),
            _ => assert!(said.contains(header(&request, "idempotency-key")), "{said}"),
        }
    }
}

#[test]
fn an_answer_of_400_and_above_is_printed_too_and_tells_by_the_exit_code() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner.init(&installation.url, &token, &[]).succeeds();

    let devices = "/api/v1/organizers/bigevents/devices/";
    let ended = request(&scanner, &["GET", devices]);
    ended.complains(19, "status 403");
    let body: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert!(body["detail"].is_string(), "{body}");

    request(&scanner, &["GET", "/nowhere/"]).complains(19, "status 404");
    request(&scanner, &["DELETE", INFO]).complains(19, "status 405");
    // The device is none the worse for it.
    scanner.run(&["info"]).succeeds();
}

#[test]
fn every_call_keeps_the_path_prefix() {
    let installation = Installation::start_with(&["--public-url", "https://x.example/tickets/"]);
    let way = Way::to(&installation.url);
    let (scanner, url) = (Scanner::new(), format!("{}/tickets", way.url));
    let token = installation.create_device("Lane 1");
    scanner.init(&url, &token, &[]).succeeds();

    for path in [INFO, &INFO[1..], &format!("{url}{INFO}")] {
        request(&scanner, &["GET", path]).succeeds();
    }
    for command in ["info", "update", "roll", "event-selection"] {
        scanner.run(&[command]).succeeds();
    }
    scanner.run(&["revoke", "--yes"]).succeeds();
    let requests = way.requests();
    assert!(requests.len() >= 8, "{requests:?}");
    for sent in &requests {
        let target = sent.split(' ').nth(1).unwrap();
        assert!(target.starts_with("/tickets/api/v1/"), "{target}");
    }
}

#[test]
fn that_there_is_nothing_to_scan_for_comes_with_what_may_be_the_reason_and_the_servers_log_has_it()
{
    let event = |slug: &str, live: bool, series: bool, lists: Value| {
        let dates = match series {
            true => {
                json!([{"id": 1, "name": "Day", "active": false, "date_from": "2027-01-01T12:00:00Z"}])
            }
            false => json!([]),
        };
        json!({
            "slug": slug, "name": slug, "live": live, "timezone": "UTC",
            "date_from": "2020-01-01T12:00:00Z", "date_to": "2020-01-01T13:00:00Z",
            "has_subevents": series, "subevents": dates, "checkin_lists": lists,
        })
    };
    let installation = Installation::start_with(&["--log", "info"]);
    let scanner = Scanner::new();
    let lists = json!([{"name": "Main", "gates": ["EAST"]}]);
    let file = scanner.scratch().join("file.json");
    let organizer = json!({
        "slug": "fair", "name": "Fair", "teams": [], "devices": [],
        "gates": [{"name": "East", "identifier": "EAST"}, {"name": "West Door", "identifier": "WEST"}],
        "events": [
            event("draft", false, false, json!([])),
            event("tour", true, true, json!([])),
            event("over", true, false, lists),
        ],
    });
    fs::write(&file, json!({"organizers": [organizer]}).to_string()).unwrap();
    installation.admin(&["import", file.to_str().unwrap()]);
    let create = |arguments: &[&str]| {
        let begin = ["device", "create", "fair", "--name", "Lane"];
        let device = installation.admin(&[&begin, arguments].concat());
        device["initialization_token"].as_str().unwrap().to_owned()
    };
    for (device, words, logged) in [
        (
            &["--event", "draft"][..],
            "none of its events is live with an active date",
            "draft is not live",
        ),
        (
            &["--event", "tour"],
            "none of its events is live",
            "tour has no active date",
        ),
        (
            &["--event", "over", "--gate", "WEST"],
            "with a check-in list at the gate West Door",
            "over has no check-in list at the device's gate",
        ),
        (
            &["--all-events", "--gate", "WEST"],
            "with a check-in list at the gate West Door",
            "draft is not live, over has no check-in list at the device's gate, tour has",
        ),
    ] {
        let scanner = Scanner::new();
        scanner
            .init(&installation.url, &create(device), &[])
            .succeeds();
        let said = scanner.run(&["event-selection"]);
        let said = &said.succeeds().stdout;
        assert!(said.starts_with("There is nothing to scan for: "), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(said.contains(".\nWhat to do: see on the server"), "{said}");
        assert!(said.contains("started with --log info"), "{said}");
        let told = scanner.told(&["event-selection", "--event", "gone"]);
        assert_eq!(told["result"], "nothing");
        let why = told["why"].as_str().unwrap();
        assert!(told["advice"].as_str().unwrap().contains("--log info"));
        assert!(why.contains(words) && why.contains("gone is over"), "{why}");
        installation.logs(logged);
    }
    // What is over is suggested all the same, where there is a list for it.
    let scanner = Scanner::new();
    let token = create(&["--all-events", "--gate", "EAST"]);
    scanner.init(&installation.url, &token, &[]).succeeds();
    let told = scanner.told(&["event-selection"]);
    assert_eq!(
        (&told["event"]["slug"], told.get("why")),
        (&json!("over"), None)
    );
}

#[test]
fn the_next_page_of_a_list_is_asked_for_by_its_whole_address() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    let next = format!("{}/api/v1/organizers/o/events/?page=2&q=a%2Fb", server.url);
    let ended = request(&scanner, &["GET", &next]);
    assert_eq!(ended.succeeds().stdout, r#"{"results": []}"#);
    let calls = calls(&server);
    let wanted = "GET /api/v1/organizers/o/events/?page=2&q=a%2Fb HTTP/1.1";
    assert!(calls[0].starts_with(wanted), "{calls:?}");
}

#[test]
fn what_leads_to_another_origin_or_out_of_the_prefix_is_refused_and_nothing_is_sent() {
    let server = Stranger::answering_in_turn(vec![identity(KEY), empty_list()]);
    let (other, scanner) = (Stranger::answering(empty_list()), Scanner::new());
    let url = format!("{}/tickets", server.url);
    scanner.init(&url, "token", &[]).succeeds();
    let other_host = other.url.strip_prefix("http:").unwrap();
    for path in [
        &other.url,
        &format!("{}/tickets{INFO}", other.url),
        other_host,
        &other_host.replace('/', "\\"),
        &server.url.replace("http:", "https:"),
        &server.url.replace("localhost", "127.0.0.1"),
        &url.replace("http://", "http://ada@"),
        "ftp://localhost/tickets/",
        "file:///etc/passwd",
        &format!("{}{INFO}", server.url),
        &format!("{}/ticketsx{INFO}", server.url),
        "../api/v1/device/info",
        "/../api/v1/device/info",
        "api/../../api/v1/device/info",
        "%2e%2e/api/v1/device/info",
        "api/..%2f..%2fapi",
        &format!("/{}", "x".repeat(100_000)),
    ] {
        for method in ["GET", "POST"] {
            let ended = request(&scanner, &[method, path]);
            assert_eq!(ended.code, 2, "{method} {path:.80}: {ended:?}");
            assert_eq!(ended.stdout, "");
        }
    }
    assert_eq!(calls(&server), Vec::<String>::new());
    assert_eq!(other.requests(), Vec::<String>::new());
}

#[test]
fn what_changes_the_identity_goes_through_its_own_command_only() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    let whole = format!("{}/api/v1/device/roll", server.url);
    for (path, command) in [
        ("/api/v1/device/initialize", "gatehand init"),
        ("/api/v1/device/update", "gatehand update"),
        ("/api/v1/device/roll", "gatehand roll"),
        ("api/v1/device/revoke/", "gatehand revoke"),
        ("/api/v1/device/%72%6f%6c%6C", "gatehand roll"),
        ("/api//v1/device///roll", "gatehand roll"),
        ("/api/v1/device%2Frevoke?a=b", "gatehand revoke"),
        ("/api/v1/x/../device/./roll", "gatehand roll"),
        ("/API/v1/device/roll", "gatehand roll"),
        ("/api/v1/device/%25%37%32oll.json", "gatehand roll"),
        ("/api/v1/device/ｒｅｖｏｋｅ", "gatehand revoke"),
        ("/api/v1/device/roll%00", "gatehand roll"),
        ("/api/v1/device/roll%252500", "gatehand roll"),
        (&whole, "gatehand roll"),
    ] {
        for method in ["POST", "post", "PUT", "PATCH", "DELETE"] {
            request(&scanner, &[method, path]).complains(2, command);
        }
    }
    assert_eq!(calls(&server), Vec::<String>::new());
}

#[test]
fn what_is_refused_is_refused_before_a_report_that_is_due_is_sent() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    // Another version of gatehand enrolled, and so the report has to be sent anew.
    let vault = rusqlite::Connection::open(scanner.home().join("vault.db")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let changed = vault.execute(
        "UPDATE entry SET plain = replace(plain, ?1, '0.0.1') WHERE name = 'identity'",
        [version],
    );
    assert_eq!(changed.unwrap(), 1);
    request(&scanner, &["GET", "http://localhost:1/"]).complains(2, "is not the server");
    request(&scanner, &["POST", "/api/v1/device/roll"]).complains(2, "gatehand roll");
    request(&scanner, &["CONNECT", INFO]).complains(2, "is no method of the API");
    assert_eq!(calls(&server), Vec::<String>::new());

    request(&scanner, &["GET", "/api/v1/organizers/"]);
    assert!(calls(&server)[0].starts_with("POST /api/v1/device/update "));
}

#[test]
fn a_body_is_sent_from_a_file_or_standard_input_with_its_type() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    let file = scanner.scratch().join("body");
    fs::write(&file, r#"{"secret": "from a file"}"#).unwrap();
    let file = file.to_str().unwrap();
    let body = ["request", "POST", "/api/v1/x/", "--body"];
    scanner.run(&[&body[..], &[file]].concat()).succeeds();
    scanner
        .run_with_input(&[&body[..], &["-"]].concat(), b"[\"from standard input\"]")
        .succeeds();
    let form = ["--content-type", "application/x-www-form-urlencoded"];
    scanner
        .run_with_input(&[&body[..], &["-"], &form].concat(), b"a=b")
        .succeeds();
    scanner.run(&body[..3]).succeeds();

    let calls = calls(&server);
    let sent: Vec<(&str, &str, &str)> = calls
        .iter()
        .map(|call| {
            let body = call.split_once("\r\n\r\n").unwrap().1;
            (
                header(call, "content-type"),
                header(call, "content-length"),
                body,
            )
        })
        .collect();
    let json = "application/json";
    assert_eq!(
        sent,
        [
            (json, "25", r#"{"secret": "from a file"}"#),
            (json, "23", r#"["from standard input"]"#),
            ("application/x-www-form-urlencoded", "3", "a=b"),
            ("", "0", ""),
        ]
    );

    scanner
        .run(&[&body[..], &["missing"]].concat())
        .complains(1, "can't read missing");
    let broken = ["--content-type", "a\nb"];
    scanner
        .run(&[&body[..], &[file], &broken].concat())
        .complains(2, "content type");
    assert_eq!(self::calls(&server).len(), 4);
}

#[test]
fn what_changes_something_has_an_idempotency_key_and_what_asks_has_none() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    for method in ["POST", "PUT", "PATCH", "DELETE", "POST"] {
        request(&scanner, &[method, "/api/v1/x/"]).succeeds();
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        request(&scanner, &[method, "/api/v1/x/"]).succeeds();
        request(
            &scanner,
            &[method, "/api/v1/x/", "--idempotency-key", "mine"],
        )
        .succeeds();
    }
    request(
        &scanner,
        &["POST", "/api/v1/x/", "--idempotency-key", "mine"],
    )
    .succeeds();
    request(
        &scanner,
        &["POST", "/api/v1/x/", "--idempotency-key", "a\nb"],
    )
    .complains(2, "idempotency key");

    let calls = calls(&server);
    let keys: Vec<&str> = calls
        .iter()
        .map(|call| header(call, "x-idempotency-key"))
        .collect();
    let (made, asked, given) = (&keys[..5], &keys[5..11], &keys[11..]);
    for (number, key) in made.iter().enumerate() {
        assert_eq!(key.len(), 48);
        assert!(!made[..number].contains(key), "{keys:?}");
    }
    assert_eq!(asked, [""; 6]);
    assert_eq!(given, ["mine"]);
}

#[test]
fn a_call_may_have_headers_of_its_own() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    request(
        &scanner,
        &[
            "GET",
            "/api/v1/x/",
            "--header",
            "Accept-Language: de",
            "-H",
            "if-modified-since:  Sat, 01 Aug 2026 10:00:00 GMT ",
            "-H",
            "Accept: text/csv",
            "-H",
            "X-Empty:",
        ],
    )
    .succeeds();
    let calls = calls(&server);
    let call = calls.last().unwrap();
    assert_eq!(header(call, "accept-language"), "de");
    assert_eq!(
        header(call, "if-modified-since"),
        "Sat, 01 Aug 2026 10:00:00 GMT"
    );
    assert_eq!(header(call, "accept"), "text/csv");
    assert_eq!(header(call, "x-empty"), "");
    assert_eq!(header(call, "authorization"), format!("Device {KEY}"));
}

#[test]
fn headers_that_the_agent_sets_or_that_lead_elsewhere_are_not_for_a_call_to_set() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    for name in [
        "Authorization",
        "HOST",
        "cookie",
        "Content-Type",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Accept-Encoding",
        "X-Idempotency-Key",
        "Proxy-Authorization",
        "user-agent",
        "X-HTTP-Method-Override",
        "X_Method_Override",
        "X-Original-URL",
        "x_rewrite_url",
        "X-Forwarded-Prefix",
        "Forwarded",
    ] {
        let header = format!("{name}: x");
        request(&scanner, &["GET", "/api/v1/x/", "-H", &header]).complains(2, name);
    }
    for (header, words) in [
        ("Accept-Language", "write it as in"),
        (": x", "name of a header"),
        ("a b: x", "name of a header"),
        ("X-Y: a\r\nX-Z: b", "value of a header"),
    ] {
        request(&scanner, &["GET", "/api/v1/x/", "-H", header]).complains(2, words);
    }
    assert_eq!(calls(&server), Vec::<String>::new());
}

#[test]
fn a_change_without_a_body_tells_its_length_for_gateways_that_want_it() {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    scanner.init(&way.url, &token, &[]).succeeds();
    scanner.run(&["roll"]).succeeds();
    scanner.run(&["revoke", "--yes"]).succeeds();
    let requests = way.requests();
    let empty: Vec<_> = requests
        .iter()
        .filter(|sent| sent.ends_with("\r\n\r\n"))
        .collect();
    assert_eq!(empty.len(), 2, "{requests:?}");
    for sent in empty {
        assert_eq!(header(sent, "content-length"), "0", "{sent}");
    }
}

#[test]
fn a_repetition_of_a_call_has_the_same_idempotency_key() {
    let server = Stranger::answering_in_turn(vec![
        identity(KEY),
        "HTTP/1.1 200 OK\r\n".to_owned(),
        empty_list(),
    ]);
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    scanner.run(&["request", "POST", "/api/v1/x/"]).succeeds();
    let calls = calls(&server);
    let keys: Vec<&str> = calls
        .iter()
        .map(|call| header(call, "x-idempotency-key"))
        .collect();
    assert_eq!(keys.len(), 2);
    assert!(keys[0] == keys[1] && !keys[0].is_empty(), "{keys:?}");
}

#[test]
fn what_is_no_method_of_an_api_is_not_sent() {
    let (server, scanner) = enrolled_at_stranger(empty_list());
    for method in ["PSOT", "CONNECT", "TRACE", "GE T", "", "GET\r\nX: y"] {
        request(&scanner, &[method, "/api/v1/x/"]).complains(2, "is no method of the API");
    }
    assert_eq!(calls(&server), Vec::<String>::new());
}

#[test]
fn an_answer_without_a_body_is_one_and_a_redirect_is_told() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Y: z\r\nConnection: close\r\n\r\n";
    let (_server, scanner) = enrolled_at_stranger(head.to_owned());
    let ended = request(&scanner, &["HEAD", "/api/v1/x/", "--include"]);
    assert!(ended.succeeds().stdout.starts_with("200\n"), "{ended:?}");
    assert!(ended.stdout.contains("\nx-y: z\n"), "{ended:?}");

    let elsewhere = Stranger::answering(empty_list());
    let location = format!("Location: {}/x/", elsewhere.url);
    let (_server, scanner) = enrolled_at_stranger(answer_with("301 Moved", &location, ""));
    let ended = request(&scanner, &["GET", "/api/v1/x"]);
    let told = format!("redirects to {}/x/", elsewhere.url);
    assert!(ended.succeeds().stderr.contains(&told), "{ended:?}");
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[test]
fn a_web_page_in_place_of_an_answer_is_told_beside_it() {
    let page = "<!doctype html><h1>Log in</h1>";
    for (path, kind, is_told) in [
        ("/api/v1/x/", "text/html; charset=utf-8", true),
        ("/api/v1/x/", "application/json", false),
        ("/api/v1/x/", "application/pdf", false),
        ("/control/", "text/html", false),
    ] {
        let (_server, scanner) = enrolled_at_stranger(answer("200 OK", kind, page));
        let ended = request(&scanner, &["GET", path]);
        assert_eq!(ended.succeeds().stdout, page);
        let told = "log in to this network first";
        assert_eq!(ended.stderr.contains(told), is_told, "{kind}: {ended:?}");
    }
}

#[test]
fn the_key_is_masked_wherever_an_answer_repeats_it() {
    let body = json!({"device": {"api_token": KEY}, "again": [KEY, format!("x{KEY}{KEY}y")]});
    let echo = format!("X-Echo: Device {KEY}");
    let (_server, scanner) = enrolled_at_stranger(answer_with("200 OK", &echo, &body.to_string()));
    for options in [&[][..], &["--include"], &["--json"]] {
        let ended = request(&scanner, &[&["GET", "/api/v1/x/"], options].concat());
        assert!(!ended.succeeds().stdout.contains(KEY), "{options:?}");
        let masks = ended.stdout.matches(&"*".repeat(KEY.len())).count();
        assert_eq!(masks, if options.is_empty() { 4 } else { 5 }, "{ended:?}");
    }
}

#[test]
fn the_key_is_masked_in_every_form_in_which_an_answer_repeats_it() {
    let part = |text: &str| {
        text.bytes()
            .map(|c| format!("%{c:02X}"))
            .collect::<String>()
    };
    let escaped = |text: &str| {
        text.bytes()
            .map(|c| format!("\\u{c:04x}"))
            .collect::<String>()
    };
    let hex = |text: &str| text.bytes().map(|c| format!("{c:02x}")).collect::<String>();
    let (beginning, end) = KEY.split_at(20);
    let forms = [
        format!("{}{end}", part(beginning)),
        format!("{beginning}{}", part(end).to_lowercase()),
        format!("{beginning}{}", escaped(end)),
        escaped(KEY),
        KEY.to_uppercase(),
        hex(KEY),
        BASE64_STANDARD.encode(KEY),
        BASE64_STANDARD.encode(format!("Device {KEY}")),
        BASE64_URL_SAFE_NO_PAD.encode(format!("ü:{KEY}:x")),
    ];
    for form in forms {
        let body = format!(r#"{{"a": "{form}", "b": "another text"}}"#);
        let echo = format!("X-Echo: {form}");
        let (_server, scanner) = enrolled_at_stranger(answer_with("200 OK", &echo, &body));
        let ended = request(&scanner, &["GET", "/api/v1/x/", "--include"]);
        let shown = &ended.succeeds().stdout;
        assert!(!shown.contains(&form), "{form}: {shown}");
        let told: Value = serde_json::from_str(shown.split_once("\n\n").unwrap().1).unwrap();
        assert_eq!(told["b"], "another text");
        let told = told["a"].as_str().unwrap();
        assert!(told.contains("**********"), "{form}: {shown}");
    }
}

#[test]
fn what_is_to_be_sent_once_is_not_repeated_when_its_answer_is_lost() {
    let call = ["request", "POST", "/api/v1/x/", "--timeout", "5"];
    for (more, sent) in [(&["--once"][..], 1), (&[], 2)] {
        let lost = "HTTP/1.1 200 OK\r\n".to_owned();
        let done = answer("200 OK", "application/json", "{}");
        let server = Stranger::answering_in_turn(vec![identity(KEY), lost, done]);
        let scanner = Scanner::new();
        scanner.init(&server.url, "token", &[]).succeeds();
        let ended = scanner.run(&[&call[..], more].concat());
        assert_eq!(ended.code == 0, more.is_empty(), "{ended:?}");
        assert_eq!(server.requests().len(), 1 + sent, "{ended:?}");
    }
}

#[test]
fn with_json_status_headers_and_body_are_one_document() {
    let body = r#"{"a": [1, "\u001b[2J\u009b"]}"#;
    let (_server, scanner) = enrolled_at_stranger(answer_with("201 Created", "X-Y: z", body));
    let ended = request(&scanner, &["POST", "/api/v1/x/", "--json"]);
    let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
    assert_eq!(told["status"], 201);
    let headers = told["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-y", "z"])), "{headers:?}");
    assert_eq!(told["body"], serde_json::from_str::<Value>(body).unwrap());
    assert!(!ended.stdout.contains(['\u{1b}', '\u{9b}']), "{ended:?}");

    let text = answer("418 Teapot", "text/plain", "short and stout");
    let (_server, scanner) = enrolled_at_stranger(text);
    let ended = request(&scanner, &["GET", "/api/v1/x/", "--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&told["status"], &told["body"]),
        (&json!(418), &json!("short and stout"))
    );
    let complaint: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!((ended.code, &complaint["code"]), (19, &json!(19)));
}

#[test]
fn a_large_answer_is_handed_on_and_one_without_end_is_not() {
    let list = format!("[{}1]", "1,".repeat(4 * 1024 * 1024));
    let (_server, scanner) = enrolled_at_stranger(answer("200 OK", "application/json", &list));
    let ended = scanner.run(&["request", "GET", "/api/v1/x/"]);
    assert!(ended.succeeds().stdout == list, "another body");

    let endless = "x".repeat(32 * 1024 * 1024 + 1);
    let (_server, scanner) = enrolled_at_stranger(answer("200 OK", "text/plain", &endless));
    let ended = scanner.run(&["request", "GET", "/api/v1/x/"]);
    ended.complains(7, "larger than");
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_device_that_is_not_enrolled_has_nothing_to_call() {
    let ended = request(&Scanner::new(), &["GET", INFO]);
    ended.complains(13, "not enrolled");
}

/// The key that an error of a call names.
fn named_key(ended: &Ended) -> &str {
    let (_, key) = ended
        .stderr
        .split_once("--idempotency-key ")
        .unwrap_or_else(|| panic!("{ended:?}"));
    key.split_whitespace().next().unwrap()
}

#[test]
fn a_call_whose_answer_was_lost_can_be_repeated_under_the_key_that_the_error_names() {
    let installation = Installation::start();
    let (way, scanner) = (Way::to(&installation.url), Scanner::new());
    let token = installation.create_device("Lane 1");
    scanner.init(&way.url, &token, &[]).succeeds();
    // What the server does to a path it does not know it keeps no less.
    let call = ["request", "POST", "/api/v1/nothing/", "--timeout", "1"];
    way.lose_answers();
    let lost = scanner.run(&call);
    lost.complains(8, "it may have been done");
    let key = named_key(&lost).to_owned();
    let in_json = scanner.run(&[&call[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(in_json.stderr.trim()).unwrap();
    let other_key = told["idempotency_key"].as_str().unwrap();
    assert_ne!(key, other_key);
    assert!(told["advice"].as_str().unwrap().contains(other_key));

    way.lose_nothing();
    let again = [&call[..], &["--idempotency-key", &key]].concat();
    assert_eq!(scanner.run(&again).code, 19);
    let keys: Vec<String> = way
        .requests()
        .iter()
        .filter(|request| request.starts_with("POST /api/v1/nothing/"))
        .map(|request| header(request, "x-idempotency-key").to_owned())
        .collect();
    assert_eq!(keys.first(), keys.last(), "the same call");
    assert_eq!(keys.last().unwrap(), &key);
    assert!(keys.contains(&other_key.to_owned()));
}

#[test]
fn a_key_is_named_where_the_call_may_have_been_done_and_nowhere_else() {
    let path = "/api/v1/organizers/bigevents/checkinrpc/redeem/";
    let lost = "HTTP/1.1 200 OK\r\n".to_owned();
    let status = |status: &str| answer(status, "application/json", "{}");
    for (answer, method, code, is_named) in [
        (lost.clone(), "POST", 8, true),
        (lost, "GET", 8, false),
        (status("500 Internal Server Error"), "POST", 19, true),
        (status("502 Bad Gateway"), "PATCH", 19, true),
        (status("409 Conflict"), "POST", 19, true),
        (status("502 Bad Gateway"), "GET", 19, false),
        (status("400 Bad Request"), "POST", 19, false),
        (status("404 Not Found"), "POST", 19, false),
    ] {
        let server = Stranger::answering_by(move |request| match request {
            request if request.contains("/device/") => identity("k3y"),
            _ => answer.clone(),
        });
        let scanner = Scanner::new();
        scanner.init(&server.url, "token", &[]).succeeds();
        let call = ["request", method, path, "--once", "--timeout", "1"];
        for json in [&[][..], &["--json"]] {
            let ended = scanner.run(&[&call[..], json].concat());
            assert_eq!(ended.code, code, "{ended:?}");
            let sent = server.requests();
            let key = header(sent.last().unwrap(), "x-idempotency-key");
            let is_there = !key.is_empty() && ended.stderr.contains(key);
            assert_eq!(is_there, is_named, "{method}: {ended:?}");
        }
    }
    // What never reached a server was surely not done.
    let gone = Stranger::once(&identity("k3y"));
    let scanner = Scanner::new();
    scanner.init(&gone.url, "token", &[]).succeeds();
    let ended = scanner.run(&["request", "POST", path, "--timeout", "1"]);
    // "can't connect", or no connection within the time.
    ended.complains(8, "connect");
    assert!(!ended.stderr.contains("--idempotency-key"), "{ended:?}");
}
