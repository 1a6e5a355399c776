//! A device's life with every command, at a server of whatever kind.

use serde_json::Value;

use super::scanner::{Ended, Scanner};

/// What such a device says it is.
pub const HARDWARE_MODEL: &str = "Foreign server test";

/// Where a device is to live.
pub struct Place {
    pub url: String,
    pub token: String,
    pub ca_file: Option<String>,
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
pub fn live(place: &Place) -> String {
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

    let told = place.ask(&scanner, &["update", "--hardware-model", HARDWARE_MODEL]);
    is_same(&told);
    assert_eq!(told["reported"]["hardware_brand"], "Gatehand");
    assert_eq!(told["reported"]["hardware_model"], HARDWARE_MODEL);

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
