//! The settings of a server, in files: what they say holds unless the environment or an option says otherwise, slips
//! are told, and SIGHUP has the server take over what it can.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::common::installation::{ServerProcess, serve};
use crate::common::scanner::{Ended, Scanner, end};

/// The packaged program, which has these settings.
fn server(desk: &Scanner, text: &str, arguments: &[&str]) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_gatehand-server"));
    let mut command = desk.command_of(program, arguments);
    command.env("GATEHAND_SETTINGS", file(desk, text));
    command
}

fn file(desk: &Scanner, text: &str) -> PathBuf {
    let path = desk.scratch().join("server.toml");
    fs::write(&path, text).unwrap();
    path
}

fn run(desk: &Scanner, text: &str, arguments: &[&str]) -> Ended {
    end(server(desk, text, arguments).output().unwrap())
}

#[test]
fn it_is_shown_what_is_in_force_and_from_where_but_no_password() {
    let desk = Scanner::new();
    let text = "database = \"postgres://gatehand:hunter2@db1/gatehand\"\nstop_time = 30\n\
        trusted_proxies = [\"127.0.0.1\", \"unix\"]\nlog = \"info\"\nsecret_file = \"/srv/secret\"\n";
    let mut command = server(&desk, text, &["config", "--json"]);
    let shown = end(command.env("GATEHAND_LOG", "error").output().unwrap());
    let shown = shown.succeeds().stdout.clone();
    assert!(!shown.contains("hunter2"), "{shown}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(
        shown["files"][0],
        desk.scratch().join("server.toml").to_str().unwrap()
    );
    let setting = |name: &str| {
        let mut all = shown["settings"].as_array().unwrap().iter();
        let found = all.find(|setting| setting["name"] == name).unwrap();
        [&found["value"], &found["source"], &found["line"]].map(Value::to_string)
    };
    assert_eq!(setting("stop_time"), ["\"30\"", "\"file\"", "2"]);
    assert_eq!(
        setting("trusted_proxies"),
        ["\"127.0.0.1,unix\"", "\"file\"", "3"]
    );
    assert_eq!(setting("log"), ["\"error\"", "\"environment\"", "null"]);
    assert_eq!(setting("stall_time"), ["\"10\"", "\"default\"", "null"]);
    let told = run(&desk, text, &["config"]);
    let told = &told.succeeds().stdout;
    assert!(
        told.contains("line 2") && !told.contains("hunter2"),
        "{told}"
    );
    // Variables are read as before.
    let variables = desk.scratch().join("server.env");
    fs::write(&variables, "GATEHAND_STOP_TIME=7\n").unwrap();
    let mut command = server(&desk, "", &["config"]);
    let told = end(command
        .env("GATEHAND_SETTINGS", variables)
        .output()
        .unwrap());
    assert!(told.succeeds().stdout.contains("line 1"), "{told:?}");
}

#[test]
fn a_slip_is_told_with_line_and_column_before_anything_is_done() {
    let desk = Scanner::new();
    for (text, words) in [
        (
            "listen = \"127.0.0.1:0\"\nstop_tim = 3\n",
            "line 2, column 1",
        ),
        ("listn = \"127.0.0.1:0\"\n", "listen is meant perhaps"),
        ("\nstop_time = \"3\"\n", "line 2, column 13"),
        ("stop_time = \"3\"\n", "a whole number, without quotes"),
        (
            "heartbeat = \"5m\"\n",
            "heartbeat is a setting of gatehand, the agent",
        ),
        ("listen = \n", "line 1"),
    ] {
        run(&desk, text, &["serve"]).complains(2, words);
        run(&desk, text, &["admin", "organizer", "list"]).complains(2, words);
    }
    run(&desk, "stop_time = 0\n", &["config"]).complains(2, "0");
    run(&desk, "listen = \"nowhere\"\n", &["config"]).complains(2, "nowhere");
    run(&desk, "tls_cert = \"/srv/cert.pem\"\n", &["config"]).complains(2, "--tls-key");
}

#[test]
fn what_the_file_says_is_served_and_a_hang_up_takes_over_what_can_be() {
    let desk = Scanner::new();
    let database = desk.scratch().join("server.db");
    let text = |more: &str| {
        format!(
            "database = \"{}\"\nlisten = \"127.0.0.1:0\"\n{more}",
            database.display()
        )
    };
    let served = ServerProcess::start_command(server(&desk, &text("log = \"warn\"\n"), &["serve"]));
    let process = Pid::from_raw(served.id().cast_signed()).unwrap();
    assert!(database.exists());
    file(&desk, &text("log = \"info\"\n"));
    kill_process(process, Signal::HUP).unwrap();
    served.logs("the settings are read anew");
    file(
        &desk,
        &text("log = \"info\"\nstop_time = 20\npublic_url = \"https://tickets.example\"\n"),
    );
    kill_process(process, Signal::HUP).unwrap();
    served.logs("what changed of public_url, stop_time holds once the server is started again");
    file(&desk, "log = \n");
    kill_process(process, Signal::HUP).unwrap();
    served.logs("the settings stay as they were, for they can't be read anew");
}

#[test]
fn a_server_without_a_file_lives_on_after_a_hang_up() {
    let desk = Scanner::new();
    let mut command = serve(&desk.scratch().join("server.db"));
    command.args(["--log", "info"]);
    let mut served = ServerProcess::start_command(command);
    let process = Pid::from_raw(served.id().cast_signed()).unwrap();
    for _ in 0..3 {
        kill_process(process, Signal::HUP).unwrap();
    }
    let url = format!("{}/healthz", served.url);
    let answer = crate::common::server::ask(|client| client.get(url));
    assert_eq!(answer.status, 200);
    assert!(served.ended().is_none());
}
