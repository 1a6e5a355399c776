//! What is told of settings that are wrong: where they stand, and by the name that they have there.

use std::fs;

use crate::common::scanner::{Ended, Scanner, end};

fn run(scanner: &Scanner, arguments: &[&str], environment: &[(&str, &str)]) -> Ended {
    let mut command = scanner.command(arguments);
    end(command.envs(environment.iter().copied()).output().unwrap())
}

#[test]
fn a_value_is_told_by_the_name_that_it_was_given_under() {
    let scanner = Scanner::new();
    let wrong = [("GATEHAND_HEARTBEAT", "zz")];
    for arguments in [&["run"][..], &["config"]] {
        let ended = run(&scanner, arguments, &wrong);
        ended.complains(2, "GATEHAND_HEARTBEAT");
        assert!(!ended.stderr.contains("for '--heartbeat"), "{ended:?}");
    }
    run(&scanner, &["run", "--heartbeat", "yy"], &wrong).complains(2, "for '--heartbeat");
}

#[test]
fn a_switch_that_is_neither_on_nor_off_is_refused_by_every_command() {
    let scanner = Scanner::new();
    let wrong = [("GATEHAND_VOLATILE", "maybe")];
    for command in ["config", "status", "info", "check", "run", "update"] {
        run(&scanner, &[command], &wrong).complains(2, "GATEHAND_VOLATILE");
    }
    let empty = [("GATEHAND_VOLATILE", "")];
    run(&scanner, &["config"], &empty).succeeds();
}

#[test]
fn a_door_that_can_not_be_is_told_with_its_place() {
    let scanner = Scanner::new();
    let path = scanner.scratch().join("agent.toml");
    let settings = [("GATEHAND_SETTINGS", path.to_str().unwrap())];
    for wrong in ["mode = \"rw\"", "profile = \"none\""] {
        let text = format!("log = \"warn\"\n\n[[door]]\nsocket = \"/tmp/a.sock\"\n{wrong}\n");
        fs::write(&path, text).unwrap();
        let ended = run(&scanner, &["config"], &settings);
        let place = format!("line 3 of {}", path.display());
        ended.complains(2, &place);
    }
}

#[test]
fn that_there_is_no_file_is_told_with_what_names_one() {
    let ended = Scanner::new().run(&["config"]);
    assert!(
        ended
            .succeeds()
            .stdout
            .contains("GATEHAND_SETTINGS names one"),
        "{ended:?}"
    );
}

#[test]
fn who_starts_an_agent_at_a_terminal_is_told_what_it_does() {
    let scanner = Scanner::new();
    let door = scanner.scratch().join("door.sock");
    let mut terminal = scanner.on_terminal("run --socket \"$DOOR\"");
    terminal.env("DOOR", &door);
    let mut timed = std::process::Command::new("timeout");
    timed
        .args(["--signal=TERM", "3"])
        .arg(terminal.get_program());
    timed.args(terminal.get_args());
    for (name, value) in terminal.get_envs() {
        match value {
            Some(value) => timed.env(name, value),
            None => timed.env_remove(name),
        };
    }
    let shown = end(timed.output().unwrap());
    let said = format!("waiting for an enrolment in {}", scanner.home().display());
    assert!(shown.stdout.contains(&said), "{shown:?}");
    assert!(
        shown.stdout.contains(&format!("door {}", door.display())),
        "{shown:?}"
    );
}
