//! How the agent gets to a server and how long it keeps trying: retries, proxies, trust, dead
//! connections.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use gatehand::agent::{Agent, App, Client, ClientConfig, InitializeOptions, ThisMachine, Trust};
use gatehand::enrolment::Enrolment;
use gatehand::secret::Secret;
use gatehand::vault::Folder;

use crate::common::scanner::{Ended, Scanner, end};
use crate::common::skip;
use crate::common::stranger::{Stranger, answer, answer_with, identity};

const TOKEN: &str = "kpp4jn8g2ynzonp6";
/// A name that nobody has: only a proxy gets there.
const ELSEWHERE: &str = "gatehand.invalid";

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn idempotency_key(request: &str) -> &str {
    header(request, "X-Idempotency-Key").unwrap()
}

/// Enrols where the first answer is `first` and the next an identity.
fn init_after(first: String) -> (Ended, Vec<String>) {
    let scanner = Scanner::new();
    let server = Stranger::answering_in_turn(vec![first, identity("k")]);
    let ended = scanner.init(&server.url, TOKEN, &["--log", "info"]);
    (ended, server.requests())
}

#[test]
fn a_failure_of_the_moment_is_waited_out_under_the_same_idempotency_key() {
    let unavailable = "503 Service Unavailable";
    let lost = "HTTP/1.1 200 OK\r\n".to_owned();
    let half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{";
    let next_in_1_s = "the next try is in 1.";
    for (first, told) in [
        (answer(unavailable, "text/html", "busy"), "status 503"),
        (answer("502 Bad Gateway", "text/html", ""), "status 502"),
        (answer("504 Gateway Timeout", "text/html", ""), "status 504"),
        (
            answer("429 Too Many Requests", "text/html", ""),
            "status 429",
        ),
        (
            answer_with("429 Too Many Requests", "Retry-After: 1", "{}"),
            next_in_1_s,
        ),
        (
            answer_with("409 Conflict", "Retry-After: 1", "{}"),
            next_in_1_s,
        ),
        (
            answer_with(unavailable, "Retry-After: 1", "{}"),
            next_in_1_s,
        ),
        // Years before this device's clock: what counts is the server's.
        (
            answer_with(
                unavailable,
                "Date: Wed, 03 Jan 2024 23:59:59 GMT\r\nRetry-After: Thu, 04 Jan 2024 00:00:00 GMT",
                "{}",
            ),
            next_in_1_s,
        ),
        (
            answer_with(unavailable, "Retry-After: soon", "{}"),
            "status 503",
        ),
        (
            answer_with(unavailable, "Retry-After: -1", "{}"),
            "status 503",
        ),
        (
            answer_with("409 Conflict", "Retry-After: soon", "{}"),
            "status 409",
        ),
        (lost, "the connection to"),
        (half.to_owned(), "the connection to"),
    ] {
        let (ended, requests) = init_after(first);
        ended.succeeds();
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
        assert_eq!(requests.len(), 2, "{told}");
        let key = idempotency_key(&requests[0]);
        assert_eq!(key, idempotency_key(&requests[1]), "{told}");
        for secret in [TOKEN, key] {
            assert!(!ended.stderr.contains(secret), "{ended:?}");
        }
    }
}

#[test]
fn what_will_not_pass_by_itself_is_told_at_once() {
    for (first, code) in [
        (answer("409 Conflict", "application/json", "{}"), 7),
        (answer("500 Internal Server Error", "text/html", ""), 7),
        (
            answer_with("503 Service Unavailable", "Retry-After: 3600", "{}"),
            7,
        ),
        (
            answer_with(
                "409 Conflict",
                "Retry-After: 99999999999999999999999999",
                "{}",
            ),
            7,
        ),
        (
            answer_with(
                "401 Unauthorized",
                "Retry-After: 1",
                r#"{"detail": "Invalid token."}"#,
            ),
            6,
        ),
    ] {
        let (ended, requests) = init_after(first.clone());
        assert_eq!(ended.code, code, "{first}: {ended:?}");
        assert_eq!(requests.len(), 1, "{first}");
        assert!(!ended.stderr.contains("next try"), "{ended:?}");
    }
    let scanner = Scanner::new();
    let (server, _) = Stranger::with_own_certificate("localhost", identity("k"));
    let ended = scanner.init(&server.url, TOKEN, &["--log", "info"]);
    ended.complains(9, "the certificate of");
    assert!(!ended.stderr.contains("next try"), "{ended:?}");
}

#[test]
fn an_attempt_that_was_seen_counts_when_the_last_one_never_arrived() {
    let scanner = Scanner::new();
    let server = Stranger::once("HTTP/1.1 200 OK\r\n");
    let ended = scanner.init(&server.url, TOKEN, &["--timeout", "3"]);
    ended.complains(8, "can't connect to");
    assert_eq!(server.requests().len(), 1);
    assert_eq!(scanner.status()["state"], "enrolling");
}

#[test]
fn a_small_answer_that_unpacks_to_a_large_one_is_stopped() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![b' '; 1024 * 1024]).unwrap();
    }
    let packed = packed.finish().unwrap();
    let mut bomb = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        packed.len()
    )
    .into_bytes();
    bomb.extend(packed);
    let server = Stranger::answering(bomb);
    Scanner::new()
        .init(&server.url, TOKEN, &[])
        .complains(7, "larger than 1024 KiB");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_answer_in_gzip_is_understood() {
    let plain = identity("k");
    let (_, body) = plain.split_once("\r\n\r\n").unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(body.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        packed.len()
    )
    .into_bytes();
    answer.extend(packed);
    let server = Stranger::answering(answer);
    Scanner::new().init(&server.url, TOKEN, &[]).succeeds();
    let requests = server.requests();
    assert_eq!(header(&requests[0], "Accept-Encoding"), Some("gzip"));
}

/// A stranger with a certificate for `name` that the scanner trusts by these arguments.
fn trusted(scanner: &Scanner, name: &str) -> (Stranger, String) {
    let (server, pem) = Stranger::with_own_certificate(name, identity("k"));
    let file = scanner.scratch().join("ca.pem");
    fs::write(&file, pem).unwrap();
    (server, file.to_str().unwrap().to_owned())
}

#[test]
fn https_to_another_machine_goes_through_the_proxy_of_the_environment() {
    for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let scanner = Scanner::new();
        let (server, ca_file) = trusted(&scanner, ELSEWHERE);
        let proxy = Stranger::proxy_to(&server.url);
        let url = format!("https://{ELSEWHERE}");
        let command = ["init", "--url", &url, "--token", TOKEN, "--ca-file"];
        let mut command = scanner.command(&[&command[..], &[ca_file.as_str()]].concat());
        command.env(variable, proxy.url.replace("//", "//me:s3cret@"));
        end(command.output().unwrap()).succeeds();

        let asked = &proxy.requests()[0];
        assert!(asked.starts_with("CONNECT gatehand.invalid:443 "));
        assert!(header(asked, "Proxy-Authorization").is_some_and(|it| it.starts_with("Basic ")));
        let request = &server.requests()[0];
        assert!(request.contains(TOKEN) && !asked.contains(TOKEN));
        assert_eq!(header(request, "Proxy-Authorization"), None);
    }
}

#[test]
fn plain_http_this_machine_and_what_is_excepted_never_go_through_a_proxy() {
    let proxied = |url: &str, no_proxy: &str, more: &[&str]| {
        let scanner = Scanner::new();
        let (server, ca_file) = trusted(&scanner, "localhost");
        let proxy = Stranger::proxy_to(&server.url);
        let port = server.url.rsplit_once(':').unwrap().1;
        let url = url.replace("PORT", port);
        let command = ["init", "--timeout", "2", "--url", &url, "--token", TOKEN];
        let trust = ["--ca-file", &ca_file];
        let mut command = scanner.command(&[&command[..], &trust, more].concat());
        for variable in ["http_proxy", "https_proxy", "ALL_PROXY"] {
            command.env(variable, &proxy.url);
        }
        command.env("NO_PROXY", no_proxy);
        let ended = end(command.output().unwrap());
        assert_eq!(proxy.requests(), Vec::<String>::new(), "{url}");
        ended
    };
    proxied("https://localhost:PORT", "", &[]).succeeds();
    // A certificate for a name is none for a number: the server itself was reached.
    proxied("https://127.0.0.1:PORT", "", &[]).complains(9, "the certificate of");
    let unknown = "can't find the server";
    proxied("http://gatehand.invalid", "", &["--allow-http"]).complains(8, unknown);
    proxied("https://gatehand.invalid", "gatehand.invalid", &[]).complains(8, unknown);
    let direct = proxied("https://gatehand.invalid", ".invalid", &[]);
    direct.complains(8, unknown);
    assert!(!direct.stderr.contains("proxy"), "{direct:?}");
}

#[test]
fn a_proxy_address_that_is_none_is_told_without_its_password() {
    let scanner = Scanner::new();
    let url = format!("https://{ELSEWHERE}");
    for (address, words) in [
        ("http://me:s3cret@[proxy", "can't be read"),
        ("socks5://me:s3cret@proxy", "is none for HTTP"),
    ] {
        let mut command = scanner.command(&["init", "--url", &url, "--token", TOKEN]);
        command.env("https_proxy", address);
        let ended = end(command.output().unwrap());
        ended.complains(1, words);
        assert!(ended.stderr.contains("https_proxy") && !ended.stderr.contains("s3cret"));
    }
}

/// Enrols elsewhere through the proxy at `address`, whose password is in it.
fn init_through(scanner: &Scanner, address: &str, more: &[&str]) -> Ended {
    let url = format!("https://{ELSEWHERE}");
    let command = ["init", "--timeout", "1", "--url", &url, "--token", TOKEN];
    let mut command = scanner.command(&[&command[..], more].concat());
    command.env("https_proxy", address.replace("//", "//me:s3cret@"));
    let ended = end(command.output().unwrap());
    let named = format!("through the proxy {address} (https_proxy)");
    assert!(ended.stderr.contains(&named), "{named}: {ended:?}");
    assert!(!ended.stderr.contains("s3cret"), "{ended:?}");
    ended
}

#[test]
fn a_proxy_that_leads_nowhere_is_named_and_nothing_was_sent() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let gone = format!("http://localhost:{}", gone.unwrap().port());
    // It takes connections and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://localhost:{}", mute.local_addr().unwrap().port());
    for (address, words) in [
        (gone, "can't connect to https://gatehand.invalid through"),
        (
            "http://proxy.invalid:3128".to_owned(),
            "the proxy's name has no address",
        ),
        (Stranger::answering("").url, "the proxy hung up"),
        (silent, "did not answer in time"),
    ] {
        let scanner = Scanner::new();
        let ended = init_through(&scanner, &address, &[]);
        ended.complains(8, words);
        assert!(!ended.stderr.contains("--replace"), "{ended:?}");
        assert_eq!(scanner.status()["state"], "not-enrolled", "{words}");
    }
}

/// What a proxy that answers so leads to.
fn init_refused(status: &str) -> Ended {
    let proxy = Stranger::answering(answer(status, "text/html", "no"));
    let scanner = Scanner::new();
    let ended = init_through(&scanner, &proxy.url, &["--log", "info"]);
    assert_eq!(scanner.status()["state"], "not-enrolled", "{status}");
    for asked in proxy.requests() {
        assert!(asked.starts_with("CONNECT gatehand.invalid:443 "));
        let login = header(&asked, "Proxy-Authorization");
        assert_eq!(login, Some("Basic bWU6czNjcmV0"));
    }
    ended
}

#[test]
fn what_a_proxy_refuses_for_good_is_told_at_once_with_what_helps() {
    for (status, words, advice) in [
        (
            "407 Proxy Authentication Required",
            "does not accept the name and password",
            "check the name and the password",
        ),
        ("403 Forbidden", "the proxy refuses to", "ask whoever runs"),
        (
            "511 Network Authentication Required",
            "a login to the network first (status 511)",
            "log in to this network first",
        ),
        (
            "302 Found",
            "a login to the network first (status 302)",
            "log in to this network first",
        ),
    ] {
        let ended = init_refused(status);
        ended.complains(8, words);
        assert!(ended.stderr.contains(advice), "{ended:?}");
        for wrong in ["next try", "try it again", "--replace"] {
            assert!(!ended.stderr.contains(wrong), "{wrong}: {ended:?}");
        }
    }
}

#[test]
fn a_proxy_that_gets_nowhere_just_now_is_asked_again() {
    for status in [
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let ended = init_refused(status);
        ended.complains(8, "the proxy can't reach the server (status 50");
        for words in ["next try", "check the server's address", "NO_PROXY"] {
            assert!(ended.stderr.contains(words), "{words}: {ended:?}");
        }
    }
}

#[test]
fn a_proxy_that_wants_a_login_and_was_given_none_is_told_at_once() {
    let proxy = Stranger::answering(answer("407 Proxy Authentication Required", "a/b", "no"));
    let scanner = Scanner::new();
    let url = format!("https://{ELSEWHERE}");
    let command = ["init", "--log", "info", "--token", TOKEN, "--url", &url];
    let mut command = scanner.command(&command);
    command.env("https_proxy", &proxy.url);
    let ended = end(command.output().unwrap());
    ended.complains(8, "the proxy wants a login");
    assert!(ended.stderr.contains("what to do: give name and password"));
    assert!(!ended.stderr.contains("next try"), "{ended:?}");
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_server_called_with_encryption_that_has_none_is_told_at_once_and_so_is_the_other_way_round() {
    let scanner = Scanner::new();
    let plain = Stranger::serving("https", |mut stream, _| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(answer("400 Bad Request", "text/html", "what?").as_bytes());
    });
    let ended = scanner.init(&plain.url, TOKEN, &["--log", "info"]);
    ended.complains(8, "it answers without encryption");
    assert!(
        ended
            .stderr
            .contains("its address with http:// and --allow-http")
    );
    assert!(!ended.stderr.contains("next try"), "{ended:?}");

    // As nginx, Apache and Go put it.
    for words in [
        "<h1>400 Bad Request</h1>The plain HTTP request was sent to HTTPS port",
        "You're speaking plain HTTP to an SSL-enabled server port.",
        "Client sent an HTTP request to an HTTPS server.",
    ] {
        let server = Stranger::answering(answer("400 Bad Request", "text/html", words));
        let ended = Scanner::new().init(&server.url, TOKEN, &[]);
        ended.complains(7, "encrypted requests only");
        let advice = "what to do: give the server's address with https://";
        assert!(ended.stderr.contains(advice), "{ended:?}");
    }

    // What TLS says to a message that it can't read, and a server that just hangs up.
    let alert = Stranger::answering([21, 3, 1, 0, 2, 2, 50]);
    let ended = Scanner::new().init(&alert.url, TOKEN, &["--log", "info"]);
    ended.complains(
        8,
        "answers with no HTTP, as a server at an https:// address",
    );
    assert!(
        ended
            .stderr
            .contains("what to do: give the server's address with https://")
    );
    assert!(!ended.stderr.contains("next try"), "{ended:?}");
    let silent = Stranger::answering("");
    let ended = Scanner::new().init(&silent.url, TOKEN, &["--timeout", "1"]);
    ended.complains(8, "as a server at an https:// address may do");
}

#[test]
fn a_redirect_within_the_server_may_be_a_login_page_or_a_wrong_path() {
    for (location, is_login) in [
        ("/login?u=abc", true),
        ("/captive-portal/", true),
        ("/welcome?next=/api/v1/device/initialize", true),
        ("/go?url=http%3A%2F%2Flocalhost%2F", true),
        ("/tickets/api/v1/device/initialize", false),
        ("/somewhere?lang=de", false),
    ] {
        let redirect =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let server = Stranger::answering(redirect);
        let ended = Scanner::new().init(&server.url, TOKEN, &[]);
        ended.complains(7, location);
        let advice = "what to do: log in to this network first";
        assert!(ended.stderr.contains(advice), "{location}: {ended:?}");
        let may_be_path = ended
            .stderr
            .contains("check the server's address and its path");
        assert_eq!(may_be_path, !is_login, "{location}: {ended:?}");
        assert_eq!(ended.stderr.contains("--replace"), !is_login, "{ended:?}");
    }
}

#[test]
fn a_proxy_is_named_in_each_error_that_it_may_have_caused_on_the_way() {
    let large = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
        " ".repeat(2 * 1024 * 1024)
    );
    let redirect =
        "HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n";
    for (strange, code, words) in [
        (
            answer("200 OK", "text/html", "<h1>blocked</h1>"),
            7,
            "login page",
        ),
        (
            answer("503 Service Unavailable", "text/html", ""),
            7,
            "status 503",
        ),
        (redirect.to_owned(), 7, "redirects to"),
        (large, 7, "larger than"),
        (
            "HTTP/1.1 200 OK\r\n".to_owned(),
            8,
            "did not answer in time",
        ),
    ] {
        let scanner = Scanner::new();
        let (server, pem) = Stranger::with_own_certificate(ELSEWHERE, strange);
        let file = scanner.scratch().join("ca.pem");
        fs::write(&file, pem).unwrap();
        let proxy = Stranger::proxy_to(&server.url);
        let trust = ["--ca-file", file.to_str().unwrap()];
        init_through(&scanner, &proxy.url, &trust).complains(code, words);
    }
    // As of a proxy that looks into connections.
    let (server, _) = Stranger::with_own_certificate(ELSEWHERE, identity("k"));
    let proxy = Stranger::proxy_to(&server.url);
    init_through(&Scanner::new(), &proxy.url, &[]).complains(9, "the certificate of");
}

#[test]
fn the_systems_certificates_are_trusted_on_request_only() {
    let scanner = Scanner::new();
    let (server, file) = trusted(&scanner, "localhost");
    let init = |system: &str, more: &[&str]| {
        let command = ["init", "--url", &server.url, "--token", TOKEN];
        let mut command = scanner.command(&[&command[..], more].concat());
        command
            .env("SSL_CERT_FILE", system)
            .env_remove("SSL_CERT_DIR");
        end(command.output().unwrap())
    };
    init(&file, &[]).complains(9, "the certificate of");
    let empty = scanner.scratch().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let on_request = ["--system-certificates"];
    init(empty.to_str().unwrap(), &on_request)
        .complains(1, "this system has no certificates that can be used");
    init("/nowhere/ca.pem", &on_request).complains(1, "can't read this system's certificates");
    init(&file, &on_request).succeeds();
}

/// Enrols in this process, with settings that the command has no options for.
async fn enrol(scanner: &Scanner, url: &str, config: &ClientConfig) {
    let folder = Folder::at(scanner.home()).unwrap().volatile_allowed();
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    let agent = Agent::new(folder, Client::new(config).unwrap(), Arc::new(describe));
    let token = Secret::new(TOKEN.to_owned());
    let enrolment = Enrolment::new(url.parse().unwrap(), token).unwrap();
    agent
        .initialize(&enrolment, &InitializeOptions::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_connection_that_died_is_dropped_though_its_answer_is_still_awaited() {
    let scanner = Scanner::new();
    let (server, pem) = Stranger::silent_over_http2_then(identity("k"));
    let ca_file = scanner.scratch().join("ca.pem");
    fs::write(&ca_file, pem).unwrap();
    // As long as the deadline: no time is left for another attempt unless the first is given up.
    let config = ClientConfig {
        trust: Some(Trust::default().with_file(&ca_file).unwrap()),
        read_timeout: Duration::from_secs(60),
        deadline: Duration::from_secs(60),
        keep_alive: Duration::from_millis(200),
        ..ClientConfig::default()
    };
    enrol(&scanner, &server.url, &config).await;
    let requests = server.requests();
    assert_eq!(requests[0], "HTTP/2");
    assert!(requests.last().unwrap().contains(TOKEN), "{requests:?}");
}

#[tokio::test]
async fn a_server_is_told_the_app_and_gatehand() {
    let scanner = Scanner::new();
    let server = Stranger::answering(identity("k"));
    let config = ClientConfig {
        app: Some(App {
            name: "Gate App".to_owned(),
            version: "2.1".to_owned(),
        }),
        ..ClientConfig::default()
    };
    enrol(&scanner, &server.url, &config).await;
    let expected = concat!("gatehand/", env!("CARGO_PKG_VERSION"), " Gate-App/2.1");
    let requests = server.requests();
    assert_eq!(header(&requests[0], "User-Agent"), Some(expected));
}

/// What a person at a terminal sees of an enrolment.
fn init_in_terminal(scanner: &Scanner, url: &str) -> Ended {
    let init = ["init", "--timeout", "3", "--token", TOKEN, "--url", url];
    let gatehand = scanner.command(&init);
    let words: Vec<_> = std::iter::once(gatehand.get_program())
        .chain(gatehand.get_args())
        .map(|word| word.to_str().unwrap())
        .collect();
    let terminal = Command::new("script")
        .args(["--quiet", "--return", "--command", &words.join(" ")])
        .arg("/dev/null")
        .env("GATEHAND_HOME", scanner.home())
        .env("GATEHAND_VOLATILE", "true")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output();
    end(terminal.unwrap())
}

#[test]
fn a_terminal_shows_for_how_long_it_has_been_waiting_and_why() {
    if !skip::can_run("script", &["--version"]) {
        return;
    }
    let scanner = Scanner::new();
    let silent = Stranger::silent_then(identity("k"));
    let ended = init_in_terminal(&scanner, &silent.url);
    assert_eq!(ended.code, 8, "{ended:?}");
    let waiting = format!("\rEnrolling at {} … 1 s\r", silent.url);
    assert!(ended.stdout.contains(&waiting), "{ended:?}");
    let (_, after) = ended.stdout.rsplit_once(" s\r").unwrap();
    let blanks = " ".repeat(waiting.chars().count() - 2);
    assert!(
        after.starts_with(&format!("\r{blanks}\rerror:")),
        "{ended:?}"
    );

    let busy = Stranger::answering(answer("503 Service Unavailable", "text/html", ""));
    let ended = init_in_terminal(&Scanner::new(), &busy.url);
    assert!(ended.stdout.contains(" s, status 503"), "{ended:?}");

    let scanner = Scanner::new();
    let silent = Stranger::silent_then(identity("k"));
    let ended = scanner.init(&silent.url, TOKEN, &["--timeout", "2"]);
    assert!(!ended.stderr.contains('…'), "{ended:?}");
}
