//! A server of our own as a process, set up with the real command.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;

use serde_json::Value;

use super::scanner::Scanner;

/// The organizer that every installation has.
pub const ORGANIZER: &str = "bigevents";

/// A running `gatehand serve` with a database of its own; killed when dropped.
pub struct Installation {
    pub url: String,
    desk: Scanner,
    process: Child,
}

impl Installation {
    pub fn start() -> Self {
        let desk = Scanner::new();
        let database = desk.scratch().join("server.db");
        let database = database.to_str().unwrap();
        let listen = ["serve", "--listen", "127.0.0.1:0", "--database", database];
        let mut process = desk
            .command(&listen)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut first = String::new();
        log.read_line(&mut first).unwrap();
        // A full pipe would stop the server.
        thread::spawn(move || log.lines().for_each(drop));
        let url = first
            .trim()
            .strip_prefix("Serving on ")
            .expect(&first)
            .to_owned();
        let installation = Self { url, desk, process };
        installation.admin(&["organizer", "create", ORGANIZER, "--name", "Big Events"]);
        installation
    }

    /// Runs `gatehand admin` and returns what it prints as JSON.
    pub fn admin(&self, arguments: &[&str]) -> Value {
        let database = self.desk.scratch().join("server.db");
        let begin = ["admin", "--json", "--database", database.to_str().unwrap()];
        let ended = self.desk.run(&[&begin, arguments].concat());
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }

    /// Creates a device and returns its initialization token.
    pub fn create_device(&self, name: &str) -> String {
        let device = self.admin(&[
            "device",
            "create",
            ORGANIZER,
            "--name",
            name,
            "--all-events",
        ]);
        device["initialization_token"].as_str().unwrap().to_owned()
    }

    pub fn devices(&self) -> Vec<Value> {
        self.admin(&["device", "list", ORGANIZER])
            .as_array()
            .unwrap()
            .clone()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
