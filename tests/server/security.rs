//! What must hold when someone has the database, sends anything at all, or pulls the plug.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use gatehand::server::ServerError;
use gatehand::server::model::MediumKeys;
use gatehand::server::store::{self, OpenFailure};
use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::installation::{Installation, ServerProcess, serve};
use crate::common::scanner::Scanner;
use crate::common::server::{ORGANIZER, TestServer, ask, config, initialization, listen, send};
use crate::common::skip;

#[tokio::test]
async fn a_stolen_database_holds_no_key_and_no_token() {
    let server = TestServer::start().await;
    let device = server.create_device("Door").await;
    let request = server.request(Method::POST, "/api/v1/device/initialize");
    let request = request.header(IDEMPOTENCY_HEADER, "poor-key");
    let identity = send(request.json(&initialization(&device))).await.json();
    let key = identity["api_token"].as_str().unwrap().to_owned();
    let request = server.as_device(&key, Method::POST, "/api/v1/device/roll");
    let rolled = send(request.header(IDEMPOTENCY_HEADER, "poor-key"))
        .await
        .json();
    let waiting = server.create_device("Waiting").await;
    let keys = MediumKeys {
        public_id: 1,
        active: true,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: b"uid key, 16 byte".to_vec().into(),
        diversification_key: b"diversification!".to_vec().into(),
    };
    server
        .store
        .create_medium_keys(server.organizer, keys)
        .await
        .unwrap();
    let secrets = [
        server.admin.clone(),
        key,
        rolled["api_token"].as_str().unwrap().to_owned(),
        device["initialization_token"].as_str().unwrap().to_owned(),
        waiting["initialization_token"].as_str().unwrap().to_owned(),
        "poor-key".to_owned(),
        "uid key, 16 byte".to_owned(),
        "diversification!".to_owned(),
    ];
    let folder = server.stop().await;
    assert!(
        !folder.path().join("gatehand.db-wal").exists(),
        "the end leaves one file"
    );
    let mut searched = 0;
    for file in fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o077,
            0,
            "{file:?}"
        );
        let content = fs::read(file.path()).unwrap();
        searched += content.len();
        for secret in &secrets {
            let found = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {file:?}");
        }
    }
    assert!(searched > 10_000);
}

#[tokio::test]
async fn a_database_opens_with_its_own_secret_only() {
    let server = TestServer::start().await;
    server.create_device("Door").await;
    let (database, folder) = (server.database(), server.stop().await);
    let secret = folder.path().join("gatehand.db.secret");
    let open = || store::open(&database.clone().into(), None).map_err(|error| error.source);
    assert!(open().is_ok());
    let own = fs::read(&secret).unwrap();

    fs::remove_file(&secret).unwrap();
    assert!(matches!(open(), Err(OpenFailure::Secret(_))));
    assert!(!secret.exists(), "no other secret is made in its place");
    let error = listen(folder.path(), config(None)).await.err().unwrap();
    assert!(matches!(error, ServerError::Database(_)));

    let other = "0".repeat(64);
    fs::write(&secret, other).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let error = open().err().unwrap();
    assert!(matches!(error, OpenFailure::OtherSecret), "{error}");

    fs::write(&secret, own).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::rename(&secret, &elsewhere).unwrap();
    assert!(store::open(&database.clone().into(), Some(&elsewhere)).is_ok());
}

#[tokio::test]
async fn a_database_of_a_later_version_is_left_alone() {
    let server = TestServer::start().await;
    let (database, folder) = (server.database(), server.stop().await);
    let connection = rusqlite::Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = store::open(&database.clone().into(), None)
        .err()
        .unwrap()
        .source;
    assert!(
        matches!(error, OpenFailure::Newer { found: 99, .. }),
        "{error}"
    );
    drop(folder);
}

#[tokio::test]
async fn any_body_gets_an_answer_below_500() {
    for server in TestServer::on_each().await {
        let (_, key) = server.enrol("Door").await;
        let keys: Vec<String> = (0..60_000)
            .map(|number| format!("\"k{number}\":1"))
            .collect();
        let bodies: Vec<Vec<u8>> = vec![
            b"\0".to_vec(),
            b"\xff\xfe".to_vec(),
            b"{\"name\": \"\xff\"}".to_vec(),
            b"{\"name\\ud800\": 1}".to_vec(),
            "[".repeat(900_000).into_bytes(),
            "{\"name\":".repeat(100_000).into_bytes(),
            format!("{{{}}}", keys.join(",")).into_bytes(),
            format!("{{\"name\":{}}}", "9".repeat(500_000)).into_bytes(),
            format!("{{\"info\":{}}}", "9".repeat(500_000)).into_bytes(),
            format!("{{\"limit_events\":[{}1]}}", "1,".repeat(200_000)).into_bytes(),
            b"name=%ff%00&limit_events=%zz&all_events=&=".to_vec(),
            "a&".repeat(400_000).into_bytes(),
            b"--XX\r\n\r\n--XX--".to_vec(),
            vec![b'a'; 1024 * 1024 + 1],
        ];
        for body in bodies {
            for content_type in [
                "application/json",
                "application/json; charset=utf-16",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=XX",
                "text/plain; \u{fc}",
            ] {
                for request in [
                    server.devices(Method::POST, ""),
                    server.devices(Method::PATCH, "1/"),
                    server.as_device(&key, Method::POST, "/api/v1/device/update"),
                    server.request(Method::POST, "/api/v1/device/initialize"),
                ] {
                    let request = request.header("Content-Type", content_type.as_bytes());
                    let request = request.header(IDEMPOTENCY_HEADER, content_type.as_bytes());
                    let answer = send(request.body(body.clone())).await;
                    assert!(answer.status < 500, "{content_type}: {}", answer.text);
                }
            }
        }
        let answer = send(
            server
                .devices(Method::POST, "")
                .body(vec![b'a'; 1024 * 1024 + 1]),
        )
        .await;
        answer.is(413, json!({"detail": "The request body is too large."}));
    }
}

#[tokio::test]
async fn any_path_query_and_header_gets_an_answer_below_500() {
    for server in TestServer::on_each().await {
        let address = server.url.trim_start_matches("http://");
        let long = "a".repeat(8000);
        for target in [
            "/api/v1/organizers/%00/devices/",
            "/api/v1/organizers/%F0%9F%98%80/devices/%00/",
            "/api/v1/organizers/../devices/",
            "/api/v1/organizers/bigevents/devices/?page=%00&page_size=%ff&format=%00",
            "/api/v1/idempotency_query?key=%00%ff",
            "/api/v1/device/eventselection?current_event=%00",
            "*",
            "http://other.example/api/v1/version",
            &format!("/{long}"),
            &format!("/api/v1/organizers/{long}/devices/?{long}"),
        ] {
            for header in [
                "X-A: b",
                "Authorization: \u{ff}\u{0}",
                "Authorization: Token \u{e4}",
                "Authorization: Device",
                "Accept: \u{ff};;,q=",
                "Host: a b",
                "X-Request-Id: \u{ff}",
                "Content-Length: -1",
                "Transfer-Encoding: nonsense",
                &format!("X-Long: {long}"),
            ] {
                let head = format!(
                    "GET {target} HTTP/1.1\r\nHost: localhost\r\n{header}\r\nConnection: close\r\n\r\n"
                );
                let mut stream = TcpStream::connect(address).await.unwrap();
                // Latin-1, so that bytes that are no UTF-8 are sent too.
                let bytes: Vec<u8> = head.chars().map(|c| c as u8).collect();
                stream.write_all(&bytes).await.unwrap();
                let mut answer = Vec::new();
                stream.read_to_end(&mut answer).await.unwrap();
                let answer = String::from_utf8_lossy(&answer);
                assert!(answer.len() > 12, "{target:.60} {header:.40}: {answer:?}");
                let status: u16 = answer[9..12].parse().unwrap();
                assert!(
                    (200..500).contains(&status),
                    "{target:.60} {header:.40}: {answer}"
                );
            }
        }
    }
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = TestServer::start().await;
    let request = server.devices(Method::GET, "");
    let answer = send(request.header("X-Large", "a".repeat(40_000))).await;
    assert_eq!(answer.status, 431);
    let mut request = server.devices(Method::GET, "");
    for number in 0..200 {
        request = request.header(format!("X-{number}"), "a");
    }
    assert_eq!(send(request).await.status, 431);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    // The clock jumps as soon as everyone waits: no test time passes.
    let server = TestServer::start().await;
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        "POST /api/v1/device/initialize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

#[tokio::test]
async fn what_was_accepted_is_finished_before_the_end() {
    for server in TestServer::on_each().await {
        let device = server.create_device("Door").await;
        let address = server.url.trim_start_matches("http://").to_owned();
        let body = initialization(&device).to_string();
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "POST /api/v1/device/initialize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server has begun with the request once it asks for the body.
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        let stopping = tokio::spawn(server.stop());
        while TcpStream::connect(&address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        stopping.await.unwrap();
    }
}

#[tokio::test]
async fn answers_have_an_id_and_are_stored_nowhere() {
    let server = TestServer::start().await;
    let answer = send(
        server
            .devices(Method::GET, "")
            .header("X-Request-Id", "abc-1"),
    )
    .await;
    assert_eq!(answer.header("x-request-id"), "abc-1");
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = send(
        server
            .devices(Method::GET, "")
            .header("X-Request-Id", "a b"),
    )
    .await;
    assert_eq!(made.header("x-request-id").len(), 16);
    assert_eq!(
        send(server.request(Method::GET, "/nothing"))
            .await
            .header("x-request-id")
            .len(),
        16
    );
}

/// A token as scanners are given, and an API key.
const SECRETS: [&str; 2] = [
    "gu9jxbc28mfrm3q5",
    "ihbdgvu4qcqvaa2tv5b2ydyxjxhwdqmdxojwbt4pvz3djmkmoyo7bgtd4nm2zwlf",
];

#[test]
fn a_token_in_a_path_is_not_logged() {
    let installation = Installation::start_with(&["--log", "info"]);
    for (secret, id) in SECRETS.iter().zip(["first", "second"]) {
        for path in [
            format!("/api/v1/device/initialize/{secret}"),
            format!("/api/v1/organizers/{secret}/devices/"),
            format!("/{}/", secret.to_uppercase()),
        ] {
            let url = format!("{}{path}", installation.url);
            let answer = ask(|client| client.get(url).header("X-Request-Id", id));
            assert!(answer.status >= 400, "{path}");
        }
        installation.logs(id);
    }
    installation.logs(&"*".repeat(64));
    let log = installation.log().to_lowercase();
    assert!(log.contains("/api/v1/device/initialize/**"), "{log}");
    for secret in SECRETS {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_server_starts_with_no_secret_that_it_could_be_led_to() {
    let installation = Installation::start();
    let database = installation.database();
    let folder = database.parent().unwrap();
    let [link, pipe, open] = ["link", "pipe", "open"].map(|name| folder.join(name));
    let own = database.with_extension("db.secret");
    std::os::unix::fs::symlink(&own, &link).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    fs::copy(&own, &open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o640)).unwrap();
    for (path, words) in [
        (&link, "link"),
        (&pipe, "regular file"),
        (&open, "chmod 600"),
    ] {
        let mut command = serve(&database);
        let ended = command.arg("--secret-file").arg(path).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && said.contains(words), "{said}");
        assert!(said.contains(path.to_str().unwrap()), "{said}");
    }
    fs::set_permissions(&open, fs::Permissions::from_mode(0o600)).unwrap();
    let named = ["--secret-file", open.to_str().unwrap()];
    drop(ServerProcess::start_with(&database, &named));
}

/// Lets a command see another time than it is.
const FAKE_TIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

#[test]
fn with_a_clock_before_1970_nothing_panics_and_what_cannot_be_answered_is_refused() {
    if !skip::can_run("faketime", &["2030-01-01", "true"]) {
        return;
    }
    let library = FAKE_TIME.iter().find(|path| fs::exists(path).unwrap());
    let set_back = [
        ("LD_PRELOAD", *library.unwrap()),
        ("FAKETIME", "@1965-03-04 05:06:07"),
    ];
    let installation = Installation::start();
    let token = installation.create_device("Door");
    let waiting = installation.create_device("Waiting");
    let database = installation.database().display().to_string();
    let server = ServerProcess::start_with_environment(&installation.database(), &set_back);
    let report = initialization(&json!({"initialization_token": token}));
    let answer = |server: &str| {
        let url = format!("{server}/api/v1/device/initialize");
        ask(|client| client.post(url).json(&report))
    };
    let refused = answer(&server.url);
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.header("retry-after"), "60");
    assert!(refused.json()["detail"].as_str().unwrap().contains("clock"));
    server.logs("before 1970");
    let log = server.log();
    assert!(!log.contains("panic"), "{log}");
    assert_eq!(
        answer(&installation.url).status,
        200,
        "what was refused is not done"
    );

    let scanner = Scanner::new();
    for (arguments, code) in [
        (&["status"][..], 13),
        (
            &[
                "admin",
                "--database",
                &database,
                "device",
                "create",
                ORGANIZER,
                "--name",
                "New",
                "--all-events",
            ],
            0,
        ),
        (
            &[
                "admin",
                "--database",
                &database,
                "device",
                "log",
                ORGANIZER,
                "1",
            ],
            0,
        ),
        (
            &[
                "init",
                "--allow-http",
                "--url",
                &installation.url,
                "--token",
                &waiting,
            ],
            9,
        ),
    ] {
        let ended = scanner.command(arguments).envs(set_back).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!said.contains("panic"), "{arguments:?}: {said}");
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {said}");
    }
}
