//! A server of our own as a process, set up with the real command.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use super::scanner::Scanner;
use super::server::ORGANIZER;

/// A running `gatehand serve`; killed when dropped, as with `kill -9`.
pub struct ServerProcess {
    pub url: String,
    child: Child,
}

/// The command that serves a database on a free port, not started yet.
pub fn serve(database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehand"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--database"]);
    command.arg(database);
    command
}

impl ServerProcess {
    pub fn start(database: &Path) -> Self {
        let mut child = serve(database).stderr(Stdio::piped()).spawn().unwrap();
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
        let desk = Scanner::new();
        let process = ServerProcess::start(&desk.scratch().join("server.db"));
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

    pub fn devices(&self) -> Vec<Value> {
        self.admin(&["device", "list", ORGANIZER])
            .as_array()
            .unwrap()
            .clone()
    }
}
