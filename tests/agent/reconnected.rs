//! A device whose organizer gives it a fresh code: the real agent becomes the same device with a new key.

use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::server::{ORGANIZER, ask};

/// An organizer's own program, with a token.
struct Organizer {
    installation: Installation,
    token: String,
}

impl Organizer {
    fn start() -> Self {
        let installation = Installation::start();
        installation.admin(&["team", "create", ORGANIZER, "t", "--permission", "all"]);
        let token = installation.admin(&["token", "create", ORGANIZER, "t"]);
        let token = token["token"].as_str().unwrap().to_owned();
        Self {
            installation,
            token,
        }
    }

    fn reconnect(&self, number: u64, body: &Value) -> String {
        let url = &self.installation.url;
        let url = format!("{url}/api/v1/organizers/{ORGANIZER}/devices/{number}/reconnect/");
        let authorization = format!("Token {}", self.token);
        let answer = ask(|client| {
            let request = client.post(url).json(body);
            request.header("Authorization", authorization)
        });
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["initialization_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

fn enrolled(organizer: &Organizer) -> Scanner {
    let scanner = Scanner::new();
    let token = organizer.installation.create_device("Lane 1");
    scanner
        .init(&organizer.installation.url, &token, &[])
        .succeeds();
    scanner
}

#[test]
fn a_reset_scanner_is_the_same_device_again_and_its_old_vault_is_rejected_not_revoked() {
    let organizer = Organizer::start();
    let url = &organizer.installation.url;
    let before = enrolled(&organizer);
    let serial = before.status()["unique_serial"].clone();
    let code = organizer.reconnect(1, &json!({}));
    before.run(&["info"]).succeeds();

    let reset = Scanner::new();
    reset.init(url, &code, &[]).succeeds();
    reset.run(&["info"]).succeeds();
    let status = reset.status();
    assert_eq!(
        (&status["device_id"], &status["unique_serial"]),
        (&json!(1), &serial)
    );
    before.run(&["info"]).complains(17, "the key is kept");
    assert_eq!(before.status()["state"], "rejected");
    reset.run(&["roll"]).succeeds();
    assert_eq!(organizer.installation.devices().len(), 1);
}

#[test]
fn the_same_scanner_takes_the_fresh_code_in_place_of_its_key() {
    let organizer = Organizer::start();
    let url = &organizer.installation.url;
    let scanner = enrolled(&organizer);
    let code = organizer.reconnect(1, &json!({"now": true}));
    scanner.run(&["info"]).complains(17, "the key is kept");
    assert_eq!(scanner.status()["state"], "rejected");
    scanner.init(url, &code, &["--replace"]).succeeds();
    scanner.run(&["info"]).succeeds();
    assert_eq!(scanner.status()["device_id"], 1);
    let device = organizer.installation.device(1);
    assert_eq!(
        device["revoked"], false,
        "it is the same device, which is not revoked as another would be"
    );
}
