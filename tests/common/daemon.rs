//! A kiosk's agent: `gatehand run` as a process, with a door to knock at.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::callers::until;
use super::raw;
use super::scanner::Scanner;

/// An agent that runs until it is dropped or told to stop.
pub struct Daemon {
    child: Child,
    door: PathBuf,
    log: PathBuf,
}

impl Daemon {
    /// Starts it on a device, and waits until its door is open.
    pub fn start(scanner: &Scanner, more: &[&str]) -> Self {
        Self::start_by(scanner, more, |command| command)
    }

    /// The same within something, as a unit that gives it a credential.
    pub fn start_by(
        scanner: &Scanner,
        more: &[&str],
        within: impl FnOnce(Command) -> Command,
    ) -> Self {
        let door = scanner.scratch().join("door.sock");
        let own = ["run", "--log", "info", "--socket", door.to_str().unwrap()];
        let soon = match more.contains(&"--timeout") {
            true => &[][..],
            false => &["--timeout", "5"],
        };
        let arguments = [&own[..], soon, more].concat();
        Self::spawn(scanner, within(scanner.command(&arguments))).open()
    }

    /// Starts it with these arguments and variables, of which something makes it open its usual door.
    pub fn start_in(scanner: &Scanner, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = scanner.command(arguments);
        command.envs(variables.iter().copied());
        Self::spawn(scanner, command).open()
    }

    fn open(self) -> Self {
        self.until("the door is open", || {
            UnixStream::connect(&self.door).is_ok()
        });
        self
    }

    /// Starts it with just these arguments.
    pub fn start_as(scanner: &Scanner, arguments: &[&str]) -> Self {
        Self::spawn(scanner, scanner.command(arguments))
    }

    fn spawn(scanner: &Scanner, mut command: Command) -> Self {
        let log = scanner.scratch().join("daemon.log");
        let child = command
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            door: scanner.scratch().join("door.sock"),
            log,
        }
    }

    /// Waits, and shows its log if that is in vain.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl FnMut() -> bool) {
        let log = Shown(&self.log);
        until(what, is_so);
        std::mem::forget(log);
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    #[track_caller]
    pub fn logs(&self, words: &str) {
        self.until(words, || self.log().contains(words));
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn door(&self) -> UnixStream {
        UnixStream::connect(&self.door).unwrap()
    }

    /// All that the door answers to these bytes.
    pub fn knock(&self, bytes: &str) -> String {
        raw::exchange(self.door(), bytes.as_bytes())
    }

    /// Status and body of the answer to a request with more lines in its head, and a body.
    pub fn ask(&self, request: &str, more: &str, body: &str) -> (u16, String) {
        let length = match body.is_empty() {
            true => String::new(),
            false => format!("content-length: {}\r\n", body.len()),
        };
        let answer = self.knock(&format!(
            "{request} HTTP/1.1\r\nhost: door\r\nconnection: close\r\n{more}{length}\r\n{body}"
        ));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let is_chunked = head.to_lowercase().contains("transfer-encoding: chunked");
        let body = if is_chunked {
            unchunked(body)
        } else {
            body.to_owned()
        };
        (raw::statuses(&answer)[0], body)
    }

    /// The JSON that is at this path.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(&format!("GET {path}"), "", "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Waits until the door tells this state.
    #[track_caller]
    pub fn until_it_is(&self, state: &str) {
        self.until(state, || self.get("/v1/status")["state"] == state);
    }

    #[track_caller]
    pub fn until_it_is_online(&self, online: bool) {
        self.until("online", || self.get("/v1/status")["online"] == online);
    }

    /// The events that happen from now on, or after the last one that was heard.
    pub fn events(&self, last: Option<&str>) -> Events {
        let last = last
            .map(|id| format!("last-event-id: {id}\r\n"))
            .unwrap_or_default();
        let mut stream = self.door();
        let request = format!("GET /v1/events HTTP/1.1\r\nhost: door\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Events(BufReader::new(stream))
    }

    pub fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id() as i32).unwrap();
        kill_process(id, signal).unwrap();
    }

    /// Tells it to stop, and how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.child.wait().unwrap()
    }

    pub fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Shows a log unless it is forgotten.
struct Shown<'l>(&'l PathBuf);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        eprintln!("{}", fs::read_to_string(self.0).unwrap_or_default());
    }
}

/// Server-sent events as they come.
pub struct Events(BufReader<UnixStream>);

/// One of them.
#[derive(Debug)]
pub struct Event {
    pub id: String,
    pub what: String,
    pub data: Value,
}

impl Events {
    pub fn next(&mut self) -> Event {
        let mut event = Event {
            id: String::new(),
            what: String::new(),
            data: Value::Null,
        };
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the events ended");
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => event.id = id.to_owned(),
                Some(("event", what)) => event.what = what.to_owned(),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                _ if line.trim().is_empty() && !event.what.is_empty() => return event,
                _ => {}
            }
        }
    }

    /// Whether they have ended.
    pub fn have_ended(mut self) -> bool {
        self.0.read_to_end(&mut Vec::new()).is_ok()
    }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        whole.push_str(&rest[..length]);
        body = rest[length..].trim_start_matches("\r\n");
        if length == 0 {
            break;
        }
    }
    whole
}
