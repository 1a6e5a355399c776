//! The program of a server alone, and the settings that a packaged program takes from a file.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::installation::{ServerProcess, served_at};
use crate::common::scanner::{Ended, Scanner, end};

/// A file with settings, beside the vault's folder.
fn settings(scanner: &Scanner, text: &str) -> String {
    let path = scanner.scratch().join("settings.env");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn server_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehand-server"));
    command.args(arguments).env("GATEHAND_SETTINGS", "");
    command
}

fn server(arguments: &[&str]) -> Ended {
    end(server_command(arguments).output().unwrap())
}

#[test]
fn a_servers_program_has_the_commands_of_a_server_and_tells_of_itself() {
    let help = server(&["--help"]);
    let help = &help.succeeds().stdout;
    for command in ["serve", "admin", "fleet", "demo", "completions", "man"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    assert!(!help.contains("\n  init "), "{help}");
    server(&["init"]).complains(2, "init");
    let version = server(&["--version"]);
    let expected = format!("gatehand-server {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.succeeds().stdout, expected);
    let help = server(&["admin", "device", "create", "--help"]);
    let help = &help.succeeds().stdout;
    assert!(help.contains("Usage: gatehand-server admin"), "{help}");
    assert!(help.contains("  gatehand-server admin device"), "{help}");
    assert!(!help.contains("  gatehand admin"), "{help}");
    let page = server(&["man", "admin-device-create"]);
    assert!(page.succeeds().stdout.contains("gatehand\\-server"));
    let script = server(&["completions", "bash"]);
    let script = &script.succeeds().stdout;
    assert!(
        script.trim_end().ends_with("default gatehand-server\nfi"),
        "{script}"
    );
    server(&["man", "nothing"]).complains(2, "gatehand-server --help");
}

#[test]
fn bash_completes_the_commands_below_the_first_word_of_either_program() {
    let scanner = Scanner::new();
    let ask = r#". "$0"
COMP_WORDS=("$@" "") COMP_CWORD=$#
"_${1//-/__}" "$1" "" "${!#}"
echo "${COMPREPLY[@]}""#;
    for (program, script) in [
        ("gatehand", scanner.run(&["completions", "bash"])),
        ("gatehand-server", server(&["completions", "bash"])),
    ] {
        let file = scanner.scratch().join(program);
        fs::write(&file, &script.succeeds().stdout).unwrap();
        for (words, expected) in [
            (&["admin"][..], "media-keys"),
            (&["admin", "device"], "create"),
            (&["admin", "media-keys"], "create"),
        ] {
            let mut bash = Command::new("bash");
            bash.args(["-c", ask]).arg(&file).arg(program).args(words);
            let offered = end(bash.output().unwrap());
            let offered = &offered.succeeds().stdout;
            assert!(
                offered.split_whitespace().any(|word| word == expected),
                "{program} {words:?}: {offered}"
            );
        }
    }
}

#[test]
fn both_programs_keep_to_the_servers_own_folder_wherever_they_are_started() {
    for command in ["serve", "admin"] {
        for help in [
            server(&[command, "--help"]),
            Scanner::new().run(&[command, "--help"]),
        ] {
            let database = "[default: /var/lib/gatehand-server/gatehand.db]";
            assert!(help.succeeds().stdout.contains(database), "{help:?}");
        }
    }
}

#[test]
fn service_and_administrator_find_the_same_database_by_the_settings() {
    let scanner = Scanner::new();
    let database = scanner.scratch().join("tickets.db");
    let settings = settings(
        &scanner,
        &format!(
            "# where it is\nGATEHAND_DATABASE={}\nGATEHAND_PUBLIC_URL=\"https://tickets.example\"\nGATEHAND_LISTEN=127.0.0.1:0\n",
            database.display()
        ),
    );
    let admin = |arguments: &[&str]| {
        let mut command = server_command(&[&["admin"], arguments].concat());
        end(command
            .env("GATEHAND_SETTINGS", &settings)
            .output()
            .unwrap())
    };
    admin(&["organizer", "create", "bigevents", "--name", "Big"]).succeeds();
    assert!(database.exists());
    let created = admin(&[
        "device",
        "create",
        "bigevents",
        "--name",
        "Lane 1",
        "--all-events",
    ]);
    let created = &created.succeeds().stdout;
    assert!(created.contains("tickets.example"), "{created}");

    let mut serve = server_command(&["serve"]);
    serve.env("GATEHAND_SETTINGS", &settings);
    let process = ServerProcess::start_command(serve);
    assert!(served_at(&process.line).is_some(), "{}", process.line);
    assert!(process.line.contains(database.to_str().unwrap()));
    let next = "gatehand-server admin --database";
    assert!(process.line.contains(next), "{}", process.line);
}

#[test]
fn a_variable_or_an_option_goes_before_the_settings() {
    let scanner = Scanner::new();
    let other = scanner.scratch().join("other");
    let settings = settings(&scanner, &format!("GATEHAND_HOME={}\n", other.display()));
    let vault_of = |command: &mut Command| {
        let ended = end(command
            .env("GATEHAND_SETTINGS", &settings)
            .output()
            .unwrap());
        let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        Path::new(told["vault"].as_str().unwrap())
            .parent()
            .unwrap()
            .to_owned()
    };
    let mut status = scanner.command(&["status", "--json"]);
    assert_eq!(vault_of(&mut status), scanner.home());
    let mut status = scanner.command(&["status", "--json"]);
    assert_eq!(vault_of(status.env_remove("GATEHAND_HOME")), other);
}

#[test]
fn settings_that_cannot_be_understood_are_told_with_their_line() {
    let scanner = Scanner::new();
    let with = |path: &str| {
        let mut status = scanner.command(&["status"]);
        end(status.env("GATEHAND_SETTINGS", path).output().unwrap())
    };
    let path = settings(&scanner, "GATEHAND_LOG=info\nexport A=b\n");
    let told = with(&path);
    told.complains(2, "line 2 of");
    told.complains(2, &path);
    let missing = scanner.scratch().join("missing");
    with(missing.to_str().unwrap()).complains(2, "can't read the settings");
}
