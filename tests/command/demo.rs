//! The demo, run as a new user runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gatehand::facts::Facts;
use reqwest::{Client, RequestBuilder};

use crate::common::scanner::{Scanner, end};
use crate::common::server::ask;
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
    let mut demo = Demo(
        scanner
            .command(&["demo", "--keep"])
            .env("TMPDIR", scanner.scratch())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let (mut script, mut link) = (String::new(), None);
    for line in BufReader::new(demo.0.stdout.as_mut().unwrap()).lines() {
        let line = line.unwrap();
        let command = line.trim();
        if command.contains("/sign-in/") {
            link = Some(command.to_owned());
        }
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

    sees_a_fleet(&link.unwrap());
    let stop = Command::new("kill")
        .args(["-INT", &demo.0.id().to_string()])
        .status()
        .unwrap();
    assert!(stop.success());
    assert!(
        demo.0.wait().unwrap().success(),
        "it ends well when it is told to"
    );
}

/// A demo that goes on; killed where a test fails before it has ended.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Opens the link to the page, and finds devices in all states there.
fn sees_a_fleet(link: &str) {
    let visit = |request: fn(&Client, &str) -> RequestBuilder, url: &str, cookie: &str| {
        ask(|client| request(&client, url).header("Cookie", cookie))
    };
    let get = |client: &Client, url: &str| client.get(url);
    // A browser says so of a form of the page itself.
    let post =
        |client: &Client, url: &str| client.post(url).header("Sec-Fetch-Site", "same-origin");
    let signed_in = visit(post, link, "");
    assert_eq!(signed_in.status, 303, "{}", signed_in.text);
    let cookie = signed_in
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let (server, _) = link.split_once("/sign-in/").unwrap();
    let table = visit(get, &format!("{server}/devices?state=all"), &cookie).text;
    for name in ["Lane 1", "North 01", "South 01", "VIP 01"] {
        assert!(
            table.contains(&format!("<bdi>{name}</bdi>")),
            "{name}: {table}"
        );
    }
    for standing in ["online", "silent", "waiting", "revoked"] {
        assert!(
            table.contains(&format!("standing {standing}")),
            "{standing}: {table}"
        );
    }
    let again = visit(post, link, "");
    assert_ne!(again.status, 303, "it lets in once");
}

trait LastLineWith<'a> {
    fn last_line_with(self, words: &str) -> &'a str;
}

impl<'a, I: Iterator<Item = &'a str>> LastLineWith<'a> for I {
    fn last_line_with(self, words: &str) -> &'a str {
        self.filter(|line| line.contains(words)).last().unwrap()
    }
}
