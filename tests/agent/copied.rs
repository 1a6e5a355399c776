//! A vault that was copied to other hardware: it is told, or refused, and can be adopted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use serde_json::Value;

use crate::common::daemon::Daemon;
use crate::common::faulty_way::{Fault, FaultyWay};
use crate::common::installation::Installation;
use crate::common::operations::entries;
use crate::common::scanner::{Ended, Scanner, end};

/// A machine, by the id that it is given, and what is done with copied cards there.
#[derive(Clone, Copy)]
struct On(&'static str, &'static str);

const HERE: On = On("here", "refuse");
const THERE: On = On("there", "refuse");

impl On {
    fn environment(self) -> [(&'static str, &'static str); 2] {
        [
            ("GATEHAND_HARDWARE_ID", self.0),
            ("GATEHAND_COPIED_CARD", self.1),
        ]
    }

    fn run_with(self, scanner: &Scanner, arguments: &[&str], more: &[(&str, &str)]) -> Ended {
        let mut command = scanner.command(arguments);
        command.envs(self.environment()).envs(more.iter().copied());
        end(command.output().unwrap())
    }

    fn run(self, scanner: &Scanner, arguments: &[&str]) -> Ended {
        self.run_with(scanner, arguments, &[])
    }

    fn told(self, scanner: &Scanner, arguments: &[&str]) -> Value {
        let ended = self.run(scanner, &[arguments, &["--json"]].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
    }

    fn enrol(self, url: &str, token: &str) -> Scanner {
        let scanner = Scanner::new();
        self.run(&scanner, &["init", "--url", url, "--token", token])
            .succeeds();
        scanner
    }

    fn verdict(self, scanner: &Scanner) -> String {
        let checked = self.told(scanner, &["check"]);
        let mut checks = checked["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["id"] == "hardware").unwrap();
        check["verdict"].as_str().unwrap().to_owned()
    }
}

fn copy(scanner: &Scanner) -> Scanner {
    let copy = Scanner::new();
    fs::create_dir(copy.home()).unwrap();
    fs::set_permissions(copy.home(), fs::Permissions::from_mode(0o700)).unwrap();
    for (path, bytes) in scanner.files() {
        let to = copy.home().join(path.file_name().unwrap());
        fs::write(&to, bytes).unwrap();
        fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
    }
    copy
}

fn bound(scanner: &Scanner) -> Option<String> {
    let mut entries = entries(&scanner.home()).into_iter();
    entries.find(|entry| entry.starts_with("hardware: "))
}

#[test]
fn a_copied_vault_is_told_and_goes_on_unless_it_is_to_be_refused() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    assert!(bound(&scanner).unwrap().contains("given"));
    assert!(!bound(&scanner).unwrap().contains("here"));
    assert_eq!(HERE.told(&scanner, &["status"])["hardware"], Value::Null);
    assert_eq!(HERE.verdict(&scanner), "ok");

    let copy = copy(&scanner);
    let warned = On("there", "warn");
    assert_eq!(warned.told(&copy, &["status"])["hardware"], "copied");
    assert!(
        warned
            .run(&copy, &["status"])
            .succeeds()
            .stderr
            .contains("adopt-hardware")
    );
    assert!(
        warned
            .run(&copy, &["info"])
            .succeeds()
            .stderr
            .contains("copied from another machine")
    );
    assert_eq!(warned.verdict(&copy), "warning");
    let off = On("there", "off");
    assert_eq!(off.run(&copy, &["info"]).succeeds().stderr, "");
    assert_eq!(off.verdict(&copy), "ok");

    for command in [
        &["info"][..],
        &["update"],
        &["roll"],
        &["revoke", "--yes"],
        &["request", "GET", "/api/v1/device/info"],
        &["event-selection"],
    ] {
        THERE
            .run(&copy, command)
            .complains(24, "copied from another machine");
    }
    assert_eq!(THERE.verdict(&copy), "failed");
    let json = THERE.run(&copy, &["info", "--json"]);
    let error: Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!(error["kind"], "other-hardware");
    HERE.run(&scanner, &["info"]).succeeds();
    // Nothing is known of both.
    copy.run(&["info"]).succeeds();
}

#[test]
fn who_has_copies_refused_is_told_where_none_would_be_noticed() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    let refused = [("GATEHAND_COPIED_CARD", "refuse")];
    let run = |arguments: &[&str]| {
        let mut command = scanner.command(arguments);
        end(command.envs(refused).output().unwrap())
    };
    let words = "none in common";
    let checked = run(&["check"]);
    assert_eq!(checked.code, 22, "{checked:?}");
    assert!(checked.stdout.contains(words), "{checked:?}");
    assert!(
        checked.stdout.contains("was hardware_id set before?"),
        "{checked:?}"
    );
    for command in ["status", "info"] {
        let told = run(&[command]);
        assert!(
            told.succeeds().stderr.contains(words),
            "{command}: {told:?}"
        );
    }
}

#[test]
fn a_copy_is_told_alike_by_status_and_check_and_once_by_each() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    let copy = copy(&scanner);
    let advice = "give this machine a device of its own";
    for (on, words) in [
        (THERE, "no call is made"),
        (On("there", "warn"), "copied from"),
    ] {
        let status = on.run(&copy, &["status"]);
        let said = &status.succeeds().stderr;
        assert!(said.starts_with("warning: this vault was copied"), "{said}");
        assert!(said.contains(words) && said.contains(advice), "{said}");
        let checked = on.run(&copy, &["check"]);
        assert!(checked.stdout.contains(advice), "{checked:?}");
        assert!(!checked.stderr.contains("WARN"), "{checked:?}");
    }
    fs::remove_file(copy.home().join("vault.key")).unwrap();
    let info = HERE.run(&copy, &["info"]);
    info.complains(11, "vault.key");
    assert!(!info.stderr.contains("WARN"), "{info:?}");
}

#[test]
fn a_copy_becomes_a_device_of_its_own_and_ends_no_other() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    let copy = copy(&scanner);
    let token = installation.create_device("Kiosk 2");
    let init = [
        "init",
        "--replace",
        "--url",
        &installation.url,
        "--token",
        &token,
    ];
    THERE
        .run(&copy, &[&init[..], &["--revoke-old"]].concat())
        .complains(
            24,
            "without --revoke-old: the old device is the other machine",
        );
    let existing = installation.enrol_with_another_app("Kiosk 3");
    let existing = serde_json::json!({
        "url": installation.url, "key": existing["api_token"], "serial": existing["unique_serial"],
    });
    let file = copy.scratch().join("existing.json");
    fs::write(&file, existing.to_string()).unwrap();
    THERE
        .run(
            &copy,
            &["adopt", file.to_str().unwrap(), "--replace", "--revoke-old"],
        )
        .complains(24, "without --revoke-old");
    THERE.run(&copy, &["init"]).complains(24, "copied");
    let plain = THERE.run(&copy, &["init"]);
    assert!(!plain.stderr.contains("--revoke-old"), "{plain:?}");
    let enrolled = THERE.run(&copy, &init);
    let told = enrolled.succeeds();
    assert!(!told.stderr.contains("--revoke-old"), "{told:?}");
    THERE.run(&copy, &["info"]).succeeds();
    HERE.run(&copy, &["info"]).complains(24, "copied");
    HERE.run(&scanner, &["info"]).succeeds();
}

#[test]
fn a_vault_of_before_is_bound_when_the_device_is_next_asked_for() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let token = installation.create_device("Kiosk 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    assert_eq!(bound(&scanner), None);
    HERE.run(&scanner, &["status"]).succeeds();
    assert_eq!(bound(&scanner), None, "who only looks binds nothing");
    HERE.run(&scanner, &["info"]).succeeds();
    let first = bound(&scanner);
    assert!(first.is_some());
    HERE.run(&scanner, &["info"]).succeeds();
    assert_eq!(bound(&scanner), first);
    THERE.run(&scanner, &["info"]).complains(24, "copied");
    assert_eq!(bound(&scanner), first);
}

#[test]
fn a_repaired_machine_adopts_the_vault_and_the_other_copy_stops_working() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    let copy = copy(&scanner);
    let adopt = ["vault", "adopt-hardware"];
    THERE.run(&copy, &adopt).complains(2, "nothing was done");
    THERE.run(&copy, &["info"]).complains(24, "copied");
    let adopted = THERE.told(&copy, &[&adopt[..], &["--yes"]].concat());
    assert_eq!(adopted["done"], "vault adopt-hardware");
    THERE.run(&copy, &["info"]).succeeds();
    assert_eq!(THERE.verdict(&copy), "ok");
    HERE.run(&scanner, &["info"])
        .complains(17, "another copy of this vault");
    HERE.run(&copy, &["info"]).complains(24, "copied");
    Scanner::new()
        .run(&adopt)
        .complains(2, "nothing tells this hardware");
    THERE
        .run(&Scanner::new(), &[&adopt[..], &["--yes"]].concat())
        .complains(13, "not enrolled");
}

#[test]
fn an_adoption_ends_a_copy_that_goes_on_with_the_same_new_key() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = HERE.enrol(&way.url, &installation.create_device("Kiosk 1"));
    way.follow(|request| match request.contains("/device/roll") {
        true => Fault::LoseAnswer,
        false => Fault::Pass,
    });
    HERE.run(&scanner, &["roll", "--timeout", "1"])
        .complains(8, "");
    let copy = copy(&scanner);
    way.heal();
    let adopt = ["vault", "adopt-hardware", "--yes"];
    assert_eq!(THERE.told(&copy, &adopt)["begun_before"], false);
    THERE.run(&copy, &["info"]).succeeds();
    // What it had begun, it hears the answer to: a key that was replaced since.
    let ended = HERE.run(&scanner, &["info"]);
    assert!([17, 18].contains(&ended.code), "{ended:?}");
    THERE.run(&copy, &["info"]).succeeds();
}

#[test]
fn an_adoption_without_an_answer_binds_nothing_though_a_new_key_was_begun() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = HERE.enrol(&way.url, &installation.create_device("Kiosk 1"));
    way.follow(|request| match request.contains("/device/roll") {
        true => Fault::LoseAnswer,
        false => Fault::Pass,
    });
    HERE.run(&scanner, &["roll", "--timeout", "1"])
        .complains(8, "");
    let copy = copy(&scanner);
    let before = bound(&copy);
    let adopt = ["vault", "adopt-hardware", "--yes", "--timeout", "1"];
    THERE.run(&copy, &adopt).complains(8, "");
    assert_eq!(bound(&copy), before);
    THERE.run(&copy, &["info"]).complains(24, "copied");
}

#[test]
fn an_adoption_carries_out_no_revocation_that_was_begun() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = HERE.enrol(&way.url, &installation.create_device("Kiosk 1"));
    way.follow(|request| match request.contains("/device/revoke") {
        true => Fault::LoseRequest,
        false => Fault::Pass,
    });
    let revoke = ["revoke", "--yes", "--timeout", "1"];
    HERE.run(&scanner, &revoke).complains(8, "");
    let copy = copy(&scanner);
    way.heal();
    let before = copy.lasting_files();
    let adopt = ["vault", "adopt-hardware", "--yes"];
    let ended = THERE.run(&copy, &adopt);
    ended.complains(1, "the revocation was begun here");
    ended.complains(1, "use gatehand revoke");
    assert!(copy.lasting_files() == before);
    assert_eq!(copy.status()["pending"], "revoke");
}

#[test]
fn nobody_is_asked_about_an_adoption_where_there_is_nothing_to_adopt() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    let before = scanner.lasting_files();
    for more in [&[][..], &["--yes"]] {
        let adopt = [&["vault", "adopt-hardware"], more].concat();
        let ended = HERE.run(&scanner, &adopt);
        let told = ended.succeeds();
        assert!(
            told.stdout.contains("bound to this hardware already"),
            "{told:?}"
        );
        assert!(told.stderr.contains("gatehand roll"), "{told:?}");
        assert_eq!(HERE.told(&scanner, &adopt)["done"], Value::Null);
    }
    assert!(scanner.lasting_files() == before);
}

#[test]
fn an_adoption_that_is_cut_short_goes_on_or_was_never_begun() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let scanner = HERE.enrol(&way.url, &installation.create_device("Kiosk 1"));
    let adopt = ["vault", "adopt-hardware", "--yes", "--timeout", "1"];
    let before = bound(&scanner);
    way.follow(|request| match request.contains("/device/roll") {
        true => Fault::LoseAnswer,
        false => Fault::Pass,
    });
    assert_eq!(THERE.run(&scanner, &adopt).code, 8);
    assert_ne!(bound(&scanner), before);
    assert_eq!(scanner.status()["pending"], "roll");
    way.heal();
    THERE.run(&scanner, &["info"]).succeeds();
    assert_eq!(scanner.status()["pending"], Value::Null);

    let away = On("third", "refuse");
    let before = scanner.lasting_files();
    let url = way.url.clone();
    drop(way);
    drop(installation);
    let ended = away.run(&scanner, &adopt);
    assert_eq!(ended.code, 8, "{url}: {ended:?}");
    away.run(&scanner, &["info"]).complains(24, "copied");
    assert_eq!(scanner.lasting_files(), before);
}

#[test]
fn a_crash_leaves_an_adoption_begun_or_not_and_never_half() {
    let installation = Installation::start();
    let (mut has_begun, mut step) = (false, 0);
    loop {
        step += 1;
        let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk"));
        let before = bound(&scanner);
        let at = step.to_string();
        let adopt = ["vault", "adopt-hardware", "--yes"];
        let ended = THERE.run_with(&scanner, &adopt, &[("GATEHAND_KILL_AT", &at)]);
        let is_bound_anew = bound(&scanner) != before;
        let is_begun = scanner.status()["pending"] == "roll";
        assert!(is_bound_anew || !is_begun, "step {step}: {ended:?}");
        has_begun |= is_begun;
        let (works, refused) = match is_bound_anew {
            true => (THERE, HERE),
            false => (HERE, THERE),
        };
        refused.run(&scanner, &["info"]).complains(24, "copied");
        works.run(&scanner, &["info"]).succeeds();
        if ended.code == 0 {
            assert!(is_bound_anew);
            break;
        }
        assert_eq!(ended.code, -1, "{ended:?}");
    }
    assert!(has_begun && step > 5, "{step}");
}

#[test]
fn the_agent_of_a_kiosk_tells_of_a_copy_and_refuses_its_programs() {
    let installation = Installation::start();
    let scanner = HERE.enrol(&installation.url, &installation.create_device("Kiosk 1"));
    let there = ["--hardware-id", "there", "--heartbeat", "1h"];
    let mut daemon = Daemon::start(&scanner, &there);
    daemon.until_it_is_online(true);
    daemon.logs("copied from another machine");
    let status = daemon.get("/v1/status");
    assert_eq!(status["problem"], Value::Null, "it goes on");
    assert_eq!(status["warning"]["kind"], "copied-card");
    let detail = status["warning"]["detail"].as_str().unwrap();
    assert!(detail.contains("adopt-hardware"), "{detail}");
    assert!(daemon.stop().success());
    let daemon = Daemon::start(
        &scanner,
        &[&there[..], &["--copied-card", "refuse"]].concat(),
    );
    daemon.until("it is told", || {
        daemon.get("/v1/status")["problem"]["kind"] == "other-hardware"
    });
    let (status, body) = daemon.ask("GET /api/v1/device/info", "", "");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains(r#""kind":"other-hardware""#), "{body}");
    THERE
        .run(&scanner, &["vault", "adopt-hardware", "--yes"])
        .succeeds();
    daemon.until_it_is_online(true);
    assert_eq!(daemon.ask("GET /api/v1/device/info", "", "").0, 200);
}

#[test]
fn what_root_alone_may_read_is_left_for_a_service() {
    let scanner = Scanner::new();
    let path = scanner.scratch().join("hardware-id");
    for _ in 0..2 {
        let write = ["hardware", "--write", path.to_str().unwrap()];
        scanner.run(&write).succeeds();
    }
    let shown = scanner.run(&["hardware"]).succeeds().stdout.clone();
    assert_eq!(fs::read_to_string(&path).unwrap(), shown);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    for line in shown.lines() {
        let (source, hash) = line.split_once(' ').unwrap();
        assert_eq!((source, hash.len()), ("dmi", 64));
    }
}
