//! The agent of a kiosk: waits for an enrolment that nobody watches, and keeps in touch with the server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;

use crate::common::daemon::Daemon;
use crate::common::faulty_way::{Fault, FaultyWay, first_line};
use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::server::ORGANIZER;
use crate::common::skip::can_run;
use crate::key_homes::Kiosk;

/// What its folder may enrol from.
fn allowed(server: &str) -> [&str; 4] {
    ["--allowed-server", server, "--allowed-organizer", ORGANIZER]
}

fn code(server: &str, token: &str) -> String {
    format!(r#"{{"handshake_version": 1, "url": "{server}", "token": "{token}"}}"#)
}

/// Puts an enrolment where a kiosk looks for it, as a whole.
fn put(scanner: &Scanner, name: &str, content: &str) -> PathBuf {
    let (draft, path) = (scanner.scratch().join("draft"), scanner.home().join(name));
    fs::create_dir_all(scanner.home()).unwrap();
    fs::write(&draft, content).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(&draft, &path).unwrap();
    path
}

#[test]
fn it_enrols_by_a_file_that_comes_and_removes_just_that_one() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.until_it_is("not-enrolled");
    let other = put(&scanner, "notes.json", "{}");
    let path = put(
        &scanner,
        "enrolment.json",
        &code(&installation.url, &installation.create_device("Kiosk 1")),
    );
    daemon.until_it_is("enrolled");
    daemon.until("the file is gone", || !path.exists());
    assert!(other.exists());
    let status = daemon.get("/v1/status");
    assert_eq!(
        (&status["name"], &status["organizer"]),
        (&"Kiosk 1".into(), &ORGANIZER.into())
    );
    daemon.until_it_is_online(true);
    assert_eq!(scanner.status()["state"], "enrolled");
}

#[test]
fn a_picture_of_a_code_does_as_well() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let picture = scanner.scratch().join("code.png");
    let device = installation.add_device("Kiosk 1");
    let number = device["device_id"].to_string();
    installation.admin(&[
        "device",
        "show",
        ORGANIZER,
        &number,
        "--public-url",
        &installation.url,
        "--qr-image",
        picture.to_str().unwrap(),
    ]);
    fs::create_dir_all(scanner.home()).unwrap();
    fs::set_permissions(&picture, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(&picture, scanner.home().join("enrolment.png")).unwrap();
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.until_it_is("enrolled");
}

#[test]
fn a_file_that_is_half_written_is_waited_for() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let code = code(&installation.url, &installation.create_device("Kiosk 1"));
    put(&scanner, "enrolment.json", &code[..code.len() / 2]);
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.logs("enrolment.json");
    daemon.until_it_is("not-enrolled");
    put(&scanner, "enrolment.json", &code);
    daemon.until_it_is("enrolled");
}

#[test]
fn nothing_is_enrolled_unwatched_where_it_is_not_said_for_whom() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let path = put(
        &scanner,
        "enrolment.json",
        &code(&installation.url, &installation.create_device("Kiosk 1")),
    );
    let mut daemon = Daemon::start(&scanner, &[]);
    daemon.logs("allowed_organizers");
    daemon.until_it_is("not-enrolled");
    assert!(path.exists());
    daemon.stop();
    let elsewhere = [
        "--allowed-server",
        "https://tickets.example",
        "--allowed-organizer",
        ORGANIZER,
    ];
    let daemon = Daemon::start(&scanner, &elsewhere);
    daemon.logs("not among allowed_servers");
    assert!(path.exists());
    assert!(installation.device(1)["initialized"].is_null());
}

#[test]
fn a_strangers_device_is_revoked_and_the_kiosk_goes_on_waiting() {
    let installation = Installation::start();
    installation.admin(&["organizer", "create", "strangers", "--name", "Strangers"]);
    let stranger = installation.admin(&[
        "device",
        "create",
        "strangers",
        "--name",
        "Not ours",
        "--all-events",
    ]);
    let scanner = Scanner::new();
    let token = stranger["initialization_token"].as_str().unwrap();
    let path = put(&scanner, "enrolment.json", &code(&installation.url, token));
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.logs("strangers");
    daemon.until("it is revoked", || {
        installation.admin(&["device", "show", "strangers", "1"])["revoked"] == true
    });
    daemon.until_it_is("not-enrolled");
    assert!(path.exists(), "its token was not redeemed for this kiosk");
    put(
        &scanner,
        "enrolment.json",
        &code(&installation.url, &installation.create_device("Kiosk 1")),
    );
    daemon.until_it_is("enrolled");
    assert_eq!(daemon.get("/v1/status")["name"], "Kiosk 1");
}

#[test]
fn a_lost_answer_costs_nothing() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let mut times = 0;
    way.follow(
        move |request| match first_line(request).contains("/device/initialize") {
            true if times < 2 => {
                times += 1;
                Fault::LoseAnswer
            }
            _ => Fault::Pass,
        },
    );
    let scanner = Scanner::new();
    let path = put(
        &scanner,
        "enrolment.json",
        &code(&way.url, &installation.create_device("Kiosk 1")),
    );
    let daemon = Daemon::start(&scanner, &allowed(&way.url));
    daemon.until_it_is("enrolled");
    daemon.until("the file is gone", || !path.exists());
}

#[test]
fn what_another_command_does_is_seen_at_once() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h"]);
    let mut events = daemon.events(None);
    assert_eq!(events.next().data["state"], "not-enrolled");
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let mut names = Vec::new();
    while names.len() < 3 {
        let event = events.next();
        names.push((event.what, event.data));
    }
    assert!(
        names.contains(&("state".to_owned(), "enrolled".into())),
        "{names:?}"
    );
    assert!(
        names.contains(&("name".to_owned(), "Kiosk 1".into())),
        "{names:?}"
    );
    assert!(
        names.contains(&("online".to_owned(), true.into())),
        "{names:?}"
    );
    scanner.run(&["revoke", "--yes"]).succeeds();
    let event = events.next();
    assert_eq!(
        (event.what.as_str(), &event.data),
        ("state", &"revoked".into())
    );
}

#[test]
fn a_revoked_kiosk_does_not_take_the_next_code_by_itself() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let daemon = Daemon::start(
        &scanner,
        &[&allowed(&installation.url)[..], &["--heartbeat", "1s"]].concat(),
    );
    daemon.until_it_is_online(true);
    installation.admin(&["device", "revoke", ORGANIZER, "1"]);
    daemon.until_it_is("revoked");
    let path = put(
        &scanner,
        "enrolment.json",
        &code(&installation.url, &installation.create_device("Kiosk 2")),
    );
    daemon.signal(Signal::HUP);
    let (status, body) = daemon.ask("GET /api/v1/device/info", "", "");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains(r#""kind":"revoked""#), "{body}");
    assert!(path.exists());
    daemon.until_it_is("revoked");
}

#[test]
fn a_server_that_comes_back_is_asked_again() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = Scanner::new();
    scanner
        .init(&way.url, &installation.create_device("Kiosk 1"), &[])
        .succeeds();
    way.always(Fault::Answer(
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ));
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h", "--timeout", "1"]);
    daemon.until_it_is_online(false);
    let problem = &daemon.get("/v1/status")["problem"];
    assert_eq!(problem["kind"], "server-failed");
    way.heal();
    daemon.until_it_is_online(true);
    daemon.logs("the server answers again");
    assert_eq!(daemon.get("/v1/status")["problem"], serde_json::Value::Null);
    // Asked for, it asks at once.
    installation.admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    installation.admin(&["device", "move", ORGANIZER, "1", "north"]);
    daemon.signal(Signal::HUP);
    daemon.until("its gate is known", || {
        daemon.get("/v1/status")["gate"]["name"] == "North"
    });
}

/// Memory of its own, in kilobytes.
fn memory(daemon: &Daemon) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", daemon.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

#[test]
fn a_week_of_heartbeats_with_a_network_that_comes_and_goes_takes_no_more_memory() {
    const HEARTBEATS: u64 = 7 * 24 * 12;
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = Scanner::new();
    scanner
        .init(&way.url, &installation.create_device("Kiosk 1"), &[])
        .succeeds();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h", "--timeout", "1"]);
    daemon.until_it_is_online(true);
    let mut settled = 0;
    for beat in 0..HEARTBEATS {
        // Away for an hour now and then, and back.
        match beat % 100 {
            40 => way.always(Fault::LoseRequest),
            52 => way.heal(),
            _ => {}
        }
        if !(40..52).contains(&(beat % 100)) {
            let before = daemon.get("/v1/status")["last_contact"].clone();
            daemon.signal(Signal::HUP);
            daemon.until("it was heard", || {
                daemon.get("/v1/status")["last_contact"] != before
            });
        } else if beat % 100 == 40 {
            daemon.signal(Signal::HUP);
            daemon.until_it_is_online(false);
        }
        way.forget();
        if beat == HEARTBEATS / 4 {
            settled = memory(&daemon);
        }
    }
    let grown = memory(&daemon).saturating_sub(settled);
    assert!(grown < 1024, "{grown} kB more than {settled}");
}

#[test]
fn an_idle_kiosk_sleeps() {
    if !can_run("strace", &["--version"]) {
        return;
    }
    let installation = Installation::start();
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h"]);
    daemon.until_it_is_online(true);
    // What the last caller left takes a moment; then nothing is to happen for as long as is listened.
    daemon.until("it sleeps", || {
        let id = daemon.id().to_string();
        let mut listener = Command::new("timeout");
        let heard = listener
            .args(["5", "strace", "--quiet=all", "-f", "-p", &id])
            .output()
            .unwrap();
        let heard = String::from_utf8_lossy(&heard.stderr).into_owned();
        // It waits when the listener comes, and still does when that goes.
        heard.lines().count() <= 2 && heard.contains("epoll_wait(")
    });
}

#[test]
fn two_never_have_one_device() {
    let scanner = Scanner::new();
    let mut daemon = Daemon::start(&scanner, &[]);
    let second = scanner.run(&[
        "run",
        "--socket",
        scanner.scratch().join("other.sock").to_str().unwrap(),
    ]);
    second.complains(14, "another gatehand run");
    assert!(daemon.stop().success());
    assert!(!scanner.scratch().join("door.sock").exists());
    let mut next = Daemon::start(&scanner, &[]);
    assert!(next.stop().success());
}

#[test]
fn a_killed_one_is_followed_by_another() {
    let scanner = Scanner::new();
    let mut daemon = Daemon::start(&scanner, &[]);
    daemon.signal(Signal::KILL);
    daemon.ended();
    Daemon::start(&scanner, &[]);
}

#[test]
fn a_file_whose_rights_are_mended_is_read() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let path = put(
        &scanner,
        "enrolment.json",
        &code(&installation.url, &installation.create_device("Kiosk 1")),
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.logs("take that right from others");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    daemon.until_it_is("enrolled");
}

#[test]
fn a_code_goes_though_its_enrolment_was_finished_after_a_crash() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let token = installation.create_device("Kiosk 1");
    let path = put(&scanner, "enrolment.json", &code(&installation.url, &token));
    let other = put(
        &scanner,
        "enrolment.txt",
        &code(&installation.url, &installation.create_device("Kiosk 2")),
    );
    scanner.init(&installation.url, &token, &[]).succeeds();
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.until("the file is gone", || !path.exists());
    daemon.until_it_is_online(true);
    assert!(other.exists(), "it is another device's");
}

#[test]
fn a_link_to_a_code_takes_nothing_with_it() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let path = put(
        &scanner,
        "kept.json",
        &code(&installation.url, &installation.create_device("Kiosk 1")),
    );
    std::os::unix::fs::symlink(&path, scanner.home().join("enrolment.json")).unwrap();
    let daemon = Daemon::start(&scanner, &allowed(&installation.url));
    daemon.until_it_is("enrolled");
    daemon.logs("can't be removed");
    assert!(fs::read_to_string(&path).unwrap().contains("token"));
}

#[test]
fn what_is_known_of_one_device_is_not_said_of_the_next() {
    let installation = Installation::start();
    installation.admin(&["organizer", "create", "others", "--name", "Others"]);
    let other = installation.admin(&[
        "device",
        "create",
        "others",
        "--name",
        "Other 1",
        "--all-events",
    ]);
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h", "--event-selection", "1h"]);
    daemon.until("a selection", || {
        !daemon.get("/v1/event-selection").is_null()
    });
    let before = daemon.get("/v1/status")["last_contact"].clone();
    let token = other["initialization_token"].as_str().unwrap();
    scanner
        .init(&installation.url, token, &["--replace"])
        .succeeds();
    daemon.until("the other is asked for", || {
        let status = daemon.get("/v1/status");
        assert!(
            status["organizer"] != "others" || status["last_contact"] != before,
            "{status}"
        );
        status["organizer"] == "others" && status["online"] == true
    });
}

#[test]
fn a_vault_that_is_damaged_and_brought_back_is_served_again() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let vault = scanner.home().join("vault.db");
    let whole = fs::read(&vault).unwrap();
    let mut broken = whole.clone();
    broken.iter_mut().for_each(|byte| *byte = !*byte);
    fs::write(&vault, broken).unwrap();
    let daemon = Daemon::start(&scanner, &["--heartbeat", "1h"]);
    daemon.until("it is told", || {
        daemon.get("/v1/status")["problem"]["kind"] == "vault-damaged"
    });
    let good = scanner.scratch().join("good.db");
    fs::write(&good, whole).unwrap();
    fs::set_permissions(&good, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(&good, &vault).unwrap();
    daemon.until_it_is_online(true);
    assert!(daemon.get("/v1/status")["problem"].is_null());
}

/// The metrics but for the time, which goes on.
fn lasting(metrics: &str) -> Vec<String> {
    let lines = metrics.lines().map(str::to_owned);
    lines
        .filter(|line| !line.starts_with("gatehand_last_contact"))
        .collect()
}

#[test]
fn metrics_are_in_a_file_as_at_the_door_as_long_as_it_runs() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let path = scanner.scratch().join("gatehand.prom");
    let more = [
        "--heartbeat",
        "1h",
        "--metrics-file",
        path.to_str().unwrap(),
    ];
    let mut daemon = Daemon::start(&scanner, &more);
    let read = || fs::read_to_string(&path).unwrap_or_default();
    daemon.until("it tells of the server", || {
        read().contains("gatehand_online 1\n")
    });
    let at_the_door = daemon.ask("GET /v1/metrics", "", "").1;
    assert_eq!(lasting(&read()), lasting(&at_the_door));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    installation.admin(&["device", "revoke", ORGANIZER, "1"]);
    daemon.signal(Signal::HUP);
    daemon.until("it tells of the revocation", || {
        read().contains("gatehand_state{state=\"revoked\"} 1\n")
    });
    assert!(daemon.stop().success());
    assert!(!path.exists());
    let mut daemon = Daemon::start(&scanner, &more);
    daemon.until("it is written", || path.exists());
    daemon.signal(Signal::KILL);
    daemon.ended();
    assert!(path.exists(), "its age tells that nobody writes it");
}

#[test]
fn metrics_that_cannot_be_written_are_told_once_and_stop_nothing() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Kiosk 1"),
            &[],
        )
        .succeeds();
    let folder = scanner.scratch().join("collector");
    let path = folder.join("gatehand.prom");
    let more = [
        "--heartbeat",
        "1s",
        "--metrics-file",
        path.to_str().unwrap(),
    ];
    let daemon = Daemon::start(&scanner, &more);
    daemon.until_it_is_online(true);
    let contact = || daemon.get("/v1/status")["last_contact"].clone();
    for _ in 0..2 {
        let before = contact();
        daemon.until("another heartbeat", || contact() != before);
    }
    let told = daemon.log().matches("the metrics can't be written").count();
    assert_eq!(told, 1, "{}", daemon.log());
    fs::create_dir(&folder).unwrap();
    daemon.until("it is written", || path.exists());
    daemon.logs("again");
    let age = || fs::metadata(&path).unwrap().modified().unwrap();
    let before = age();
    daemon.until("it is written again", || age() != before);
}

/// An agent with a file of settings, which has these.
fn with_settings(scanner: &Scanner, settings: &Path, text: &str) -> Daemon {
    fs::write(settings, text).unwrap();
    let variable = [("GATEHAND_SETTINGS", settings.to_str().unwrap())];
    Daemon::start_in(
        scanner,
        &["run", "--log", "info", "--timeout", "5"],
        &variable,
    )
}

#[test]
fn settings_are_read_anew_when_it_is_told_to() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let settings = scanner.scratch().join("agent.toml");
    let door = scanner.scratch().join("door.sock");
    let door = format!("[[door]]\nsocket = {:?}\n", door.to_str().unwrap());
    let daemon = with_settings(&scanner, &settings, &format!("heartbeat = \"1h\"\n{door}"));
    let file = put(
        &scanner,
        "enrolment.json",
        &code(&installation.url, &installation.create_device("Kiosk 1")),
    );
    daemon.logs("is left alone");
    let allowed = format!(
        "heartbeat = \"1s\"\nallowed_servers = [{:?}]\nallowed_organizers = [{ORGANIZER:?}]\n",
        installation.url
    );
    fs::write(&settings, format!("{allowed}{door}")).unwrap();
    daemon.signal(Signal::HUP);
    daemon.until_it_is("enrolled");
    daemon.until("the code is removed", || !file.exists());
    let asked = || daemon.get("/v1/status")["last_contact"].clone();
    let before = asked();
    daemon.until("it asks each second", || asked() != before);

    // What passes a door changes with it.
    let info = || daemon.ask("GET /api/v1/device/info", "", "").0;
    assert_eq!(info(), 200);
    let less = "paths = [\"GET /api/v1/device/eventselection\"]\n";
    fs::write(&settings, format!("{allowed}{door}{less}")).unwrap();
    daemon.signal(Signal::HUP);
    daemon.until("less passes", || info() == 403);
}

#[test]
fn settings_that_cannot_be_or_wait_for_a_start_are_told_and_harm_nothing() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let token = installation.create_device("Kiosk 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    let settings = scanner.scratch().join("agent.toml");
    let door = scanner.scratch().join("door.sock");
    let door = format!("[[door]]\nsocket = {:?}\n", door.to_str().unwrap());
    let daemon = with_settings(&scanner, &settings, &format!("heartbeat = \"1h\"\n{door}"));
    daemon.until_it_is_online(true);
    for (text, words) in [
        ("heartbeet = \"1s\"\n", "there is no setting heartbeet"),
        ("heartbeat = \"0s\"\n", "a second is the least"),
    ] {
        fs::write(&settings, format!("{text}{door}")).unwrap();
        daemon.signal(Signal::HUP);
        daemon.logs(words);
    }
    fs::remove_file(&settings).unwrap();
    daemon.signal(Signal::HUP);
    daemon.logs("can't read the settings");
    let text = format!("heartbeat = \"2h\"\nlog = \"debug\"\n{door}mode = \"0600\"\n");
    fs::write(&settings, text).unwrap();
    daemon.signal(Signal::HUP);
    daemon.logs("what changed of log, door holds once gatehand run is started again");
    assert_eq!(daemon.get("/v1/status")["state"], "enrolled");
}

#[test]
fn commands_beside_it_change_the_device_wherever_the_vaults_key_lives() {
    for home in ["file", "credential"] {
        let kiosk = Kiosk::new();
        if home == "credential" {
            kiosk.to_credential();
        }
        let scanner = &kiosk.scanner;
        let daemon = Daemon::start_by(scanner, &["--heartbeat", "1h"], |command| {
            kiosk.credentials.loaded(command)
        });
        daemon.until_it_is_online(true);
        let beside = |arguments: &[&str]| kiosk.credentials.run_loaded(scanner, arguments);
        let passes = || {
            let info = daemon.ask("GET /api/v1/device/info", "", "");
            // A call that streams is made once, and so would show a key that is no good any more.
            let selection = daemon.ask("GET /api/v1/device/eventselection", "", "");
            assert_eq!(
                (info.0, selection.0),
                (200, 404),
                "{home}: {info:?} {selection:?}"
            );
        };
        passes();
        // Each replaces or reports something while the agent has the vault open, and it never goes on with the old.
        for command in [
            &["status"][..],
            &["info"],
            &["update", "--os-name", "Kiosk"],
            &["roll"],
            &["roll"],
        ] {
            beside(command).succeeds();
            passes();
        }
        let status = beside(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.succeeds().stdout).unwrap();
        assert_eq!(status["reported"]["os_name"], "Kiosk", "{home}");
        beside(&["revoke", "--yes"]).succeeds();
        let (status, refused) = daemon.ask("GET /api/v1/device/info", "", "");
        assert_eq!(status, 503, "{refused}");
        assert!(refused.contains(r#""kind":"revoked""#), "{refused}");
    }
}
