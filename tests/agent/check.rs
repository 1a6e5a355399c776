//! `gatehand check`: one thing that is wrong a time, told by its check and no other.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rcgen::KeyPair;
use serde_json::Value;

use crate::common::authority::{root, server_parameters};
use crate::common::credentials::Credentials;
use crate::common::daemon::Daemon;
use crate::common::front::Front;
use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::skip;
use crate::common::stranger::{Stranger, answer};

/// What was found, and how it ended.
#[derive(Debug)]
pub struct Checked {
    code: i32,
    checks: BTreeMap<String, Value>,
}

impl Checked {
    #[track_caller]
    pub fn of(ended: &Ended) -> Self {
        let document: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|_| panic!("no document: {ended:?}"));
        let checks = document["checks"].as_array().unwrap().iter();
        let checks = checks.map(|check| (check["id"].as_str().unwrap().to_owned(), check.clone()));
        Self {
            code: ended.code,
            checks: checks.collect(),
        }
    }

    /// Asserts how a check ended, and that it says these words.
    #[track_caller]
    pub fn is(&self, id: &str, verdict: &str, words: &str) -> &Self {
        let check = &self.checks[id];
        assert_eq!(check["verdict"], verdict, "{id}: {self:#?}");
        let said = format!("{} {}", check["words"], check["advice"]);
        assert!(said.contains(words), "{words} is not in {said}");
        self
    }

    /// Asserts that just these did not end well, but for those that were skipped because of them.
    #[track_caller]
    pub fn wrong(&self, code: i32, expected: &[&str]) -> &Self {
        let wrong = self
            .checks
            .iter()
            .filter(|(_, check)| check["verdict"] == "failed" || check["verdict"] == "warning");
        let mut wrong: Vec<&str> = wrong.map(|(id, _)| id.as_str()).collect();
        let mut expected = expected.to_vec();
        wrong.sort_unstable();
        expected.sort_unstable();
        assert_eq!((self.code, wrong), (code, expected), "{self:#?}");
        for (id, check) in &self.checks {
            let is_skipped = check["verdict"] == "skipped";
            let because = check["because"].as_str();
            assert_eq!(is_skipped, because.is_some(), "{id}");
            if let Some(because) = because {
                assert_eq!(self.checks[because]["verdict"], "failed", "{id}");
            }
        }
        self
    }
}

#[track_caller]
pub fn check(scanner: &Scanner, more: &[&str]) -> Checked {
    Checked::of(&scanner.run(&[&["check", "--json"], more].concat()))
}

pub fn enrolled(installation: &Installation) -> Scanner {
    let scanner = Scanner::new();
    scanner
        .init(
            &installation.url,
            &installation.create_device("Lane 1"),
            &[],
        )
        .succeeds();
    scanner
}

#[test]
fn a_device_that_is_well_is_told_to_be_and_left_as_it_is() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    installation.admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    installation.admin(&["device", "move", ORGANIZER, "1", "north"]);
    let before = scanner.lasting_files();
    let checked = check(&scanner, &[]);
    checked
        .wrong(0, &[])
        .is("gate", "ok", "North")
        .is("profile", "ok", "full")
        .is("server", "ok", "version")
        .is("event", "ok", "suggests none")
        .is("clock", "ok", "as the server's")
        .is("daemon", "ok", "need not");
    assert_eq!(checked.checks.len(), 17);
    assert_eq!(before, scanner.lasting_files());
    assert_eq!(scanner.status()["gate"], Value::Null, "nothing is learnt");
    let table = scanner.run(&["check"]);
    let lines: Vec<&str> = table.succeeds().stdout.lines().collect();
    assert_eq!(lines.len(), 17, "{table:?}");
    assert!(!table.stdout.contains('\x1b'), "{table:?}");
    let column = |line: &str| line.split("  ").next().unwrap().to_owned();
    assert!(lines.iter().all(|line| column(line) == "ok"), "{table:?}");
    let shown = end(scanner.on_terminal("check").output().unwrap());
    assert!(shown.stdout.contains("\x1b[32mok"), "{shown:?}");
}

#[test]
fn a_device_that_is_not_enrolled_is_told_what_is_wrong_on_the_way_to_a_server_that_is_named() {
    let scanner = Scanner::new();
    check(&scanner, &[])
        .wrong(23, &["key"])
        .is("key", "failed", "gatehand init")
        .is("dns", "skipped", "key failed");
    assert!(!scanner.home().exists());
    check(&scanner, &["--url", "https://unknown.invalid"])
        .wrong(23, &["dns"])
        .is("dns", "failed", "unknown.invalid has no address")
        .is("server", "skipped", "dns failed");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    check(&scanner, &["--url", &format!("https://127.0.0.1:{port}")])
        .wrong(23, &["route"])
        .is("route", "failed", "IPv4 does not connect")
        .is("tls", "skipped", "route failed");
    let plain = Installation::start();
    check(&scanner, &["--url", &plain.url.replace("http:", "https:")])
        .wrong(23, &["tls"])
        .is("tls", "failed", "answers without encryption");
}

#[test]
fn what_was_skipped_comes_after_what_failed() {
    let scanner = Scanner::new();
    let ended = scanner.run(&["check"]);
    let place = |words: &str| ended.stdout.find(words).unwrap();
    assert!(place("failed ") < place("skipped"), "{ended:?}");
    assert!(
        place("check --url https://") < place("skipped"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.starts_with("error: 1 of 17 checks failed"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("what was skipped"), "{ended:?}");
}

#[test]
fn a_warning_is_no_error() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let key = scanner.home().join("vault.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = scanner.run(&["check"]);
    assert_eq!(ended.code, 22, "{ended:?}");
    assert!(
        ended.stderr.starts_with("warning: 1 of 17 checks warns"),
        "{ended:?}"
    );
    assert!(!ended.stderr.contains("skipped"), "{ended:?}");
    let home = fs::Permissions::from_mode(0o777);
    fs::set_permissions(scanner.home(), home).unwrap();
    let ended = scanner.run(&["check"]);
    assert!(
        ended.stdout.contains("what to do: make it private"),
        "{ended:?}"
    );
    let help = scanner.run(&["check", "--help"]).stdout;
    assert!(
        help.contains("20 unless given") && !help.contains("60 unless given"),
        "{help}"
    );
    assert!(!help.contains("kept with the device"), "{help}");
}

#[test]
fn a_server_that_is_away_or_another_is_told_with_what_was_not_asked() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let vault = scanner.lasting_files();
    let url = installation.url.clone();
    drop(installation);
    check(&scanner, &[])
        .wrong(23, &["route"])
        .is("key", "skipped", "route failed");
    let port = url.rsplit_once(':').unwrap().1;
    let portal = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    thread::spawn(move || {
        for stream in portal.incoming().flatten() {
            let mut stream = stream;
            let _ = crate::common::stranger::read_request(&mut stream);
            let page = answer("200 OK", "text/html", "<h1>Log in</h1>");
            let _ = std::io::Write::write_all(&mut stream, page.as_bytes());
        }
    });
    check(&scanner, &[])
        .wrong(23, &["server"])
        .is("server", "failed", "not the device API")
        .is("key", "skipped", "server failed");
    assert_eq!(vault, scanner.lasting_files());
}

#[test]
fn a_clock_that_is_wrong_is_told_by_the_servers_also_where_that_makes_its_certificate_invalid() {
    if !skip::can_run("faketime", &["2020-01-01", "true"]) {
        return;
    }
    let installation = Installation::start();
    let authority = root("Own");
    let front = Front::of(&installation.url, &authority);
    let scanner = Scanner::new();
    let file = scanner.scratch().join("own.pem");
    fs::write(&file, authority.pem()).unwrap();
    let token = installation.create_device("Lane 1");
    let trusting = ["--ca-file", file.to_str().unwrap()];
    scanner.init(&front.url, &token, &trusting).succeeds();
    let at = |time: &str| {
        let command = scanner.command(&["check", "--json"]);
        let mut faked = Command::new("faketime");
        faked
            .arg(time)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => faked.env(name, value),
                None => faked.env_remove(name),
            };
        }
        Checked::of(&end(faked.output().unwrap()))
    };
    at("+2 hours")
        .wrong(23, &["clock"])
        .is("clock", "failed", "ahead of the server's");
    at("+2 minutes")
        .wrong(22, &["clock"])
        .is("clock", "warning", "time server");
    at("9999-01-01")
        .wrong(23, &["clock", "tls"])
        .is(
            "clock",
            "failed",
            "days ahead of the server's, whose certificate is not valid",
        )
        .is("tls", "failed", "expired")
        .is("key", "skipped", "tls failed");
    at("1971-01-01")
        .wrong(23, &["clock", "last-contact", "tls"])
        .is(
            "last-contact",
            "warning",
            "this device's clock was set back",
        )
        .is("clock", "failed", "behind the server's");
}

#[test]
fn a_certificate_of_somebody_else_or_one_that_ends_soon_is_told() {
    let installation = Installation::start();
    let (authority, other) = (root("Own"), root("Other"));
    let front = Front::of(&installation.url, &authority);
    let scanner = Scanner::new();
    let file = scanner.scratch().join("own.pem");
    fs::write(&file, authority.pem()).unwrap();
    let trusting = ["--ca-file", file.to_str().unwrap()];
    let token = installation.create_device("Lane 1");
    scanner.init(&front.url, &token, &trusting).succeeds();
    check(&scanner, &[])
        .wrong(0, &[])
        .is("tls", "ok", "signed by CN=Own");
    front.shows_one_of(&other);
    let asked = front.requests();
    check(&scanner, &[])
        .wrong(23, &["tls"])
        .is("tls", "failed", "CN=Other")
        .is("clock", "ok", "whose certificate is not valid")
        .is("key", "skipped", "tls failed");
    assert_eq!(front.requests(), asked + 1, "the key goes nowhere");

    let key = KeyPair::generate().unwrap();
    let mut parameters = server_parameters("localhost");
    let end = Timestamp::now() + SignedDuration::from_hours(24 * 5 + 1);
    let part = |of: &str| -> u8 { end.strftime(of).to_string().parse().unwrap() };
    let year = end.strftime("%Y").to_string().parse().unwrap();
    parameters.not_after = rcgen::date_time_ymd(year, part("%m"), part("%d"));
    let certificate = parameters.signed_by(&key, &authority).unwrap();
    let unauthorized = r#"{"detail": "Authentication credentials were not provided."}"#;
    let soon = Stranger::with_chain(
        vec![certificate.der().clone()],
        &key,
        answer("401 Unauthorized", "application/json", unauthorized),
    );
    let named = [&["--url", &soon.url], &trusting[..]].concat();
    check(&Scanner::new(), &named)
        .wrong(23, &["key", "tls"])
        .is("tls", "warning", "renewed");
}

#[test]
fn a_device_that_was_revoked_or_is_not_known_is_told_and_the_vault_does_not_learn_it() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let copy = Scanner::new();
    fs::create_dir(copy.home()).unwrap();
    for (path, bytes) in scanner.files() {
        let to = copy.home().join(path.file_name().unwrap());
        fs::write(&to, bytes).unwrap();
        fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(copy.home(), fs::Permissions::from_mode(0o700)).unwrap();
    copy.run(&["roll"]).succeeds();
    check(&scanner, &[])
        .wrong(23, &["key"])
        .is("key", "failed", "another copy of this vault")
        .is("gate", "skipped", "key failed")
        .is("server", "ok", "answers");
    installation.admin(&["device", "revoke", ORGANIZER, "1"]);
    check(&copy, &[])
        .wrong(23, &["key"])
        .is("key", "failed", "has revoked this device");
    assert_eq!(copy.status()["state"], "enrolled");
    copy.run(&["info"]).complains(16, "revoked");
    check(&copy, &[])
        .wrong(23, &["key"])
        .is("key", "failed", "create a new device");
}

#[test]
fn a_proxy_that_refuses_or_is_none_is_told_without_its_password() {
    let scanner = Scanner::new();
    let refusing = Stranger::answering(answer("403 Forbidden", "text/plain", "no"));
    let address = refusing.url.trim_start_matches("http://");
    for (proxy, words) in [
        (
            format!("http://me:Pr0xyPassw0rd@{address}"),
            "refuses to connect",
        ),
        ("me:Pr0xyPassw0rd@[none".to_owned(), "HTTPS_PROXY"),
    ] {
        let mut command = scanner.command(&["check", "--json", "--url", "https://tickets.example"]);
        let ended = end(command.env("HTTPS_PROXY", proxy).output().unwrap());
        assert!(!ended.stdout.contains("Pr0xyPassw0rd"), "{ended:?}");
        Checked::of(&ended)
            .wrong(23, &["proxy"])
            .is("proxy", "failed", words)
            .is("tls", "skipped", "proxy failed");
    }
}

#[test]
fn a_vault_that_is_damaged_open_or_without_its_key_is_told_and_not_mended() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let (vault, key) = (
        scanner.home().join("vault.db"),
        scanner.home().join("vault.key"),
    );
    let mode = |mode| fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    check(&scanner, &[])
        .wrong(22, &["permissions"])
        .is("permissions", "warning", "mode 0644");
    let still = fs::metadata(&key).unwrap().permissions().mode() & 0o777;
    assert_eq!(still, 0o644);
    mode(0o600);
    fs::set_permissions(scanner.home(), fs::Permissions::from_mode(0o777)).unwrap();
    check(&scanner, &[])
        .wrong(23, &["permissions"])
        .is("permissions", "failed", "other users");
    fs::set_permissions(scanner.home(), fs::Permissions::from_mode(0o700)).unwrap();

    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    check(&scanner, &[])
        .wrong(23, &["key-home"])
        .is("vault", "skipped", "key-home failed")
        .is("server", "skipped", "key-home failed");
    assert!(!key.exists());
    fs::write(&key, "short").unwrap();
    mode(0o600);
    check(&scanner, &[]).wrong(23, &["key-home"]);
    fs::write(&key, kept).unwrap();

    let mut bytes = fs::read(&vault).unwrap();
    bytes.iter_mut().skip(200).for_each(|byte| *byte = !*byte);
    fs::write(&vault, &bytes).unwrap();
    check(&scanner, &[])
        .wrong(23, &["vault"])
        .is("vault", "failed", "--replace")
        .is("key", "skipped", "vault failed");
    assert_eq!(fs::read(&vault).unwrap(), bytes);
}

#[test]
fn a_key_in_a_credential_is_told_where_it_is_given_and_where_it_is_not() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let credentials = Credentials::of(&scanner);
    let rekey = ["vault", "rekey", "--to", "credential", "--no-recovery"];
    credentials.run(&scanner, &rekey).succeeds();
    check(&scanner, &[])
        .wrong(23, &["key-home"])
        .is("key-home", "failed", "which this command was not given")
        .is("key", "skipped", "key-home failed");
    Checked::of(&credentials.run_loaded(&scanner, &["check", "--json"]))
        .wrong(0, &[])
        .is("key-home", "ok", "systemd credential");
}

#[test]
fn a_disk_that_is_full_read_only_or_in_memory_is_told() {
    const OWN_MOUNTS: [&str; 5] = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    if !skip::can_run("unshare", &[&OWN_MOUNTS[..], &["true"]].concat()) {
        return;
    }
    let scanner = Scanner::new();
    let program = env!("CARGO_BIN_EXE_gatehand");
    let on = |mount: &str, is_allowed: &str| {
        let script = format!(
            "mkdir -p \"$GATEHAND_HOME\" && {mount} || exit 99; exec {program} check --json"
        );
        let mut command = Command::new("unshare");
        command.args(OWN_MOUNTS).arg(script);
        command
            .env("GATEHAND_HOME", scanner.home())
            .env("GATEHAND_VOLATILE", is_allowed);
        Checked::of(&end(command.output().unwrap()))
    };
    let tmpfs = "mount -t tmpfs -o size=40m,mode=700 tmpfs \"$GATEHAND_HOME\"";
    on(tmpfs, "true").is("file-system", "ok", "which is allowed");
    on(tmpfs, "false").is("file-system", "failed", "gone at the next boot");
    on(&tmpfs.replace("40m", "20m"), "true").is("file-system", "ok", "");
    let full = format!(
        "{tmpfs} && dd if=/dev/zero of=\"$GATEHAND_HOME/x\" bs=1M count=39 2>/dev/null; dd if=/dev/zero of=\"$GATEHAND_HOME/y\" bs=1k count=900 2>/dev/null"
    );
    on(&full, "true").is("file-system", "failed", "may not find room");
    let read_only = tmpfs.replace("mode=700", "mode=700,ro");
    on(&read_only, "true").is("file-system", "failed", "can't be written now");
}

#[test]
fn the_agent_that_is_to_run_is_looked_for_and_asked_when_it_last_heard_of_the_server() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let door = scanner.scratch().join("door.sock");
    let checked = |more: &[&str]| {
        let mut command = scanner.command(&[&["check", "--json"], more].concat());
        Checked::of(&end(command
            .env("GATEHAND_SOCKET", &door)
            .output()
            .unwrap()))
    };
    checked(&[])
        .wrong(22, &["daemon"])
        .is("daemon", "warning", "does not run");
    let mut daemon = Daemon::start(&scanner, &["--heartbeat", "1h"]);
    daemon.until_it_is_online(true);
    checked(&[])
        .wrong(0, &[])
        .is("daemon", "ok", &daemon.id().to_string())
        .is("last-contact", "ok", "the server answered");
    thread::sleep(Duration::from_millis(1100)); // A silence of a second is to be one.
    checked(&["--longest-silence", "1s"])
        .wrong(22, &["last-contact"])
        .is("last-contact", "warning", "see what proxy");
    assert!(daemon.stop().success());
    check(&scanner, &[])
        .wrong(0, &[])
        .is("daemon", "ok", "need not");
}

#[test]
fn a_server_that_never_answers_is_told_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let begun = Instant::now();
    check(&Scanner::new(), &["--url", &url, "--timeout", "2"])
        .wrong(23, &["server"])
        .is("key", "skipped", "server failed");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn a_bundle_is_its_owners_alone_and_replaces_nothing() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let path = scanner.scratch().join("support.json");
    let bundle = ["check", "--bundle", path.to_str().unwrap()];
    scanner.run(&bundle).succeeds();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(written["check"]["verdict"], "ok");
    assert_eq!(written["status"]["name"], "Lane 1");
    assert_eq!(written["settings"]["settings"][0]["source"], "environment");
    let files = written["files"].as_array().unwrap();
    let vault = files
        .iter()
        .find(|file| file["name"] == "vault.db")
        .unwrap();
    assert_eq!(vault["mode"], "100600");
    assert!(!written["mounts"].as_array().unwrap().is_empty());
    let again = scanner.run(&bundle);
    again.complains(1, "support.json");
    assert_eq!(again.stdout, "", "it is told before anything is looked at");
    assert!(again.stderr.contains("new file"), "{again:?}");
    let nowhere = scanner.scratch().join("none/support.json");
    let nowhere = scanner.run(&["check", "--bundle", nowhere.to_str().unwrap()]);
    nowhere.complains(1, "support.json");
    assert_eq!(nowhere.stdout, "");
}

#[test]
fn where_the_bundle_is_is_told_after_what_was_found() {
    let scanner = Scanner::new();
    let path = scanner.scratch().join("support.json");
    let ended = scanner.run(&["check", "--bundle", path.to_str().unwrap()]);
    assert_eq!(ended.code, 23, "{ended:?}");
    assert!(ended.stdout.contains("not enrolled"), "{ended:?}");
    let told = format!("Wrote {}", path.display());
    assert!(ended.stderr.contains(&told), "{ended:?}");
}
