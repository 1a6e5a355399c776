//! Who looks after an organizer's devices: the real `gatehand fleet` with a team's token.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use super::installation::Installation;
use super::scanner::{Ended, Scanner, end};
use super::server::ORGANIZER;

/// A desk with a token for one server.
pub struct Fleet {
    pub desk: Scanner,
    token: String,
    organizer: String,
}

impl Fleet {
    /// For a server of ours, with a team's token that may do everything.
    pub fn of(installation: &Installation) -> Self {
        Self::of_team(installation, "desk")
    }

    /// The same with a token of a new team of this name.
    pub fn of_team(installation: &Installation, team: &str) -> Self {
        let permit = ["--permission", "all"];
        installation.admin(&[&["team", "create", ORGANIZER, team], &permit[..]].concat());
        let token = installation.admin(&["token", "create", ORGANIZER, team]);
        Self::at(
            &installation.url,
            token["token"].as_str().unwrap(),
            ORGANIZER,
        )
    }

    /// For any server.
    pub fn at(url: &str, token: &str, organizer: &str) -> Self {
        let fleet = Self {
            desk: Scanner::new(),
            token: token.to_owned(),
            organizer: organizer.to_owned(),
        };
        fleet.goes_to(url);
        fleet
    }

    /// Asks at this address from now on.
    pub fn goes_to(&self, url: &str) {
        let text = format!(
            "GATEHAND_FLEET_URL={url}\nGATEHAND_FLEET_TOKEN={}\nGATEHAND_FLEET_ORGANIZER={}\n",
            self.token, self.organizer
        );
        let file = self.file("team.env");
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A file of this desk.
    pub fn file(&self, name: &str) -> String {
        self.desk.scratch().join(name).display().to_string()
    }

    /// The command, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.desk.command(&[&["fleet"], arguments].concat());
        for name in [
            "GATEHAND_FLEET_URL",
            "GATEHAND_FLEET_TOKEN",
            "GATEHAND_FLEET_ORGANIZER",
            "GATEHAND_PUBLIC_URL",
        ] {
            command.env_remove(name);
        }
        command.env("GATEHAND_FLEET_TOKEN_FILE", self.file("team.env"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        end(self.command(arguments).output().unwrap())
    }

    /// What it prints with `--json`.
    #[track_caller]
    pub fn told(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }

    /// The names and results of what it prints with `--json`.
    #[track_caller]
    pub fn results(&self, arguments: &[&str]) -> Vec<(String, String)> {
        let ended = self.run(&[arguments, &["--json"]].concat());
        let documents: Value = serde_json::from_str(&ended.stdout).unwrap();
        let documents = documents.as_array().unwrap().iter();
        let text = |document: &Value, field: &str| document[field].as_str().unwrap().to_owned();
        documents
            .map(|document| (text(document, "name"), text(document, "result")))
            .collect()
    }
}
