//! `gatehand check` beside an agent that runs: where it is asked, and what is told where it does not answer.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use crate::check::{check, enrolled};
use crate::common::daemon::Daemon;
use crate::common::installation::Installation;

#[test]
fn an_agent_is_asked_at_the_door_that_it_has_however_that_was_set() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let mut daemon = Daemon::start(&scanner, &["--heartbeat", "1h"]);
    daemon.until_it_is_online(true);
    check(&scanner, &["--longest-silence", "1h"])
        .wrong(0, &[])
        .is("daemon", "ok", &daemon.id().to_string())
        .is("last-contact", "ok", "the server answered");
    let bundle = scanner.scratch().join("support.json");
    let ended = scanner.run(&["check", "--bundle", bundle.to_str().unwrap()]);
    ended.succeeds();
    let bundle: Value = serde_json::from_slice(&fs::read(bundle).unwrap()).unwrap();
    assert_eq!(bundle["door"]["online"], true, "{bundle}");
    daemon.signal(Signal::STOP);
    check(&scanner, &[])
        .wrong(22, &["daemon"])
        .is("daemon", "warning", "no answer within 2 s")
        .is("last-contact", "ok", "the last report was answered");
    daemon.signal(Signal::CONT);
    fs::remove_file(scanner.scratch().join("door.sock")).unwrap();
    check(&scanner, &[]).wrong(22, &["daemon"]).is(
        "daemon",
        "warning",
        "door.sock does not answer",
    );
    daemon.signal(Signal::TERM);
    assert!(daemon.ended().success());
    let lock = fs::read_to_string(scanner.home().join("daemon.lock")).unwrap();
    assert_eq!(lock, "", "a door that is gone is not asked");
}

#[test]
fn who_answers_at_a_door_while_no_agent_runs_is_not_believed() {
    let installation = Installation::start();
    let scanner = enrolled(&installation);
    let door = scanner.scratch().join("door.sock");
    let stranger = UnixListener::bind(&door).unwrap();
    thread::spawn(move || {
        for mut stream in stranger.incoming().flatten() {
            // What is not read would be told as a reset.
            let _ = stream.read(&mut [0; 4096]);
            let said = "HTTP/1.1 200 OK\r\n\r\n{\"state\": \"enrolled\", \"api_key\": \"s3cret\"}";
            let _ = stream.write_all(said.as_bytes());
        }
    });
    let bundle = scanner.scratch().join("support.json");
    let mut command = scanner.command(&["check", "--bundle", bundle.to_str().unwrap()]);
    command.env("GATEHAND_SOCKET", &door).output().unwrap();
    let bundle: Value = serde_json::from_slice(&fs::read(bundle).unwrap()).unwrap();
    assert_eq!(bundle["door"], Value::Null);
}
