//! A server of our own as a process, set up with the real command.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::{Value, json};

use super::scanner::Scanner;
use super::server::{ORGANIZER, client, initialization, send};

/// A running `gatehand serve`; killed when dropped, as with `kill -9`.
pub struct ServerProcess {
    pub url: String,
    child: Child,
}

impl ServerProcess {
    pub fn start(database: &Path) -> Self {
        Self::start_with(database, &[])
    }

    pub fn start_with(database: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatehand"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database"])
            .arg(database)
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        log.read_line(&mut first).unwrap();
        // A full pipe would stop the server.
        thread::spawn(move || log.lines().for_each(drop));
        let url = first.trim().strip_prefix("Serving on ").expect(&first);
        Self {
            url: url.to_owned(),
            child,
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A running server with a database of its own and a desk to administer it.
pub struct Installation {
    pub url: String,
    desk: Scanner,
    _process: ServerProcess,
}

impl Installation {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With more arguments for `gatehand serve`.
    pub fn start_with(more: &[&str]) -> Self {
        let desk = Scanner::new();
        let process = ServerProcess::start_with(&desk.scratch().join("server.db"), more);
        let installation = Self {
            url: process.url.clone(),
            desk,
            _process: process,
        };
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

    /// Creates a device and initializes it as another app does; the server's answer with its key.
    pub fn enrol_with_another_app(&self, name: &str) -> Value {
        let token = self.create_device(name);
        let url = format!("{}/api/v1/device/initialize", self.url);
        let report = initialization(&json!({"initialization_token": token}));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answer = runtime.block_on(async { send(client().post(url).json(&report)).await });
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub fn devices(&self) -> Vec<Value> {
        self.admin(&["device", "list", ORGANIZER])
            .as_array()
            .unwrap()
            .clone()
    }
}
