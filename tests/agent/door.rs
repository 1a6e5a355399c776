//! The door for a kiosk's other programs: what passes with the device's key, and what never does.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use crate::common::daemon::Daemon;
use crate::common::faulty_way::{Fault, FaultyWay, first_line};
use crate::common::installation::Installation;
use crate::common::raw;
use crate::common::scanner::Scanner;
use crate::common::server::ORGANIZER;
use crate::common::skip::can_run;
use crate::common::stranger::{Stranger, read_request};

/// A kiosk at a server behind a way on which anything may happen.
struct Kiosk {
    installation: Arc<Installation>,
    way: FaultyWay,
    _scanner: Scanner,
    daemon: Daemon,
}

impl Kiosk {
    fn start(more: &[&str]) -> Self {
        let installation = Arc::new(Installation::start());
        let way = FaultyWay::to(Arc::clone(&installation));
        let scanner = Scanner::new();
        scanner
            .init(&way.url, &installation.create_device("Kiosk 1"), &[])
            .succeeds();
        let daemon = Daemon::start(&scanner, &[&["--heartbeat", "1h"], more].concat());
        daemon.until_it_is_online(true);
        Self {
            installation,
            way,
            _scanner: scanner,
            daemon,
        }
    }
}

#[test]
fn a_program_gets_the_api_and_never_the_key() {
    let kiosk = Kiosk::start(&[]);
    let given = "authorization: Token mine\r\ncookie: a=b\r\nx-original-url: /api/v1/device/roll\r\naccept-language: de\r\n";
    kiosk.way.forget();
    let (status, body) = kiosk.daemon.ask("GET /api/v1/device/info", given, "");
    assert_eq!(status, 200, "{body}");
    let info: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(info["device"]["name"], "Kiosk 1");
    assert!(info["device"].get("api_token").is_none());
    let record = kiosk.way.record();
    let sent = &record.last().unwrap().request.to_lowercase();
    assert!(
        sent.contains("authorization: device ") && !sent.contains("mine"),
        "{sent}"
    );
    assert!(
        !sent.contains("cookie") && !sent.contains("x-original-url"),
        "{sent}"
    );
    assert!(sent.contains("accept-language: de"), "{sent}");
    let key = &kiosk.way.secrets().api_keys[0];
    for path in [
        "/v1/status",
        "/v1/metrics",
        "/v1/event-selection",
        "/api/v1/device/info",
        "/api/v1/device/eventselection",
    ] {
        let (_, body) = kiosk.daemon.ask(&format!("GET {path}"), "", "");
        assert!(!body.contains(key.as_str()), "{path}");
    }
    assert!(!kiosk.daemon.log().contains(key.as_str()));
}

#[test]
fn what_is_not_on_the_list_is_refused_before_anything_is_sent() {
    let kiosk = Kiosk::start(&[]);
    kiosk.way.forget();
    for (request, expected) in [
        ("POST /api/v1/device/roll", 403),
        ("POST /api/v1/device/revoke", 403),
        ("POST /api/v1/device/update", 403),
        ("POST /api/v1/device/initialize", 403),
        ("GET /api/v1/idempotency_query", 403),
        ("GET /api/v1/organizers/bigevents/devices/", 403),
        ("DELETE /api/v1/device/info", 403),
        ("GET /api/v1/../v1/device/info", 403),
        ("GET /api/v1/device/%69nfo", 403),
        ("GET /api/v1/device%2Finfo", 403),
        ("GET /API/v1/device/info", 404),
        ("GET //api/v1/device/info", 404),
        ("GET http://127.0.0.1/api/v1/device/info", 403),
        ("GET /", 404),
        ("POST /v1/status", 405),
        ("OPTIONS *", 404),
    ] {
        let (status, body) = kiosk.daemon.ask(request, "", "");
        assert_eq!(status, expected, "{request} {body}");
        let document: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(
            document["kind"].is_string() && document["detail"].is_string(),
            "{body}"
        );
    }
    assert_eq!(kiosk.way.record().len(), 0);
}

#[test]
fn what_the_devices_profile_does_not_allow_is_refused_early() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let profile = ["--security-profile", "pretixscan_online_kiosk"];
    let device = installation.admin(
        &[
            &[
                "device",
                "create",
                ORGANIZER,
                "--name",
                "Kiosk 1",
                "--all-events",
            ][..],
            &profile,
        ]
        .concat(),
    );
    scanner
        .init(
            &installation.url,
            device["initialization_token"].as_str().unwrap(),
            &[],
        )
        .succeeds();
    let settings = scanner.scratch().join("agent.toml");
    let all = scanner.scratch().join("all.sock");
    fs::write(
        &settings,
        format!(
            "[[door]]\nsocket = \"{}\"\nprofile = \"full\"\n",
            all.display()
        ),
    )
    .unwrap();
    let mut command = scanner.command(&["run"]);
    let mut child = command.env("GATEHAND_SETTINGS", &settings).spawn().unwrap();
    crate::common::callers::until("the door is open", || all.exists());
    let ask = |path: &str| {
        let door = std::os::unix::net::UnixStream::connect(&all).unwrap();
        raw::exchange(
            door,
            format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes(),
        )
    };
    crate::common::callers::until("the profile is known", || {
        ask("/v1/status").contains(r#""security_profile":"pretixscan_online_kiosk""#)
    });
    let answer = ask("/api/v1/organizers/bigevents/devices/");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("not-in-profile"), "{answer}");
    assert!(ask("/api/v1/device/info").starts_with("HTTP/1.1 200"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_door_of_a_kiosk_that_is_none_yet_says_so() {
    let daemon = {
        let scanner = Scanner::new();
        let daemon = Daemon::start(&scanner, &[]);
        let (status, body) = daemon.ask("GET /api/v1/device/info", "", "");
        assert_eq!(status, 503, "{body}");
        assert!(body.contains(r#""kind":"not-enrolled""#), "{body}");
        assert!(daemon.get("/v1/event-selection").is_null());
        daemon
    };
    drop(daemon);
}

#[test]
fn a_server_that_is_away_is_a_503_with_the_reason() {
    let kiosk = Kiosk::start(&["--timeout", "1"]);
    kiosk.way.always(Fault::LoseRequest);
    let (status, body) = kiosk
        .daemon
        .ask("GET /api/v1/device/eventselection", "", "");
    assert_eq!(status, 503, "{body}");
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["kind"], "unreachable", "{body}");
    kiosk.daemon.until_it_is_online(false);
}

#[test]
fn a_call_with_a_key_of_its_own_is_repeated_until_it_is_answered() {
    let scanner = Scanner::new();
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    scanner
        .init(&way.url, &installation.create_device("Kiosk 1"), &[])
        .succeeds();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h"]);
    daemon.until_it_is_online(true);
    let path = "/api/v1/organizers/bigevents/checkinrpc/redeem/";
    let key = "x-idempotency-key: scan-0001-0001-0001\r\ncontent-type: application/json\r\n";
    way.forget();
    way.once("checkinrpc", Fault::LoseAnswer);
    let (status, _) = daemon.ask(&format!("POST {path}"), key, r#"{"secret": "a"}"#);
    assert_eq!(status, 404, "ours has no check-in");
    let calls: Vec<_> = way
        .record()
        .into_iter()
        .filter(|sent| first_line(&sent.request).contains(path))
        .collect();
    assert_eq!(calls.len(), 2);
    for call in &calls {
        assert!(
            call.request.to_lowercase().contains("scan-0001-0001-0001"),
            "{}",
            call.request
        );
        assert!(call.request.ends_with(r#"{"secret": "a"}"#));
    }
    // Without one it is made once.
    way.forget();
    way.once("checkinrpc", Fault::LoseAnswer);
    let (status, _) = daemon.ask(&format!("POST {path}"), "", r#"{"secret": "a"}"#);
    assert_eq!(status, 503);
    assert_eq!(way.record().len(), 1);
}

#[test]
fn a_question_outlives_a_kept_connection_that_ends_just_then_and_nothing_else_is_sent_twice() {
    // Answers each connection's first request, and hangs up at the next.
    let server = Stranger::serving("http", |mut stream, requests| {
        for is_first in [true, false] {
            let request = read_request(&mut stream);
            if request.is_empty() {
                return;
            }
            let is_enrolment = request.starts_with("POST /api/v1/device/initialize");
            requests.lock().unwrap().push(request);
            let body = match is_enrolment {
                true => initialized().replace("pretixscan_online_kiosk", "full"),
                false => "{}".to_owned(),
            };
            if is_first {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
                write!(stream, "{head}{}\r\n\r\n{body}", body.len()).unwrap();
            }
        }
    });
    let scanner = Scanner::new();
    scanner
        .init(&server.url, "kpp4jn8g2ynzonp6", &[])
        .succeeds();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h", "--timeout", "5"]);
    let events = "/api/v1/organizers/bigevents/events/";
    for _ in 0..4 {
        let (status, body) = daemon.ask(&format!("GET {events}"), "", "");
        assert_eq!((status, body.as_str()), (200, "{}"));
    }
    let redeem = "/api/v1/organizers/bigevents/checkinrpc/redeem/";
    let (status, _) = daemon.ask(&format!("POST {redeem}"), "", "{\"secret\": \"one\"}");
    assert_eq!(status, 503);
    let requests = server.requests();
    let sent = |line: String| {
        let of_it = requests.iter().filter(|request| request.starts_with(&line));
        of_it.count()
    };
    assert_eq!(sent(format!("POST {redeem}")), 1, "{requests:?}");
    assert!(sent(format!("GET {events}")) > 4, "{requests:?}");
}

#[test]
fn programs_hear_what_happens_and_what_they_missed() {
    let kiosk = Kiosk::start(&[]);
    kiosk
        .installation
        .admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    let mut events = kiosk.daemon.events(None);
    let first = events.next();
    assert_eq!(
        (first.what.as_str(), &first.data["gate"]),
        ("status", &serde_json::Value::Null)
    );
    drop(events);
    kiosk
        .installation
        .admin(&["device", "move", ORGANIZER, "1", "north"]);
    kiosk.daemon.get("/api/v1/device/info");
    kiosk.daemon.until("the gate is known", || {
        kiosk.daemon.get("/v1/status")["gate"]["name"] == "North"
    });
    let mut missed = kiosk.daemon.events(Some(&first.id));
    let event = missed.next();
    assert_eq!(
        (event.what.as_str(), &event.data["name"]),
        ("gate", &"North".into())
    );
    let foreign = kiosk.daemon.events(Some("0-7")).next();
    assert_eq!(
        foreign.what, "status",
        "of another run it is told the whole"
    );
}

#[test]
fn a_stopping_agent_ends_its_events() {
    let mut kiosk = Kiosk::start(&[]);
    let mut events = kiosk.daemon.events(None);
    events.next();
    assert!(kiosk.daemon.stop().success());
    assert!(events.have_ended());
}

/// A program may ask how large something is before it takes it.
#[test]
fn an_answer_to_head_tells_the_length_that_the_server_told() {
    let server = Stranger::answering_by(|request| {
        let body = match request.starts_with("POST /api/v1/device/initialize") {
            true => initialized().replace("pretixscan_online_kiosk", "full"),
            false => "x".repeat(1234),
        };
        let length = body.len();
        let body = if request.starts_with("HEAD ") {
            ""
        } else {
            &body
        };
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    });
    let scanner = Scanner::new();
    scanner
        .init(&server.url, "kpp4jn8g2ynzonp6", &[])
        .succeeds();
    let settings = scanner.scratch().join("agent.toml");
    let door = scanner.scratch().join("door.sock");
    let paths = "\"HEAD /api/v1/device/info\", \"HEAD /api/v1/organizers/{organizer}/events/\"";
    let text = format!(
        "[[door]]\nsocket = \"{}\"\npaths = [{paths}]\n",
        door.display()
    );
    fs::write(&settings, text).unwrap();
    let run = ["run", "--heartbeat", "1h", "--timeout", "5"];
    let variables = [("GATEHAND_SETTINGS", settings.to_str().unwrap())];
    let daemon = Daemon::start_in(&scanner, &run, &variables);
    let head = |path: &str| {
        let request = format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        daemon.knock(&request).to_ascii_lowercase()
    };
    let told = head("/api/v1/organizers/bigevents/events/");
    assert!(told.starts_with("http/1.1 200"), "{told}");
    assert!(told.contains("content-length: 1234\r\n"), "{told}");
    assert!(told.ends_with("\r\n\r\n"), "{told}");
    // What the door tells of the device is not as long as what the server tells of it.
    let told = head("/api/v1/device/info");
    assert!(!told.contains("content-length: 1234"), "{told}");
    assert!(told.ends_with("\r\n\r\n"), "{told}");
}

#[test]
fn large_answers_stream_and_a_reader_that_never_reads_harms_nobody() {
    const PIECE: usize = 1024 * 1024;
    const PIECES: usize = 16;
    let body = "x".repeat(PIECE * PIECES);
    let server = Stranger::answering_by(move |request| {
        let body = match request.starts_with("POST /api/v1/device/initialize") {
            true => initialized(),
            false => body.clone(),
        };
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    });
    let scanner = Scanner::new();
    scanner
        .init(&server.url, "kpp4jn8g2ynzonp6", &[])
        .succeeds();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h", "--timeout", "60"]);
    let request = "GET /api/v1/organizers/bigevents/events/ HTTP/1.1\r\nhost: x\r\n\r\n";
    let idle: Vec<_> = (0..20)
        .map(|_| {
            let mut idle = daemon.door();
            idle.write_all(request.as_bytes()).unwrap();
            idle
        })
        .collect();
    let (status, got) = daemon.ask("GET /api/v1/organizers/bigevents/events/", "", "");
    assert_eq!(
        (status, got.len()),
        (200, PIECE * PIECES),
        "{}",
        &got[..got.len().min(300)]
    );
    let memory = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let resident = memory
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(
        kilobytes < 100 * 1024,
        "{kilobytes} kB for 21 answers of 16 MB"
    );
    drop(idle);
}

/// An answer to `initialize` as the device API gives it.
fn initialized() -> String {
    serde_json::json!({
        "organizer": ORGANIZER, "device_id": 1, "unique_serial": "ABCDEF", "api_token": "k".repeat(64),
        "name": "Kiosk 1", "security_profile": "pretixscan_online_kiosk", "gate": null,
    })
    .to_string()
}

#[test]
fn a_flood_is_told_to_come_again_and_is_over_when_it_is_over() {
    let kiosk = Kiosk::start(&[]);
    kiosk.way.always(Fault::HoldAnswer);
    let request =
        "GET /api/v1/device/eventselection HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut held: Vec<_> = (0..64)
        .map(|_| {
            let mut caller = kiosk.daemon.door();
            caller.write_all(request.as_bytes()).unwrap();
            caller
        })
        .collect();
    kiosk.daemon.until("it is crowded", || {
        let (status, _) = kiosk
            .daemon
            .ask("GET /api/v1/organizers/bigevents/events/", "", "");
        status == 429
    });
    assert_eq!(kiosk.daemon.get("/v1/status")["state"], "enrolled");
    kiosk.way.heal();
    kiosk.way.release();
    for caller in &mut held {
        let mut answer = String::new();
        caller.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 404"),
            "no event is on: {answer}"
        );
    }
    kiosk.daemon.get("/api/v1/device/info");
}

#[test]
fn a_body_that_breaks_off_is_not_taken_for_the_whole() {
    let kiosk = Kiosk::start(&[]);
    kiosk.way.forget();
    let mut caller = kiosk.daemon.door();
    caller
        .write_all(b"POST /api/v1/organizers/bigevents/checkinrpc/redeem/ HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        .unwrap();
    drop(caller);
    // The next call shows that the one before has ended.
    kiosk.daemon.get("/api/v1/device/info");
    let whole = kiosk
        .way
        .record()
        .into_iter()
        .filter(|sent| first_line(&sent.request).contains("redeem"));
    assert_eq!(whole.count(), 0);
}

#[test]
fn a_door_has_its_mode_and_a_port_its_secret() {
    let scanner = Scanner::new();
    let (socket, secret) = (
        scanner.scratch().join("own.sock"),
        scanner.scratch().join("secret"),
    );
    fs::write(&secret, "0123456789abcdef0123456789abcdef\n").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let settings = scanner.scratch().join("agent.toml");
    let port = free_port();
    fs::write(&settings, format!(
        "[[door]]\nsocket = \"{}\"\nmode = \"0600\"\nlisten = \"127.0.0.1:{port}\"\nsecret_file = \"{}\"\n",
        socket.display(), secret.display(),
    )).unwrap();
    let mut child = scanner
        .command(&["run"])
        .env("GATEHAND_SETTINGS", &settings)
        .spawn()
        .unwrap();
    let address = format!("127.0.0.1:{port}");
    crate::common::callers::until("the port is open", || TcpStream::connect(&address).is_ok());
    assert_eq!(
        fs::metadata(&socket).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let ask = |more: &str| {
        let request = format!(
            "GET /v1/status HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n{more}\r\n"
        );
        raw::statuses(&raw::exchange_at(&address, request.as_bytes()))[0]
    };
    let good = "authorization: Bearer 0123456789abcdef0123456789abcdef\r\n";
    assert_eq!(ask(good), 200);
    assert_eq!(ask(""), 401);
    assert_eq!(
        ask("authorization: Bearer 0123456789abcdef0123456789abcdee\r\n"),
        401
    );
    assert_eq!(
        ask(&format!("{good}origin: http://localhost:{port}\r\n")),
        403
    );
    let rebound =
        format!("GET /v1/status HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n{good}\r\n");
    assert_eq!(
        raw::statuses(&raw::exchange_at(&address, rebound.as_bytes())),
        [403]
    );
    let answer = raw::exchange(
        std::os::unix::net::UnixStream::connect(&socket).unwrap(),
        b"GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn other_users_come_in_by_their_group_alone() {
    if !rustix::process::geteuid().is_root()
        || !can_run("setpriv", &["--version"])
        || !can_run("curl", &["--version"])
    {
        eprintln!("skipped: only root is other users");
        return;
    }
    let kiosk = Kiosk::start(&[]);
    // Not below the scanner's folder, which is private.
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (socket, settings) = (
        folder.path().join("kiosk.sock"),
        folder.path().join("agent.toml"),
    );
    fs::write(
        &settings,
        format!(
            "[[door]]\nsocket = \"{}\"\ngroup = \"games\"\n",
            socket.display()
        ),
    )
    .unwrap();
    let scanner = Scanner::new();
    scanner
        .init(
            &kiosk.way.url,
            &kiosk.installation.create_device("Kiosk 2"),
            &[],
        )
        .succeeds();
    let mut agent = scanner
        .command(&["run"])
        .env("GATEHAND_SETTINGS", &settings)
        .spawn()
        .unwrap();
    crate::common::callers::until("the door is open", || {
        std::os::unix::net::UnixStream::connect(&socket).is_ok()
    });
    let asks_as = |user: &str, group: &str| {
        let ended = std::process::Command::new("setpriv")
            .args([
                "--reuid",
                user,
                "--regid",
                group,
                "--clear-groups",
                "curl",
                "--silent",
                "--unix-socket",
            ])
            .arg(&socket)
            .arg("http://door/api/v1/device/info")
            .output()
            .unwrap();
        (
            ended.status.success(),
            String::from_utf8(ended.stdout).unwrap(),
        )
    };
    let (came, answer) = asks_as("nobody", "games");
    assert!(came && answer.contains("Kiosk 2"), "{answer}");
    assert_eq!(asks_as("nobody", "nogroup"), (false, String::new()));
    assert_eq!(asks_as("games", "nogroup"), (false, String::new()));
    agent.kill().unwrap();
    agent.wait().unwrap();
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[test]
fn a_door_where_none_can_be_is_told() {
    let scanner = Scanner::new();
    let taken = scanner.scratch().join("file");
    fs::write(&taken, "not a socket").unwrap();
    let ended = scanner.run(&["run", "--socket", taken.to_str().unwrap()]);
    ended.complains(1, "file");
    assert_eq!(fs::read(&taken).unwrap(), b"not a socket");
    let open = scanner.scratch().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let ended = scanner.run(&["run", "--socket", open.join("door.sock").to_str().unwrap()]);
    ended.complains(1, "anyone may write to");
    let settings = scanner.scratch().join("agent.toml");
    fs::write(
        &settings,
        "[[door]]\nsocket = \"/tmp/x\"\ngroup = \"nobody-has-this-name\"\n",
    )
    .unwrap();
    let mut command = scanner.command(&["run"]);
    let output = command
        .env("GATEHAND_SETTINGS", &settings)
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("no group nobody-has-this-name"), "{words}");
}

#[test]
fn a_slow_caller_is_told_so_and_does_not_take_the_device_offline() {
    let kiosk = Kiosk::start(&["--timeout", "2"]);
    let head = "POST /api/v1/organizers/bigevents/checkinrpc/redeem/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n";
    let mut slow = kiosk.daemon.door();
    slow.write_all(format!("{head}\r\nx").as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(kiosk.daemon.get("/v1/status")["online"], true);
    // A body that is to be held takes no place before it is there.
    let held: Vec<_> = (0..70)
        .map(|number| {
            let mut caller = kiosk.daemon.door();
            let key = format!("{head}x-idempotency-key: key-of-this-call-{number}\r\n\r\nx");
            caller.write_all(key.as_bytes()).unwrap();
            caller
        })
        .collect();
    kiosk.daemon.get("/api/v1/device/info");
    drop(held);
}

#[test]
fn a_port_that_is_passed_is_no_door() {
    let scanner = Scanner::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = scanner.scratch().join("door.sock");
    let run = |arguments: &str| {
        let program = env!("CARGO_BIN_EXE_gatehand");
        let script = format!("LISTEN_PID=$$ LISTEN_FDS=1 exec {program} {arguments}");
        let mut shell = std::process::Command::new("sh");
        shell
            .args(["-c", &script])
            .env("GATEHAND_HOME", scanner.home())
            .env("GATEHAND_SETTINGS", "");
        pass(&mut shell, &listener);
        crate::common::scanner::end(shell.output().unwrap())
    };
    run(&format!("run --socket {}", socket.display())).complains(1, "takes a Unix socket only");
    run("run").complains(1, "no door is set up for it");
}

/// Has a process find this socket where a service manager passes one.
fn pass(command: &mut std::process::Command, listener: &std::net::TcpListener) {
    use std::os::fd::AsRawFd;
    let descriptor = listener.as_raw_fd();
    let program = command.get_args().nth(1).unwrap().to_owned();
    // A shell leaves descriptors below ten to whom it starts.
    let script = format!("exec 3<&{descriptor}; {}", program.to_str().unwrap());
    rustix::io::fcntl_setfd(listener, rustix::io::FdFlags::empty()).unwrap();
    *command = {
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &script]);
        for (name, value) in command.get_envs() {
            shell.env(name, value.unwrap());
        }
        shell
    };
}
