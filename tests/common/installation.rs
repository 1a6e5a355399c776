//! A server of our own as a process, set up with the real command.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::scanner::Scanner;
use super::server::{ORGANIZER, ask, initialization};

/// A running `gatehand serve`; killed when dropped, as with `kill -9`.
pub struct ServerProcess {
    pub url: String,
    /// The line with which it says that it is up.
    pub line: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

/// The command that serves a database on a free port, not started yet.
pub fn serve(database: &Path) -> Command {
    serve_at(([127, 0, 0, 1], 0).into(), database)
}

fn serve_at(address: SocketAddr, database: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatehand"));
    command.args(["serve", "--listen", &address.to_string(), "--database"]);
    command.arg(database);
    command
}

/// The address in the line with which a server says that it is up.
pub fn served_at(line: &str) -> Option<String> {
    let (url, _) = line.strip_prefix("Serving on ")?.split_once(", ")?;
    Some(url.to_owned())
}

impl ServerProcess {
    pub fn start(database: &Path) -> Self {
        Self::start_with(database, &[])
    }

    pub fn start_at(address: SocketAddr, database: &Path) -> Self {
        Self::start_command(serve_at(address, database))
    }

    /// With more arguments for the command.
    pub fn start_with(database: &Path, more: &[&str]) -> Self {
        let mut command = serve(database);
        command.args(more);
        Self::start_command(command)
    }

    /// With more variables in its environment.
    pub fn start_with_environment(database: &Path, more: &[(&str, &str)]) -> Self {
        let mut command = serve(database);
        command.envs(more.iter().copied());
        Self::start_command(command)
    }

    /// By a shell that runs this line before, as `ulimit -n 256`, with these variables.
    pub fn start_after(line: &str, database: &Path, variables: &[(&str, &str)]) -> Self {
        let command = serve(database);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{line}\nexec \"$0\" \"$@\"")]);
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(variables.iter().copied());
        Self::start_command(shell)
    }

    pub fn start_command(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut so_far = String::new();
        let (url, line) = loop {
            let line = lines.next().expect(&so_far).unwrap();
            if let Some(url) = served_at(&line) {
                break (url, line);
            }
            so_far += &(line + "\n");
        };
        // A full pipe would stop the server.
        let log = Arc::new(Mutex::new(so_far));
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        Self {
            url,
            line,
            child,
            log,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop, as a service manager does.
    pub fn tell_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until it has logged this.
    pub fn logs(&self, words: &str) {
        let begun = Instant::now();
        while !self.log().contains(words) {
            let log = self.log();
            assert!(begun.elapsed() < Duration::from_secs(60), "{words}: {log}");
            thread::sleep(Duration::from_millis(10));
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
    /// Where it was first reached; after a restart it is elsewhere.
    pub url: String,
    desk: Scanner,
    process: Mutex<ServerProcess>,
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
            process: Mutex::new(process),
        };
        installation.admin(&["organizer", "create", ORGANIZER, "--name", "Big Events"]);
        installation
    }

    /// Kills the server and starts it again on the same database, at another address.
    pub fn restart(&self) {
        let mut process = self.process.lock().unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        *process = ServerProcess::start(&self.database());
    }

    /// Kills the server; until it is started again, nobody answers.
    pub fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Starts the server again on the same database, at the same address.
    pub fn start_again(&self) {
        let mut process = self.process.lock().unwrap();
        *process = ServerProcess::start_at(process.address(), &self.database());
    }

    /// Host and port of the server as it runs now; waits while it starts.
    pub fn address(&self) -> String {
        let process = self.process.lock().unwrap();
        process.url.trim_start_matches("http://").to_owned()
    }

    /// What the server has logged since it was started.
    pub fn log(&self) -> String {
        self.process.lock().unwrap().log()
    }

    /// Waits until the server has logged this.
    pub fn logs(&self, words: &str) {
        self.process.lock().unwrap().logs(words);
    }

    pub fn database(&self) -> PathBuf {
        self.desk.scratch().join("server.db")
    }

    /// Runs `gatehand admin` and returns what it prints as JSON.
    pub fn admin(&self, arguments: &[&str]) -> Value {
        let database = self.database();
        let begin = ["admin", "--json", "--database", database.to_str().unwrap()];
        let ended = self.desk.run(&[&begin, arguments].concat());
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }

    /// Creates a device and returns its initialization token.
    pub fn create_device(&self, name: &str) -> String {
        let device = self.add_device(name);
        device["initialization_token"].as_str().unwrap().to_owned()
    }

    /// Creates a device.
    pub fn add_device(&self, name: &str) -> Value {
        self.admin(&[
            "device",
            "create",
            ORGANIZER,
            "--name",
            name,
            "--all-events",
        ])
    }

    pub fn device(&self, number: u64) -> Value {
        self.admin(&["device", "show", ORGANIZER, &number.to_string()])
    }

    /// Creates a device and initializes it as another app does; the server's answer with its key.
    pub fn enrol_with_another_app(&self, name: &str) -> Value {
        let token = self.create_device(name);
        let url = format!("{}/api/v1/device/initialize", self.url);
        let report = initialization(&json!({"initialization_token": token}));
        let answer = ask(|client| client.post(url).json(&report));
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
