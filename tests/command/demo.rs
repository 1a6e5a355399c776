//! The demo, run as a new user runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gatehand::facts::Facts;

use crate::common::scanner::{Scanner, end};
use crate::common::skip;

/// The folder the demo made for itself, below `temporary`.
fn demo_folder(temporary: &Path) -> PathBuf {
    let mut entries = fs::read_dir(temporary).unwrap();
    let folder = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none(), "one folder only");
    folder
}

#[test]
fn the_demo_goes_from_a_qr_code_to_a_sealed_key_and_shows_this_machine() {
    let scanner = Scanner::new();
    let mut command = scanner.command(&["demo"]);
    let demo = end(command.env("TMPDIR", scanner.scratch()).output().unwrap());
    demo.succeeds();

    let facts = Facts::read(Path::new("/"));
    let hardware = format!("{} {}", facts.hardware_brand, facts.hardware_model);
    let told = demo.stdout.lines().last_line_with("  Hardware ");
    assert!(told.contains(&hardware), "{}", demo.stdout);
    // A list shows the beginning of what is long, as the name of a processor may be.
    let beginning: String = hardware.chars().take(40).collect();
    let listed = demo.stdout.lines().last_line_with("Lane 1");
    assert!(
        listed.contains(&beginning) && listed.contains("initialized"),
        "{}",
        demo.stdout
    );
    assert!(
        demo.stdout.contains('█') || demo.stdout.contains('▀'),
        "a QR code is shown"
    );

    let folder = demo_folder(scanner.scratch());
    let status = scanner
        .command(&["status", "--json"])
        .env("GATEHAND_HOME", folder.join("scanner"))
        .output();
    let status: serde_json::Value = serde_json::from_str(&end(status.unwrap()).stdout).unwrap();
    assert_eq!(status["state"], "enrolled");
    assert_eq!(status["organizer"], "bigevents");

    if skip::can_run("zbarimg", &["--version"]) {
        let read = Command::new("zbarimg")
            .args(["--quiet", "--raw"])
            .arg(folder.join("lane-1.png"))
            .output()
            .unwrap();
        let code: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(
            code["handshake_version"], 1,
            "another decoder reads the picture"
        );
    }
}

#[test]
fn a_second_device_enrols_by_hand_as_the_demo_says() {
    let scanner = Scanner::new();
    let mut demo = scanner
        .command(&["demo", "--keep"])
        .env("TMPDIR", scanner.scratch())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut script = String::new();
    for line in BufReader::new(demo.stdout.as_mut().unwrap()).lines() {
        let line = line.unwrap();
        let command = line.trim();
        if command.starts_with("export ")
            || command.contains(" --qr-image")
            || command.ends_with(" status")
        {
            script.push_str(command);
            script.push('\n');
        }
        if command.starts_with("Stop it") {
            break;
        }
    }
    let by_hand = end(Command::new("sh")
        .args(["-e", "-c", &script])
        .output()
        .unwrap());
    assert!(
        by_hand
            .succeeds()
            .stdout
            .contains("Lane 2 (number 2 of bigevents)"),
        "{by_hand:?}"
    );

    let stop = Command::new("kill")
        .args(["-INT", &demo.id().to_string()])
        .status()
        .unwrap();
    assert!(stop.success());
    assert!(
        demo.wait().unwrap().success(),
        "it ends well when it is told to"
    );
}

trait LastLineWith<'a> {
    fn last_line_with(self, words: &str) -> &'a str;
}

impl<'a, I: Iterator<Item = &'a str>> LastLineWith<'a> for I {
    fn last_line_with(self, words: &str) -> &'a str {
        self.filter(|line| line.contains(words)).last().unwrap()
    }
}
