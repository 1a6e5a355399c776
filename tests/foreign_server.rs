//! A device's whole life at a server: at one of ours always, and at any other when it is asked for, see
//! docs/FOREIGN_SERVER.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and says which device it used"
)]

mod common;

use std::env;

use common::installation::Installation;
use common::scanner::{Ended, Scanner};
use serde_json::Value;

/// Where a device is to live.
struct Place {
    url: String,
    token: String,
    ca_file: Option<String>,
}

impl Place {
    /// Runs a command that calls the server.
    #[track_caller]
    fn call(&self, scanner: &Scanner, command: &[&str]) -> Ended {
        let ca_file = self.ca_file.as_ref().map(|file| ["--ca-file", file]);
        let trust = ca_file.iter().flatten().copied().collect::<Vec<_>>();
        let ended = scanner.run(&[command, &trust].concat());
        assert!(
            !ended.stderr.contains(&self.token) && !ended.stdout.contains(&self.token),
            "the token is shown by {}",
            command[0]
        );
        ended
    }

    /// The same for one that succeeds and prints JSON.
    #[track_caller]
    fn ask(&self, scanner: &Scanner, command: &[&str]) -> Value {
        let ended = self.call(scanner, &[command, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{} failed: {}", command[0], ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

/// From the first day to the last, with every command for devices; the serial it had.
fn live(place: &Place) -> String {
    let scanner = Scanner::new();
    let (url, token) = (&place.url, &place.token);
    let init = place.call(
        &scanner,
        &[
            "init",
            "--url",
            url,
            "--token",
            token,
            "--hardware-brand",
            "Gatehand",
        ],
    );
    assert_eq!(init.code, 0, "init failed: {}", init.stderr);

    let born = scanner.status();
    assert_eq!(
        (&born["state"], &born["pending"]),
        (&"enrolled".into(), &Value::Null)
    );
    let is_same = |told: &Value| {
        for field in ["organizer", "device_id", "unique_serial", "server"] {
            assert_eq!(told[field], born[field], "{field}");
        }
    };

    let info = place.ask(&scanner, &["info"]);
    is_same(&info);
    assert!(info["server_version"].is_string(), "{info}");

    let model = "Foreign server test";
    let told = place.ask(&scanner, &["update", "--hardware-model", model]);
    is_same(&told);
    assert_eq!(told["reported"]["hardware_brand"], "Gatehand");
    assert_eq!(told["reported"]["hardware_model"], model);

    let suggestion = place.ask(&scanner, &["event-selection"]);
    let result = suggestion["result"].as_str().unwrap();
    assert!(["switch", "keep", "nothing"].contains(&result), "{result}");

    let version = place.ask(&scanner, &["request", "GET", "/api/v1/version"]);
    assert_eq!(version["status"], 200);
    assert!(version["body"]["pretix_numeric"].is_u64(), "{version}");
    let whole = format!("{}/api/v1/device/info", url.trim_end_matches('/'));
    let device = place.ask(&scanner, &["request", "GET", &whole]);
    assert_eq!(
        device["body"]["device"]["unique_serial"],
        born["unique_serial"]
    );

    is_same(&place.ask(&scanner, &["roll"]));
    is_same(&place.ask(&scanner, &["info"]));

    let revoked = place.ask(&scanner, &["revoke", "--yes"]);
    is_same(&revoked);
    let end = scanner.run(&["status", "--json"]);
    end.complains(16, "was revoked from here");
    let ended: Value = serde_json::from_str(&end.stdout).unwrap();
    assert_eq!(
        (&ended["state"], &ended["pending"]),
        (&"revoked".into(), &Value::Null)
    );
    is_same(&ended);
    place
        .call(&scanner, &["info"])
        .complains(16, "was revoked from here");
    born["unique_serial"].as_str().unwrap().to_owned()
}

#[test]
fn a_device_lives_its_life_at_a_server_of_ours() {
    let installation = Installation::start_with(&["--public-url", "https://x.example/tickets"]);
    let place = Place {
        url: format!("{}/tickets/", installation.url),
        token: installation.create_device("Lane 1"),
        ca_file: None,
    };
    let serial = live(&place);
    let device = &installation.devices()[0];
    assert_eq!(device["unique_serial"], serial);
    assert_eq!(device["revoked"], true);
    assert_eq!(device["hardware_model"], "Foreign server test");
}

#[test]
#[ignore = "needs another server: see docs/FOREIGN_SERVER.md"]
fn a_device_lives_its_life_at_a_foreign_server() {
    let needed = |name| env::var(name).unwrap_or_else(|_| panic!("set {name}"));
    let serial = live(&Place {
        url: needed("GATEHAND_TEST_URL"),
        token: needed("GATEHAND_TEST_TOKEN"),
        ca_file: env::var("GATEHAND_TEST_CA_FILE").ok(),
    });
    println!("The device {serial} has lived its life there, and is revoked.");
}
