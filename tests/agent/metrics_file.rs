//! The file for metrics: nothing that others wrote is replaced or removed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::common::daemon::Daemon;
use crate::common::scanner::{Scanner, end};

#[test]
fn a_file_that_others_wrote_is_refused_before_anything_begins() {
    let scanner = Scanner::new();
    scanner.run(&["status"]);
    fs::create_dir_all(scanner.home()).unwrap();
    let at = |name: &str| scanner.scratch().join(name);
    fs::write(at("theirs.prom"), "# HELP node_load1\n").unwrap();
    fs::write(at("notes.txt"), "notes\n").unwrap();
    symlink(at("notes.txt"), at("link.prom")).unwrap();
    mknodat(CWD, at("pipe.prom"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let inside = scanner.home().join("vault.prom");
    let key = scanner.home().join("vault.key");
    fs::write(&key, "a key").unwrap();
    for (path, words) in [
        (at("theirs.prom"), "was not written by gatehand"),
        (at("notes.txt"), "end with .prom"),
        (at("link.prom"), "no regular file"),
        (at("pipe.prom"), "no regular file"),
        (Path::new("/dev/null").to_owned(), "end with .prom"),
        (inside, "in the vault's folder"),
        (key.clone(), "end with .prom"),
    ] {
        let mut commands = [scanner.command(&["run"]), scanner.command(&["config"])];
        for command in &mut commands {
            command.env("GATEHAND_METRICS_FILE", &path);
            // One that takes the file runs on.
            let mut ended = std::process::Command::new("timeout");
            ended.arg("10").arg(command.get_program());
            ended.args(command.get_args());
            for (name, value) in command.get_envs() {
                match value {
                    Some(value) => ended.env(name, value),
                    None => ended.env_remove(name),
                };
            }
            end(ended.output().unwrap()).complains(2, words);
        }
    }
    assert_eq!(fs::read_to_string(at("notes.txt")).unwrap(), "notes\n");
    assert_eq!(fs::read_to_string(key).unwrap(), "a key");
}

#[test]
fn a_file_that_others_put_in_its_place_is_neither_replaced_nor_removed() {
    let scanner = Scanner::new();
    let path = scanner.scratch().join("gatehand.prom");
    let given = path.to_str().unwrap();
    let mut daemon = Daemon::start(&scanner, &["--metrics-file", given, "--heartbeat", "1s"]);
    daemon.until("it is written", || path.exists());
    let other = scanner.scratch().join("other");
    fs::write(&other, "theirs\n").unwrap();
    fs::rename(&other, &path).unwrap();
    daemon.logs("was not written by gatehand");
    assert!(daemon.stop().success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
}
