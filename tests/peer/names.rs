//! Names as people enter them at pretix, which takes any text and tells it to every device.

use gatehand::wire::TEXT_LIMIT;
use serde_json::Value;

use crate::common::faulty_way::Fault;
use crate::common::scanner::Scanner;
use crate::pretix::pretix;
use crate::{Enrolled, IMPATIENT, recover, standing};

/// Names that do more than be read, that are cut off by who counts wrongly, or that look like something
/// else.
fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "Lane\t1",
        "Lane \u{1b}[31m1\u{1b}[0m\u{1b}]0;title\u{7}",
        "Lane 1\r\n  State             revoked",
        "Lane \u{202e}1 enaL\u{202c} \u{2066}x\u{2069}\u{200f}",
        "Lane\u{2028}1\u{2029}2\u{85}3",
        "Lane \u{9b}31m\u{7f}\u{1}\u{1f}1",
        "Lane 🎟️ 👩‍👩‍👧‍👦 e\u{301}\u{301}\u{301} Größe 入口 بوابة",
        "\"Lane\" \\ 'x' <b>&amp; {\"a\": 1} %s $HOME `id`",
        "null",
    ]
    .map(str::to_owned)
    .to_vec();
    names.extend(["x", "\u{1f39f}", "\u{1b}"].map(|c| c.repeat(TEXT_LIMIT)));
    names
}

/// Asserts that nothing which was shown steers a terminal, begins a line of its own, or turns the
/// direction of what stands beside it.
#[track_caller]
fn is_harmless(shown: &str) {
    let steers = |c: char| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!shown.contains(steers), "{shown:?}");
    let states = shown
        .lines()
        .filter(|line| line.trim_start().starts_with("State"));
    assert!(states.count() <= 1, "{shown}");
}

/// What every command shows of the device is harmless, and the document has the name as it is.
#[track_caller]
fn shows(scanner: &Scanner, name: &str) {
    let status = scanner.run(&["status"]);
    is_harmless(&status.stdout);
    is_harmless(&status.stderr);
    let printed = scanner.run(&["status", "--json"]).stdout;
    is_harmless(&printed);
    let told: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(told["name"], name);
}

/// What tells the name that a device has by now.
const COMMANDS: [&[&str]; 6] = [
    &["info"],
    &["update"],
    &["roll"],
    &["request", "GET", "/api/v1/device/info"],
    &["roll", "--json"],
    &["revoke", "--yes"],
];

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_lives_its_life_under_any_name() {
    let names = odd_names();
    for (number, name) in names.iter().enumerate() {
        let (scanner, device) = (Scanner::new(), pretix().create_device(name));
        let ended = scanner.init(&pretix().url, &device.token, &[]);
        assert_eq!(ended.code, 0, "{name:?}: {ended:?}");
        is_harmless(&ended.stdout);
        is_harmless(&ended.stderr);
        shows(&scanner, name);
        scanner.run(&["event-selection"]).succeeds();

        let mut others = names.iter().cycle().skip(number + 1);
        for command in COMMANDS {
            let name = others.next().unwrap();
            pretix().rename(device.number, name);
            let ended = scanner.run(command);
            assert_eq!(ended.code, 0, "{command:?} of {name:?}: {ended:?}");
            // The answer of `request` is handed on as it is.
            if command[0] != "request" {
                is_harmless(&ended.stdout);
            }
            is_harmless(&ended.stderr);
            shows(&scanner, name);
        }
        assert_eq!(standing(&scanner), ("revoked".into(), Value::Null));
        assert_eq!(pretix().device(device.number)["revoked"], true);
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn an_answer_that_was_lost_is_repeated_under_any_name() {
    for name in odd_names() {
        let (scanner, way) = (Scanner::new(), pretix().way());
        let device = pretix().create_device(&name);
        way.always(Fault::LoseAnswer);
        let lost = scanner.init(&way.url, &device.token, &IMPATIENT);
        assert_eq!(lost.code, 8, "{name:?}: {lost:?}");
        recover(&way);
        scanner.run(&["init"]).succeeds();
        way.once("/roll", Fault::LoseAnswer);
        scanner.run(&["roll"]).succeeds();
        shows(&scanner, &name);
        assert_eq!(scanner.told(&["info"])["name"], name);
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_gate_of_any_name_is_told() {
    let (scanner, fixture) = (Scanner::new(), &pretix().fixture);
    let token = fixture["devices"]["odd_gate"]["initialization_token"].as_str();
    scanner.init(&pretix().url, token.unwrap(), &[]).succeeds();
    for command in ["info", "update", "roll"] {
        is_harmless(&scanner.run(&[command]).succeeds().stdout);
        assert_eq!(scanner.status()["gate"], fixture["gates"]["odd"]);
    }
    is_harmless(&scanner.run(&["status"]).succeeds().stdout);
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_revocation_is_noticed_under_any_name() {
    for name in odd_names().iter().take(3) {
        let device = Enrolled::new("Lane 1");
        pretix().rename(device.number, name);
        pretix().revoke(device.number);
        device
            .scanner
            .run(&["info"])
            .complains(16, "has revoked this device");
        assert_eq!(standing(&device.scanner).0, "revoked");
    }
}
