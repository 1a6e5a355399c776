//! Enrolling where something else than the device API answers, or nothing at all.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::common::scanner::{Scanner, end};
use crate::common::skip;
use crate::common::stranger::{Stranger, answer, answer_with, identity};

const TOKEN: &str = "kpp4jn8g2ynzonp6";

fn idempotency_key(request: &str) -> &str {
    let header = request
        .lines()
        .find(|line| line.to_lowercase().starts_with("x-idempotency-key"));
    header.unwrap().split_once(": ").unwrap().1
}

#[test]
fn an_answer_of_something_else_is_told_and_the_enrolment_can_go_on() {
    let big = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
        50_000_000,
        " ".repeat(50_000_000)
    );
    let redirect =
        "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n";
    for (strange, words) in [
        (
            answer("404 Not Found", "text/html", "<h1>404</h1>"),
            "no device API at this address",
        ),
        (
            answer("500 Internal Server Error", "text/html", "oops"),
            "failed with status 500",
        ),
        (
            answer_with("503 Service Unavailable", "Retry-After: 3600", "{}"),
            "failed with status 503",
        ),
        (
            answer("200 OK", "text/html", "<h1>Accept the terms</h1>"),
            "login page",
        ),
        (
            answer("200 OK", "application/json", "<h1>"),
            "JSON of another shape",
        ),
        (
            answer("200 OK", "application/json", r#"{"ok": true}"#),
            "JSON of another shape",
        ),
        (answer("403 Forbidden", "text/html", "blocked"), "no JSON"),
        (
            answer("409 Conflict", "application/json", r#"{"detail": "busy"}"#),
            "try again in a moment",
        ),
        (
            redirect.to_owned(),
            "it redirects to https://elsewhere.example/",
        ),
        (big, "larger than 1024 KiB"),
    ] {
        let scanner = Scanner::new();
        let stranger = Stranger::answering_in_turn(vec![strange, identity(&"k".repeat(64))]);
        let ended = scanner.init(&stranger.url, TOKEN, &[]);
        ended.complains(7, words);
        assert!(
            ended.stderr.contains("it goes on where it stopped"),
            "{ended:?}"
        );
        assert_eq!(scanner.status()["state"], "enrolling", "{words}");

        scanner.init(&stranger.url, TOKEN, &[]).succeeds();
        assert_eq!(scanner.status()["state"], "enrolled");
        let requests = stranger.requests();
        assert_eq!(
            idempotency_key(&requests[0]),
            idempotency_key(&requests[1]),
            "the server can repeat an answer only under the same key"
        );
    }
}

#[test]
fn the_idempotency_key_never_goes_to_a_second_server() {
    let scanner = Scanner::new();
    let first = Stranger::answering("HTTP/1.1 200 OK\r\n");
    let second = Stranger::answering(identity("k"));
    let ended = scanner.init(&first.url, TOKEN, &["--timeout", "1"]);
    assert_eq!(ended.code, 8, "{ended:?}");
    scanner
        .init(&second.url, TOKEN, &[])
        .complains(12, "was not finished");
    assert!(second.requests().is_empty());

    scanner.init(&second.url, TOKEN, &["--replace"]).succeeds();
    let (first, second) = (first.requests(), second.requests());
    assert_ne!(idempotency_key(&first[0]), idempotency_key(&second[0]));
}

#[test]
fn a_gateways_refusal_does_not_end_what_the_server_may_have_done() {
    let refusal = |status, body| answer(status, "application/json", body);
    for gateway in [
        refusal("401 Unauthorized", r#"{"detail": "Not authenticated"}"#),
        refusal("403 Forbidden", r#"{"detail": "Blocked"}"#),
        refusal("400 Bad Request", r#"{"detail": "Bad"}"#),
    ] {
        let scanner = Scanner::new();
        let lost = "HTTP/1.1 200 OK\r\n".to_owned();
        let server = Stranger::answering_in_turn(vec![lost, gateway, identity("k")]);
        assert_eq!(scanner.init(&server.url, TOKEN, &[]).code, 6);
        assert_eq!(scanner.status()["state"], "enrolling");
        scanner.init(&server.url, TOKEN, &[]).succeeds();
        let requests = server.requests();
        assert_eq!(idempotency_key(&requests[0]), idempotency_key(&requests[2]));
    }
}

#[test]
fn an_identity_without_a_usable_key_is_refused() {
    for key in [
        "",
        "with blanks",
        "line\nbreak",
        "schlüssel",
        &"k".repeat(10_000),
    ] {
        let scanner = Scanner::new();
        let server = Stranger::answering(identity(key));
        scanner
            .init(&server.url, TOKEN, &[])
            .complains(7, "an identity that can't be used");
        assert_eq!(scanner.status()["state"], "enrolling");
    }
}

#[test]
fn the_servers_own_words_are_shown_without_what_steers_a_terminal() {
    let words = r#"{"token": ["This initialization token has already been used.", "\u001b[2J"]}"#;
    let scanner = Scanner::new();
    let server = Stranger::answering(answer("400 Bad Request", "application/json", words));
    let ended = scanner.init(&server.url, TOKEN, &[]);
    ended.complains(6, "token: This initialization token has already been used.");
    assert!(
        ended.stderr.contains("if this device used the code"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains('\u{1b}'), "{ended:?}");
    assert_eq!(
        scanner.status()["state"],
        "not-enrolled",
        "a refusal ends the enrolment"
    );
}

#[test]
fn a_server_that_is_not_there_leaves_nothing_behind() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (url, words) in [
        (format!("http://{closed}"), "can't connect to"),
        (
            "https://gatehand.invalid".to_owned(),
            "can't find the server",
        ),
    ] {
        let scanner = Scanner::new();
        scanner
            .init(&url, TOKEN, &["--timeout", "1"])
            .complains(8, words);
        assert_eq!(scanner.status()["state"], "not-enrolled");
        let server = Stranger::answering(identity("k"));
        scanner.init(&server.url, "another-token", &[]).succeeds();
    }
}

#[test]
fn a_code_that_never_left_the_device_is_forgotten_whenever_the_command_is_killed() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    // Takes connections and never says a word, so that no TLS comes about.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    for (url, is_trying) in [
        (format!("http://{address}"), "the next try is in"),
        (
            format!("https://localhost:{}", mute.local_addr().unwrap().port()),
            "",
        ),
    ] {
        let scanner = Scanner::new();
        let init = ["init", "--log", "info", "--url", &url, "--token", TOKEN];
        let mut trying = scanner.start(&init);
        if is_trying.is_empty() {
            // The connection stands, and the token waits for what never comes.
            let _connected = mute.accept().unwrap();
            trying.kill().unwrap();
        } else {
            let log = BufReader::new(trying.stderr.take().unwrap());
            let line = log.lines().map_while(Result::ok);
            assert!(line.into_iter().any(|line| line.contains(is_trying)));
            trying.kill().unwrap();
        }
        trying.wait().unwrap();
        assert_eq!(scanner.status()["state"], "not-enrolled", "{url}");
        let server = Stranger::answering(identity("k"));
        scanner.init(&server.url, "another-token", &[]).succeeds();
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn what_another_code_began_stays_begun_while_its_successor_finds_no_server() {
    let scanner = Scanner::new();
    let lost = Stranger::silent_then(identity("k"));
    let ended = scanner.init(&lost.url, TOKEN, &["--timeout", "1"]);
    assert_eq!(ended.code, 8, "{ended:?}");
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    scanner
        .init(
            &format!("http://{closed}"),
            "another-token",
            &["--replace", "--timeout", "1"],
        )
        .complains(8, "can't connect to");
    scanner.init(&lost.url, TOKEN, &[]).succeeds();
    let requests = lost.requests();
    assert_eq!(idempotency_key(&requests[0]), idempotency_key(&requests[1]));
}

#[test]
fn a_server_that_never_answers_may_have_used_the_token() {
    let scanner = Scanner::new();
    let silent = Stranger::silent_then(identity("k"));
    let ended = scanner.init(&silent.url, TOKEN, &["--timeout", "1"]);
    ended.complains(8, "did not answer in time");
    assert_eq!(scanner.status()["state"], "enrolling");

    let server = Stranger::answering(identity("k"));
    scanner
        .init(&server.url, "another-token", &[])
        .complains(12, "was not finished");
    assert!(server.requests().is_empty());

    scanner
        .init(&server.url, "another-token", &["--replace"])
        .succeeds();
}

#[test]
fn a_redirect_is_not_followed() {
    let scanner = Scanner::new();
    let target = Stranger::answering(identity("k"));
    let redirect = format!(
        "HTTP/1.1 307 Moved\r\nLocation: {}/api/v1/device/initialize\r\nContent-Length: 0\r\n\r\n",
        target.url
    );
    let server = Stranger::answering(redirect);
    assert_eq!(scanner.init(&server.url, TOKEN, &[]).code, 7);
    assert!(target.requests().is_empty());
}

/// What a login page's network, a wrong address and a moved server answer, and what is advised.
fn strange_answers() -> Vec<(String, &'static str)> {
    let redirect =
        |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let log_in = "log in to this network first";
    let check = "check the server's address";
    vec![
        (redirect("https://login.hotspot.example/?next=x"), log_in),
        (redirect("http://10.0.0.1/login"), log_in),
        (redirect("//login.hotspot.example/"), log_in),
        (
            answer("511 Network Authentication Required", "text/html", ""),
            log_in,
        ),
        (
            answer(
                "511 Network Authentication Required",
                "application/json",
                "{}",
            ),
            log_in,
        ),
        (
            answer("200 OK", "text/html", "<h1>Accept the terms</h1>"),
            log_in,
        ),
        (answer("403 Forbidden", "text/html", "blocked"), log_in),
        (redirect("/api/v1/device/initialize/"), check),
        (
            redirect("https://localhost/api/v1/device/initialize"),
            check,
        ),
        (answer("404 Not Found", "text/html", ""), check),
    ]
}

#[test]
fn a_networks_login_is_told_from_a_wrong_address_and_is_no_reason_to_give_anything_up() {
    for (strange, advice) in strange_answers() {
        let scanner = Scanner::new();
        let server = Stranger::answering_in_turn(vec![strange.clone(), identity("k")]);
        let ended = scanner.init(&server.url, TOKEN, &[]);
        ended.complains(7, advice);
        let is_a_login = advice.starts_with("log in");
        assert_eq!(!ended.stderr.contains("--replace"), is_a_login, "{ended:?}");
        assert!(!ended.stderr.contains("new code"), "{ended:?}");
        assert_eq!(scanner.status()["state"], "enrolling", "{strange}");
        scanner.init(&server.url, TOKEN, &[]).succeeds();
    }
}

#[test]
fn an_enrolled_device_is_never_told_to_enrol_anew_by_an_answer_that_is_none_of_its_servers() {
    for (strange, advice) in strange_answers() {
        let scanner = Scanner::new();
        let server = Stranger::answering_in_turn(vec![identity("k"), strange]);
        scanner.init(&server.url, TOKEN, &[]).succeeds();
        for command in ["update", "roll", "info", "event-selection"] {
            let ended = scanner.run(&[command]);
            // An empty 404 is the server's word on what to scan for.
            if command == "event-selection" && ended.code == 0 {
                continue;
            }
            let words = match advice.starts_with("log in") {
                true => advice,
                false => "open the server's address in a browser",
            };
            ended.complains(7, words);
            assert!(!ended.stderr.contains("--replace"), "{ended:?}");
        }
    }
}

#[test]
fn a_request_by_hand_that_meets_a_networks_login_says_so() {
    let scanner = Scanner::new();
    let answers = [
        identity("k"),
        answer(
            "511 Network Authentication Required",
            "text/html",
            "<h1>Log in</h1>",
        ),
        "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/login\r\nContent-Length: 0\r\n\r\n"
            .to_owned(),
    ];
    let server = Stranger::answering_in_turn(answers.to_vec());
    scanner.init(&server.url, TOKEN, &[]).succeeds();
    for _ in 0..2 {
        let ended = scanner.run(&["request", "GET", "/api/v1/organizers/"]);
        assert!(
            ended.stderr.contains("log in to this network first"),
            "{ended:?}"
        );
    }
}

#[test]
fn a_certificate_nobody_signed_is_refused_unless_it_is_trusted_by_file() {
    let scanner = Scanner::new();
    let (server, pem) = Stranger::with_own_certificate("localhost", identity("k"));
    scanner
        .init(&server.url, TOKEN, &[])
        .complains(9, "the certificate of");
    assert!(server.requests().is_empty());

    let file = scanner.scratch().join("ca.pem");
    fs::write(&file, pem).unwrap();
    scanner
        .init(&server.url, TOKEN, &["--ca-file", file.to_str().unwrap()])
        .succeeds();
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let scanner = Scanner::new();
    let (server, pem) = Stranger::with_own_certificate("elsewhere.example", identity("k"));
    let file = scanner.scratch().join("ca.pem");
    fs::write(&file, pem).unwrap();
    let ended = scanner.init(&server.url, TOKEN, &["--ca-file", file.to_str().unwrap()]);
    ended.complains(9, "the certificate of");
}

#[test]
fn a_clock_before_the_build_is_named_as_the_likely_cause() {
    if !skip::can_run("faketime", &["2020-01-01", "true"]) {
        return;
    }
    let scanner = Scanner::new();
    let (server, pem) = Stranger::with_own_certificate("localhost", identity("k"));
    let file = scanner.scratch().join("ca.pem");
    fs::write(&file, pem).unwrap();
    let gatehand = scanner.command(&[
        "init",
        "--url",
        &server.url,
        "--token",
        TOKEN,
        "--ca-file",
        file.to_str().unwrap(),
    ]);
    let mut at_another_time = std::process::Command::new("faketime");
    at_another_time
        .arg("1970-02-03 04:05:06")
        .arg(gatehand.get_program())
        .args(gatehand.get_args());
    at_another_time
        .env("GATEHAND_HOME", scanner.home())
        .env("GATEHAND_VOLATILE", "true")
        .env("TZ", "UTC");
    let ended = end(at_another_time.output().unwrap());
    ended.complains(9, "this device's clock shows 1970-02-03 04:05 UTC");
    assert!(
        ended.stderr.contains("the clock is the likely cause"),
        "{ended:?}"
    );
}

#[test]
fn a_bad_file_of_certificates_is_named() {
    let scanner = Scanner::new();
    let file = scanner.scratch().join("ca.pem");
    let arguments = ["--ca-file", file.to_str().unwrap()];
    scanner
        .init("https://localhost:1", TOKEN, &arguments)
        .complains(1, "can't read the certificates");
    fs::write(&file, "no certificate").unwrap();
    scanner
        .init("https://localhost:1", TOKEN, &arguments)
        .complains(1, "holds no certificate");
}

#[test]
fn a_file_that_is_no_certificate_is_told_for_what_it_is() {
    let scanner = Scanner::new();
    let folder = scanner.scratch();
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    let pem = parameters.self_signed(&key).unwrap().pem();
    let request = parameters.serialize_request(&key).unwrap();
    let broken = pem.replacen("CERTIFICATE-----", "CERTIFICATE", 1);
    let strange = pem.replacen("MI", "M!", 1);
    let der = key.serialize_der();
    let mut cases: Vec<(Vec<u8>, &str)> = vec![
        (pem.as_bytes()[..pem.len() / 2].to_vec(), "cut off"),
        (broken.into(), "does not end with -----"),
        (strange.into(), "not Base64"),
        (key.serialize_pem().into(), "holds a private key"),
        (der, "holds a private key"),
        (request.pem().unwrap().into(), "a request for a certificate"),
    ];
    if skip::can_run("openssl", &["version"]) {
        let [ca, secret] = ["ca.pem", "key.pem"].map(|name| folder.join(name));
        fs::write(&ca, &pem).unwrap();
        fs::write(&secret, key.serialize_pem()).unwrap();
        for (command, words) in [
            ("crl2pkcs7 -nocrl -certfile ca.pem -out made", ".p7b"),
            (
                "crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out made",
                ".p7b",
            ),
            (
                "pkcs12 -export -in ca.pem -inkey key.pem -passout pass:x -out made",
                ".p12",
            ),
            (
                "pkey -in key.pem -outform DER -out made",
                "holds a private key",
            ),
        ] {
            let made = Command::new("openssl")
                .args(command.split(' '))
                .current_dir(folder)
                .output();
            assert!(made.unwrap().status.success(), "{command}");
            cases.push((fs::read(folder.join("made")).unwrap(), words));
        }
    }
    let file = folder.join("file.pem");
    for (content, words) in cases {
        fs::write(&file, content).unwrap();
        let more = ["--ca-file", file.to_str().unwrap()];
        let ended = scanner.init("https://localhost:1", TOKEN, &more);
        ended.complains(1, words);
        let is_plain = !ended.stderr.contains("[6") && !ended.stderr.contains("BadEncoding");
        assert!(is_plain, "{ended:?}");
    }
}

#[test]
fn a_file_of_certificates_without_an_end_is_refused() {
    let scanner = Scanner::new();
    let [pipe, large] = ["pipe", "large"].map(|name| scanner.scratch().join(name));
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // With someone at its other end who writes nothing.
    let _writer = File::options().read(true).write(true).open(&pipe).unwrap();
    File::create(&large).unwrap().set_len(1 << 40).unwrap();
    let url = "https://localhost:1";
    for (file, why) in [
        (Path::new("/dev/zero"), "not a regular file"),
        (&pipe, "not a regular file"),
        (scanner.scratch(), "not a regular file"),
        (&large, "larger than"),
    ] {
        let ended = scanner.init(url, TOKEN, &["--ca-file", file.to_str().unwrap()]);
        ended.complains(1, "can't read the certificates");
        assert!(ended.stderr.contains(why), "{ended:?}");
    }
    for file in [Path::new("/dev/zero"), &pipe] {
        let arguments = [
            "init",
            "--url",
            url,
            "--token",
            TOKEN,
            "--system-certificates",
        ];
        let mut command = scanner.command(&arguments);
        let ended = end(command.env("SSL_CERT_FILE", file).output().unwrap());
        ended.complains(1, "can't read the certificates");
    }
}

#[test]
fn plain_http_to_another_machine_is_refused_unless_allowed() {
    let scanner = Scanner::new();
    let url = "http://gatehand.invalid";
    scanner.init(url, TOKEN, &[]).complains(5, "not encrypted");
    scanner
        .init(url, TOKEN, &["--allow-http", "--timeout", "1"])
        .complains(8, "can't find the server");
}

#[test]
fn a_proxy_of_the_environment_is_not_used_for_this_machine() {
    let scanner = Scanner::new();
    let proxy = Stranger::answering(answer("200 OK", "text/html", "proxy"));
    let server = Stranger::answering(identity("k"));
    let mut command = scanner.command(&["init", "--url", &server.url, "--token", TOKEN]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "all_proxy",
        "ALL_PROXY",
    ] {
        command.env(name, &proxy.url);
    }
    end(command.output().unwrap()).succeeds();
    assert!(proxy.requests().is_empty());
}

#[test]
fn a_clock_before_1970_is_told() {
    if !skip::can_run("faketime", &["1960-01-01", "true"]) {
        return;
    }
    let scanner = Scanner::new();
    let gatehand = scanner.command(&["init", "--url", "https://localhost:1", "--token", TOKEN]);
    let mut long_ago = std::process::Command::new("faketime");
    long_ago
        .arg("1960-01-01")
        .arg(gatehand.get_program())
        .args(gatehand.get_args());
    long_ago
        .env("GATEHAND_HOME", scanner.home())
        .env("GATEHAND_VOLATILE", "true");
    end(long_ago.output().unwrap()).complains(9, "before 1970");
    assert_eq!(scanner.status()["state"], "not-enrolled");
}

#[test]
fn a_flood_of_words_is_cut() {
    let scanner = Scanner::new();
    let flood = format!(r#"{{"detail": "{}"}}"#, "x".repeat(900_000));
    let server = Stranger::answering(answer("400 Bad Request", "application/json", &flood));
    let ended = scanner.init(&server.url, TOKEN, &[]);
    assert!(
        ended.code == 6 && ended.stderr.len() < 5000,
        "{}",
        ended.stderr.len()
    );
}
