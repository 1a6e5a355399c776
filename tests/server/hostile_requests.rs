//! What a stranger may say in a request, and a real server makes of it: hosts that are not ours, heads
//! that others read otherwise, proxies that nobody trusts, paths that almost are one, and keys that
//! nobody has.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::raw::{exchange_at, statuses};
use crate::common::scanner::{Scanner, end};
use crate::common::server::{Answer, ORGANIZER, ask};

const INFO: &str = "/api/v1/device/info";
const VERSION: &str = "/api/v1/version";
const INITIALIZE: &str = "/api/v1/device/initialize";

/// An answer to a request with these headers.
fn get(installation: &Installation, path: &str, headers: &[(&str, &str)]) -> Answer {
    let url = format!("{}{path}", installation.url);
    ask(|client| {
        let request = client.get(url);
        let headers = headers.iter();
        headers.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    })
}

fn as_device(installation: &Installation, key: &str, path: &str) -> Answer {
    get(
        installation,
        path,
        &[("Authorization", &format!("Device {key}"))],
    )
}

fn initialize(installation: &Installation, token: &str, more: &[(&str, &str)]) -> Answer {
    let url = format!("{}{INITIALIZE}", installation.url);
    let report = crate::common::server::initialization(&json!({"initialization_token": token}));
    ask(|client| {
        let request = client.post(url).json(&report);
        let headers = more.iter();
        headers.fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    })
}

/// Makes enough devices for a second page, and a token that may list them.
fn pages(installation: &Installation) -> String {
    installation.add_device("Lane 1");
    installation.add_device("Lane 2");
    installation.admin(&["team", "create", ORGANIZER, "admins", "--permission", "all"]);
    let token = installation.admin(&["token", "create", ORGANIZER, "admins"]);
    token["token"].as_str().unwrap().to_owned()
}

/// The link to the second page, as it is told to a request with these headers.
fn link(installation: &Installation, token: &str, headers: &[(&str, &str)]) -> Value {
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/?page_size=1");
    let authorization = format!("Token {token}");
    let headers = [&[("Authorization", &*authorization)], headers].concat();
    let answer = get(installation, &path, &headers);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["next"].clone()
}

fn key_of(installation: &Installation, name: &str) -> (u64, String) {
    let identity = installation.enrol_with_another_app(name);
    let key = identity["api_token"].as_str().unwrap().to_owned();
    (identity["device_id"].as_u64().unwrap(), key)
}

fn revoke(installation: &Installation, number: u64) {
    installation.admin(&["device", "revoke", ORGANIZER, &number.to_string()]);
}

#[test]
fn a_public_address_that_is_no_origin_with_a_path_is_refused_in_words_by_every_command() {
    let desk = Scanner::new();
    let database = desk.scratch().join("server.db");
    let database = database.to_str().unwrap();
    let admin =
        |arguments: &[&str]| desk.run(&[&["admin", "--database", database], arguments].concat());
    admin(&["organizer", "create", ORGANIZER, "--name", "Big"]).succeeds();
    let create = [
        "device",
        "create",
        ORGANIZER,
        "--name",
        "Lane",
        "--all-events",
    ];
    for (url, words) in [
        ("https://x.example/*", "letters"),
        ("https://x.example/*rest", "letters"),
        ("https://x.example/:a", "letters"),
        ("https://x.example/{x}", "letters"),
        ("https://x.example/a//b", "letters"),
        ("https://x.example/?a=b", "query"),
        ("https://x.example/#a", "fragment"),
        ("https://u:hidden@x.example", "user name or password"),
        ("ftp://x.example", "must begin with https://"),
        ("x.example", "write https://x.example"),
    ] {
        let named = ["--public-url", url];
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", database];
        let show = ["device", "show", ORGANIZER, "1"];
        for ended in [
            end(desk
                .command(&[&serve[..], &named].concat())
                .output()
                .unwrap()),
            admin(&[&create[..], &named].concat()),
            admin(&[&show[..], &named].concat()),
        ] {
            ended.complains(2, words);
        }
    }
    let devices = admin(&["device", "list", ORGANIZER, "--json"]);
    assert_eq!(devices.succeeds().stdout.trim(), "[]");
    let ended = admin(&[&create[..], &["--public-url", "https://x.example/shop"]].concat());
    ended.complains(0, "Android app loses");
}

#[test]
fn a_public_path_is_served_whether_a_proxy_takes_it_away_or_not_and_warned_of() {
    let public = "https://tickets.example/shop/";
    let installation = Installation::start_with(&["--public-url", public]);
    installation.logs("Android app loses");
    let (_, key) = key_of(&installation, "Lane");
    for path in [
        INFO,
        "/shop/api/v1/device/info",
        "/shop//api/v1/device/info",
    ] {
        assert_eq!(as_device(&installation, &key, path).status, 200, "{path}");
    }
    // The page is there, too.
    for path in ["/shop", "/shop/"] {
        assert_eq!(as_device(&installation, &key, path).status, 303, "{path}");
    }
    for path in ["/shop/shop/api/v1/device/info", "/shopapi/v1/device/info"] {
        assert_eq!(as_device(&installation, &key, path).status, 404, "{path}");
    }
    let token = pages(&installation);
    let devices = format!("https://tickets.example/shop/api/v1/organizers/{ORGANIZER}/devices/");
    let expected = format!("{devices}?page=2&page_size=1");
    assert_eq!(link(&installation, &token, &[]), *expected);
    assert_eq!(
        link(&installation, &token, &[("Host", "tickets.example")]),
        *expected
    );
}

#[test]
fn a_host_that_is_not_ours_is_refused_and_never_repeated() {
    let installation = Installation::start_with(&["--allowed-host", "tickets.example,192.0.2.7"]);
    let token = pages(&installation);
    for host in [
        "tickets.example",
        "TICKETS.example.:443",
        "192.0.2.7:80",
        "localhost",
        "127.0.0.1:1",
        "[::1]",
    ] {
        let expected =
            format!("http://{host}/api/v1/organizers/{ORGANIZER}/devices/?page=2&page_size=1");
        assert_eq!(link(&installation, &token, &[("Host", host)]), *expected);
    }
    for host in [
        "evil.example",
        "tickets.example.evil.example",
        "tickets.example@evil.example",
        "192.0.2.8",
        "localhost.evil.example",
        "",
    ] {
        let answer = get(&installation, VERSION, &[("Host", host)]);
        assert_eq!(answer.status, 400, "{host}: {}", answer.text);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("--allowed-host"), "{detail}");
        assert!(!answer.text.contains("evil"), "{}", answer.text);
    }
    installation.logs("evil.example");
    let told = "a request for another host was refused";
    assert_eq!(installation.log().matches(told).count(), 1, "once a minute");
}

#[test]
fn a_request_that_another_server_may_read_otherwise_is_refused_and_what_follows_is_not_read() {
    let installation = Installation::start();
    let address = installation.address();
    let next = format!("GET {VERSION} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let post = |headers: &str, body: &str| {
        format!("POST {INITIALIZE} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}")
    };
    let get = |headers: &str| format!("GET {VERSION} HTTP/1.1\r\n{headers}\r\n");
    // All of it is plain, and both requests are answered.
    for plain in [
        get("Host: localhost\r\n"),
        format!("\r\n{}", get("Host: localhost\r\n")),
        get("Host: localhost\r\nContent-Length: 4\r\n") + "a\n\nb",
        post(
            "Transfer-Encoding: chunked\r\n",
            "2;a=b\r\n{}\r\n0\r\nA: b\r\n\r\n",
        ),
    ] {
        let answers = exchange_at(&address, format!("{plain}{next}").as_bytes());
        assert_eq!(statuses(&answers).len(), 2, "{plain}: {answers}");
    }
    for doubtful in [
        get("Host: localhost\n"),
        get("Host: localhost\r\nX: y\n"),
        get(&format!(
            "Host: localhost\r\nX-Long: {}\r\nX: y\n",
            "y".repeat(9000)
        )),
        get("Host: localhost\r\n").replacen("\r\n", "\n", 1),
        get("Host: localhost\r\n").replace("\r\n", "\n"),
        get("Host: localhost\r\n").replace("\r\n\r\n", "\r\n\n"),
        format!("\n{}", get("Host: localhost\r\n")),
        post(
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        post(
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "0\r\n\r\n",
        ),
        post(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        post(
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"),
        post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
        post("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"),
        post("Content-Length: 2\r\nContent-Length: 0\r\n", "{}"),
        post("Content-Length: 2, 2\r\n", "{}"),
        post("Content-Length: +2\r\n", "{}"),
        post("X: y\r\n Content-Length: 2\r\n", "{}"),
        post("Transfer-Encoding: chunked\r\n", "2\n{}\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\n", "0x2\r\n{}\r\n0\r\n\r\n"),
    ] {
        let answers = exchange_at(&address, format!("{doubtful}{next}").as_bytes());
        assert_eq!(statuses(&answers), [400], "{doubtful:?}: {answers}");
        // A plain one before it is answered.
        let plain = get("Host: localhost\r\n");
        let answers = exchange_at(&address, format!("{plain}{doubtful}{next}").as_bytes());
        assert_eq!(statuses(&answers), [403, 400], "{doubtful:?}: {answers}");
    }
    installation.logs("a request that another server may read otherwise was refused");
    for several in [
        get("Host: localhost\r\nHost: localhost\r\nConnection: close\r\n"),
        get("Host: localhost\r\nHost: evil.example\r\nConnection: close\r\n"),
        get("Connection: close\r\n"),
        get("Host: localhost\r\nConnection: close\r\n").replacen(
            "/api",
            "http://evil.example/api",
            1,
        ),
    ] {
        let answers = exchange_at(&address, several.as_bytes());
        assert_eq!(statuses(&answers), [400], "{several}: {answers}");
        assert!(
            answers.contains("\"detail\":\"The request names"),
            "{answers}"
        );
    }
}

#[test]
fn who_speaks_https_to_a_port_that_speaks_http_is_told_of_in_the_log() {
    let installation = Installation::start();
    let address = installation.url.replace("http://", "https://");
    let scanner = Scanner::new();
    let arguments = [
        "init",
        "--url",
        &address,
        "--token",
        "kpp4jn8g2ynzonp6",
        "--timeout",
        "1",
    ];
    assert_ne!(scanner.run(&arguments).code, 0);
    installation.logs("a caller speaks https to this port");
    let log = installation.log();
    assert!(!log.contains("without CR"), "{log}");
}

#[test]
fn what_a_proxy_says_is_believed_only_of_one_that_is_trusted() {
    let said = [
        ("Host", "127.0.0.1"),
        ("X-Forwarded-Host", "tickets.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "198.51.100.7, 192.0.2.1"),
    ];
    let start = |more: &[&str]| {
        let log = ["--log", "info", "--allowed-host", "tickets.example"];
        Installation::start_with(&[&log, more].concat())
    };
    let rest = format!("/api/v1/organizers/{ORGANIZER}/devices/?page=2&page_size=1");

    let trusting = start(&["--trusted-proxy", "127.0.0.1"]);
    let token = pages(&trusting);
    assert_eq!(
        link(&trusting, &token, &said),
        *format!("https://tickets.example{rest}")
    );
    trusting.logs("client=192.0.2.1");
    let foreign = [("X-Forwarded-Host", "evil.example")];
    let answer = get(&trusting, VERSION, &foreign);
    assert_eq!(answer.status, 400, "{}", answer.text);

    let other = start(&["--trusted-proxy", "192.0.2.99"]);
    let token = pages(&other);
    for _ in 0..2 {
        assert_eq!(
            link(&other, &token, &said),
            *format!("http://127.0.0.1{rest}")
        );
    }
    assert_eq!(get(&other, VERSION, &foreign).status, 403, "it is ignored");
    other.logs("client=127.0.0.1");
    let log = other.log();
    assert_eq!(log.matches("is not believed").count(), 1, "{log}");
    assert!(log.contains("--trusted-proxy"), "{log}");
    assert!(!log.contains("192.0.2.1"), "{log}");
}

#[test]
fn a_key_that_is_not_good_is_refused_before_it_is_said_that_there_is_nothing() {
    let installation = Installation::start();
    let (_, good) = key_of(&installation, "good");
    let (number, revoked) = key_of(&installation, "revoked");
    revoke(&installation, number);
    let organizer = format!("/api/v1/organizers/{ORGANIZER}");
    let paths = [
        format!("{organizer}/events/"),
        format!("{organizer}/events/x/checkinlists/?page=1"),
        format!("{organizer}/devices/1"),
        format!("{organizer}/devices/?format=xml"),
        "/api/v1/organizers/".to_owned(),
        "/api/v1/organizers//devices/".to_owned(),
        "/api/v1/organizers/%ff/devices/".to_owned(),
        "/api/v1/organizers/no-such/subevents/".to_owned(),
        format!("/{organizer}/events/"),
    ];
    for path in &paths {
        // Who only asks is led to the slash that lacks.
        let nothing = if path.ends_with("/1") { 301 } else { 404 };
        assert_eq!(
            as_device(&installation, &good, path).status,
            nothing,
            "{path}"
        );
        assert_eq!(
            get(&installation, path, &[]).status,
            if path.contains("format") {
                404
            } else {
                nothing
            }
        );
        if nothing == 301 {
            continue;
        }
        let answer = as_device(&installation, &revoked, path);
        answer.is(401, json!({"detail": "Device access has been revoked."}));
        assert_eq!(answer.header("www-authenticate"), "Token", "{path}");
        let answer = as_device(&installation, "nobody", path);
        answer.is(401, json!({"detail": "Invalid token."}));
        let answer = get(&installation, path, &[("Authorization", "Token nobody")]);
        answer.is(401, json!({"detail": "Invalid token."}));
    }
    let url = format!("{}{organizer}/devices", installation.url);
    let authorization = format!("Device {revoked}");
    let answer = ask(|client| client.post(url).header("Authorization", authorization));
    answer.is(401, json!({"detail": "Device access has been revoked."}));
    // Elsewhere a path says nothing of a key.
    assert_eq!(
        as_device(&installation, &revoked, "/api/v1/devices").status,
        404
    );
}

#[test]
fn one_slash_too_many_at_the_beginning_changes_nothing_and_elsewhere_leads_nowhere() {
    let installation = Installation::start();
    let (_, full) = key_of(&installation, "full");
    let kiosk = installation.admin(&[
        "device",
        "create",
        ORGANIZER,
        "--name",
        "kiosk",
        "--all-events",
        "--security-profile",
        "pretixscan_online_kiosk",
    ]);
    let token = kiosk["initialization_token"].as_str().unwrap();
    let url = format!("{}/{INITIALIZE}", installation.url);
    let report = crate::common::server::initialization(&json!({"initialization_token": token}));
    let identity = ask(|client| client.post(url).json(&report)).json();
    let kiosk = identity["api_token"].as_str().unwrap();
    for path in [INFO, "//api/v1/device/info"] {
        assert_eq!(as_device(&installation, &full, path).status, 200, "{path}");
        assert_eq!(as_device(&installation, kiosk, path).status, 200, "{path}");
        let answer = as_device(&installation, "nobody", path);
        answer.is(401, json!({"detail": "Invalid token."}));
    }
    for (key, status) in [(kiosk, 403), (&full, 200)] {
        for path in [INFO, "//api/v1/device/info"] {
            let url = format!("{}{path}", installation.url);
            let authorization = format!("Device {key}");
            let answer = ask(|client| client.head(url).header("Authorization", authorization));
            assert_eq!(
                answer.status, status,
                "HEAD {path}, which the kiosk may not"
            );
        }
    }
    for path in [
        "///api/v1/device/info",
        "/api//v1/device/info",
        "/api/v1//device/info",
        "/api/v1/device//info",
        "/api/v1/organizers//devices",
        "//api//v1/device/info",
        "/api/v1/device/info//",
        "//x/api/v1/device/info",
    ] {
        for key in [&full, kiosk] {
            assert_eq!(as_device(&installation, key, path).status, 404, "{path}");
        }
    }
}

#[test]
fn many_unknown_keys_of_an_address_are_put_off_and_nobody_else_is_held_up() {
    let installation = Installation::start_with(&["--unknown-keys-per-minute", "5"]);
    let (_, known) = key_of(&installation, "known");
    let (number, revoked) = key_of(&installation, "revoked");
    revoke(&installation, number);
    let waiting = installation.create_device("waiting");
    let used = installation.create_device("used");
    assert_eq!(initialize(&installation, &used, &[]).status, 200);
    // Neither what lacks, nor what is known, counts.
    for _ in 0..10 {
        assert_eq!(get(&installation, INFO, &[]).status, 401);
        assert_eq!(as_device(&installation, &revoked, INFO).status, 401);
        assert_eq!(initialize(&installation, &used, &[]).status, 400);
    }
    let guess = |number| match number % 3 {
        0 => as_device(&installation, &format!("guess{number}"), INFO),
        1 => get(&installation, VERSION, &[("Authorization", "Token guess")]),
        _ => initialize(
            &installation,
            "guess",
            &[("X-Idempotency-Key", &format!("k{number}"))],
        ),
    };
    let first: Vec<u16> = (0..5).map(|number| guess(number).status).collect();
    assert_eq!(first, [401, 403, 400, 401, 403]);
    thread::scope(|scope| {
        // A fleet behind the same address goes on while someone there guesses on.
        let guesses = scope.spawn(|| (0..30).map(guess).collect::<Vec<_>>());
        for _ in 0..30 {
            assert_eq!(as_device(&installation, &known, INFO).status, 200);
            let answer = as_device(&installation, &revoked, INFO);
            answer.is(401, json!({"detail": "Device access has been revoked."}));
        }
        let guesses = guesses.join().unwrap();
        // Those of a slow machine may have found room again.
        let put_off: Vec<_> = guesses
            .iter()
            .filter(|answer| answer.status == 429)
            .collect();
        assert!(put_off.len() >= 15, "{guesses:?}");
        for answer in put_off {
            let seconds: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=13).contains(&seconds), "{answer:?}");
            assert!(answer.json()["detail"].is_string(), "{answer:?}");
        }
    });
    assert_eq!(get(&installation, INFO, &[]).status, 401);
    assert_eq!(initialize(&installation, &waiting, &[]).status, 200);
    installation.logs("--unknown-keys-per-minute");
    let told = "an address sends many keys that nobody has";
    assert_eq!(installation.log().matches(told).count(), 1);
}

#[test]
fn unknown_keys_are_counted_for_the_client_that_a_trusted_proxy_names_and_no_other() {
    let guess = |installation: &Installation, client: &str| {
        let named = [
            ("Authorization", "Device guess"),
            ("X-Forwarded-For", client),
        ];
        get(installation, INFO, &named).status
    };
    let limit = ["--unknown-keys-per-minute", "1"];
    let trusting =
        Installation::start_with(&[&limit[..], &["--trusted-proxy", "127.0.0.1"]].concat());
    assert_eq!(guess(&trusting, "192.0.2.1"), 401);
    assert_eq!(guess(&trusting, "192.0.2.1"), 429);
    assert_eq!(guess(&trusting, "6.6.6.6, 192.0.2.1"), 429);
    assert_eq!(guess(&trusting, "192.0.2.2"), 401);
    assert_eq!(guess(&trusting, "2001:db8::1"), 401);
    assert_eq!(guess(&trusting, "2001:db8::2"), 429, "one network");
    assert_eq!(guess(&trusting, "2001:db8:0:1::1"), 401);
    let other = Installation::start_with(&limit);
    assert_eq!(guess(&other, "192.0.2.1"), 401);
    assert_eq!(guess(&other, "192.0.2.2"), 429);
}

#[test]
fn a_scanner_that_is_put_off_tries_again_and_takes_no_token_or_key_for_unknown() {
    let installation = Installation::start_with(&["--unknown-keys-per-minute", "1"]);
    let scanner = Scanner::new();
    let token = installation.create_device("Lane");
    scanner.init(&installation.url, &token, &[]).succeeds();
    // The key becomes one that nobody has, as after the restore of an old backup.
    let database = rusqlite::Connection::open(installation.database()).unwrap();
    let forget = "UPDATE device SET api_key_hash = randomblob(32)";
    assert_eq!(database.execute(forget, []).unwrap(), 1);
    assert_eq!(as_device(&installation, "guess", INFO).status, 401);
    let put_off = scanner.run(&["info", "--timeout", "1"]);
    put_off.complains(7, "try again in a moment (status 429");
    assert_eq!(
        scanner.status()["state"],
        "enrolled",
        "{}",
        scanner.status()
    );

    as_device(&installation, "guess", INFO);
    let other = Scanner::new();
    let put_off = other.init(&installation.url, "nobodystokennnnn", &["--timeout", "1"]);
    put_off.complains(7, "try again in a moment (status 429");
    assert!(!put_off.stderr.contains("unknown"), "{put_off:?}");
    assert_eq!(other.status()["state"], "enrolling", "{}", other.status());
}

#[test]
fn a_type_that_says_anything_is_read_as_json_as_the_reference_does() {
    let installation = Installation::start();
    let report = crate::common::server::initialization(&json!({"initialization_token": "nobody"}));
    for (content_type, status) in [
        ("*/*", 400),
        ("application/*", 400),
        ("*/json", 400),
        ("text/*", 415),
    ] {
        let url = format!("{}{INITIALIZE}", installation.url);
        let answer = ask(|client| {
            let request = client.post(url).header("Content-Type", content_type);
            request.body(report.to_string())
        });
        assert_eq!(answer.status, status, "{content_type}: {}", answer.text);
    }
}

#[test]
fn a_host_that_is_none_is_refused_when_the_server_starts() {
    let desk = Scanner::new();
    for host in ["https://x.example", "x.example:443", "*", ""] {
        let mut command: Command = desk.command(&["serve", "--allowed-host", host]);
        let ended = end(command
            .current_dir(desk.scratch())
            .stdout(Stdio::piped())
            .output()
            .unwrap());
        ended.complains(2, "without https:// and port");
    }
    assert!(fs::read_dir(desk.scratch()).unwrap().next().is_none());
}
