//! A file of settings: what it says holds unless the environment or an option says otherwise, and slips are told.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::common::scanner::{Ended, Scanner, end};

fn file(scanner: &Scanner, text: &str) -> PathBuf {
    let path = scanner.scratch().join("agent.toml");
    fs::write(&path, text).unwrap();
    path
}

fn with(scanner: &Scanner, text: &str, arguments: &[&str]) -> Command {
    let mut command = scanner.command(arguments);
    command.env("GATEHAND_SETTINGS", file(scanner, text));
    command
}

fn run(scanner: &Scanner, text: &str, arguments: &[&str]) -> Ended {
    end(with(scanner, text, arguments).output().unwrap())
}

#[test]
fn it_is_shown_what_is_in_force_and_from_where() {
    let scanner = Scanner::new();
    let text = "heartbeat = \"1m\"\nlog = \"info\"\n\n[[door]]\nsocket = \"/run/kiosk/a.sock\"\nmode = \"0600\"\n";
    let mut command = with(&scanner, text, &["config", "--json"]);
    let shown = end(command.env("GATEHAND_LOG", "error").output().unwrap());
    let shown: Value = serde_json::from_str(&shown.succeeds().stdout).unwrap();
    let setting = |name: &str| {
        let mut all = shown["settings"].as_array().unwrap().iter();
        let found = all.find(|setting| setting["name"] == name).unwrap();
        [&found["value"], &found["source"], &found["line"]].map(Value::to_string)
    };
    assert_eq!(setting("heartbeat"), ["\"1m\"", "\"file\"", "1"]);
    assert_eq!(setting("log"), ["\"error\"", "\"environment\"", "null"]);
    assert_eq!(setting("clock_patience"), ["\"2m\"", "\"default\"", "null"]);
    assert_eq!(setting("home")[1], "\"environment\"");
    assert_eq!(shown["doors"][0]["socket"], "/run/kiosk/a.sock");
    assert_eq!(shown["doors"][0]["mode"], "0600");
    let told = run(&scanner, text, &["config"]);
    assert!(told.succeeds().stdout.contains("line 1"), "{told:?}");
    assert!(
        scanner
            .run(&["config"])
            .succeeds()
            .stdout
            .contains("GATEHAND_SETTINGS names one")
    );
}

/// A shell may name the file of one program for both.
#[test]
fn whose_settings_a_file_has_is_told_to_the_other_program() {
    let scanner = Scanner::new();
    let of_server = run(&scanner, "listen = \"127.0.0.1:8345\"\n", &["status"]);
    of_server.complains(
        2,
        "listen is a setting of gatehand-server, not of this program",
    );
    let mut server = Command::new(env!("CARGO_BIN_EXE_gatehand-server"));
    server.env("GATEHAND_SETTINGS", file(&scanner, "heartbeat = \"5m\"\n"));
    let of_agent = end(server.arg("config").output().unwrap());
    of_agent.complains(2, "heartbeat is a setting of gatehand, the agent");
}

#[test]
fn a_value_that_cannot_be_read_is_told_what_its_key_takes() {
    let scanner = Scanner::new();
    for (text, words) in [
        (
            "heartbeat = 5m\n",
            "heartbeat takes a span of time in quotes",
        ),
        ("volatile = yes\n", "volatile takes true or false"),
        ("log = info\n", "log takes a text, in quotes"),
        (
            "allowed_servers = [https://a.example]\n",
            "allowed_servers takes a list of texts",
        ),
        ("[[door]]\npaths = [a]\n", "paths takes a list of texts"),
    ] {
        let told = run(&scanner, text, &["status"]);
        told.complains(2, words);
        assert_eq!(
            told.stderr.contains("in quotes"),
            words.contains("in quotes"),
            "{told:?}"
        );
    }
}

#[test]
fn a_slip_is_told_with_line_and_column_before_anything_is_done() {
    let scanner = Scanner::new();
    for (text, words) in [
        ("home = \"/x\"\nheartbeet = \"5m\"\n", "line 2, column 1"),
        ("heartbeet = \"5m\"\n", "heartbeat is meant perhaps"),
        ("\nheartbeat = 5\n", "line 2, column 13"),
        ("heartbeat = \"soon\"\n", "write it with a unit"),
        ("[[door]]\nsocket = 3\n", "line 2, column 10"),
        ("home = \n", "line 1"),
    ] {
        run(&scanner, text, &["status"]).complains(2, words);
        run(&scanner, text, &["run"]).complains(2, words);
    }
    let unknown = "allowed_servers = [\"nonsense at all\"]\n";
    run(&scanner, unknown, &["config"]).complains(2, "nonsense at all");
    run(&scanner, "heartbeat = \"0s\"\n", &["config"]).complains(2, "a second is the least");
    let twice = "[[door]]\nsocket = \"/tmp/a\"\n[[door]]\nsocket = \"/tmp/a\"\n";
    run(&scanner, twice, &["config"]).complains(2, "two doors");
    let long = format!("heartbeat = \"1m\"\n# {}\n", "x".repeat(70_000));
    run(&scanner, &long, &["config"]).complains(2, "larger than");
    run(&scanner, "[[door]]\nmode = \"0600\"\n", &["run"]).complains(2, "no socket");
    run(&scanner, "heartbeat = \"10ms\"\n", &["run"]).complains(2, "a second is the least");
    let missing = scanner
        .command(&["status"])
        .env("GATEHAND_SETTINGS", "/nowhere/agent.toml")
        .output();
    end(missing.unwrap()).complains(2, "/nowhere/agent.toml");
}
