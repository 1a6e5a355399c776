//! Where a server listens: TCP, a Unix socket, or what a service manager passes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A folder with a database and a socket, and the command that serves them.
struct Place(TempDir);

/// A running `gatehand serve`; killed when dropped, as with `kill -9`.
struct Served {
    child: Child,
    /// The line with which it says that it is up.
    line: String,
}

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn socket(&self) -> PathBuf {
        self.0.path().join("a.sock")
    }

    /// A command that serves, run by a shell after these lines with this file as its standard input.
    fn shell(&self, lines: &str, listen: &str, input: impl Into<Stdio>) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{lines}\nexec \"$0\" \"$@\"")])
            .arg(env!("CARGO_BIN_EXE_gatehand"))
            .args(["serve", "--listen", listen, "--database"])
            .arg(self.0.path().join("server.db"))
            .stdin(input)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn listen(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    fn on_socket(&self) -> Command {
        self.shell("", &self.listen(), Stdio::null())
    }

    /// A server that gets what is its standard input in the shell as the socket that was passed.
    fn passed(&self, lines: &str, socket: impl Into<OwnedFd>) -> Command {
        let lines = format!("exec 3<&0 </dev/null\n{lines}");
        self.shell(&lines, "127.0.0.1:1", Stdio::from(socket.into()))
    }
}

/// How systemd tells a process of sockets.
const ONE_PASSED: &str = "export LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=gatehand.socket";

impl Served {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut so_far = String::new();
        let line = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "ended: {so_far}");
            if line.starts_with("Serving on ") {
                break line;
            }
            so_far += &line;
        };
        // A full pipe would stop the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, line }
    }

    fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a server says that can't start.
fn refusal(mut command: Command) -> String {
    let ended = command.output().unwrap();
    assert!(!ended.status.success());
    String::from_utf8(ended.stderr).unwrap()
}

/// The answer to one request over a connection.
fn answer(mut stream: impl Read + Write, head: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         X-Idempotency-Key: again\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn is_served(stream: impl Read + Write) {
    let answer = answer(stream, "GET /api/v1/version", "");
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("credentials were not provided"), "{answer}");
}

fn connect(path: &Path) -> UnixStream {
    UnixStream::connect(path).unwrap()
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

#[test]
fn a_unix_socket_is_served_to_its_group_and_removed_at_the_end() {
    for umask in ["000", "022", "077"] {
        let place = Place::new();
        let command = place.shell(&format!("umask {umask}"), &place.listen(), Stdio::null());
        let server = Served::start(command);
        let said = format!("Serving on {}, ", place.listen());
        assert!(server.line.starts_with(&said), "{}", server.line);
        let mode = fs::metadata(place.socket()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        is_served(connect(&place.socket()));
        // A connection that idles holds up nobody.
        let _idle = connect(&place.socket());
        assert!(server.stop().success());
        assert!(!place.socket().exists());
    }
}

#[test]
fn over_a_unix_socket_hosts_are_checked_too() {
    let place = Place::new();
    let lines = "export GATEHAND_PUBLIC_URL=https://tickets.example";
    let _server = Served::start(place.shell(lines, &place.listen(), Stdio::null()));
    for (host, status) in [
        // What nginx sends unless it is told otherwise, and what it sends then.
        ("localhost", "403"),
        ("tickets.example", "403"),
        ("evil.example", "400"),
    ] {
        let head = "GET /api/v1/version HTTP/1.1\r\nConnection: close";
        let mut stream = connect(&place.socket());
        write!(stream, "{head}\r\nHost: {host}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&expected), "{host}: {answer}");
    }
}

#[test]
fn the_socket_of_a_killed_server_is_replaced_and_that_of_a_living_one_is_not() {
    let place = Place::new();
    let mut server = Served::start(place.on_socket());
    let complaint = refusal(place.on_socket());
    assert!(complaint.contains("another process does"), "{complaint}");
    is_served(connect(&place.socket()));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(is_socket(&place.socket()));
    let server = Served::start(place.on_socket());
    is_served(connect(&place.socket()));
    assert!(server.stop().success());
}

#[test]
fn what_others_left_in_its_place_is_replaced_only_if_it_is_a_dead_socket() {
    let place = Place::new();
    let living = UnixListener::bind(place.socket()).unwrap();
    let complaint = refusal(place.on_socket());
    assert!(complaint.contains("another process does"), "{complaint}");
    drop(living);
    assert!(is_socket(&place.socket()));
    assert!(Served::start(place.on_socket()).stop().success());
    fs::write(place.socket(), "a file").unwrap();
    let complaint = refusal(place.on_socket());
    assert!(
        complaint.contains("a file that is no socket"),
        "{complaint}"
    );
    assert_eq!(fs::read_to_string(place.socket()).unwrap(), "a file");
}

#[test]
fn a_server_removes_no_socket_that_took_the_place_of_its_own() {
    let place = Place::new();
    let server = Served::start(place.on_socket());
    fs::remove_file(place.socket()).unwrap();
    let _other = UnixListener::bind(place.socket()).unwrap();
    assert!(server.stop().success());
    assert!(is_socket(&place.socket()));
}

#[test]
fn a_socket_that_cannot_be_made_is_told() {
    let place = Place::new();
    for (path, advice) in [
        (
            place.0.path().join("missing/a.sock"),
            "make the socket's folder first",
        ),
        (place.0.path().join("long".repeat(40)), ""),
    ] {
        let listen = format!("unix:{}", path.display());
        let complaint = refusal(place.shell("", &listen, Stdio::null()));
        assert!(
            complaint.contains(&format!("can't listen on {listen}")) && complaint.contains(advice),
            "{complaint}"
        );
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let complaint = refusal(place.shell("", &listen, Stdio::null()));
    assert!(
        complaint.contains("end the program that has this port"),
        "{complaint}"
    );
    let complaint = refusal(place.shell("", "unix:", Stdio::null()));
    assert!(complaint.contains("unix:/path"), "{complaint}");
}

#[test]
fn a_passed_socket_is_served_and_its_file_left_to_whoever_made_it() {
    let place = Place::new();
    let passed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = passed.local_addr().unwrap();
    let server = Served::start(place.passed(ONE_PASSED, passed));
    let said = format!("Serving on http://{address}, ");
    assert!(server.line.starts_with(&said), "{}", server.line);
    is_served(TcpStream::connect(address).unwrap());
    assert!(server.stop().success());

    let passed = UnixListener::bind(place.socket()).unwrap();
    let server = Served::start(place.passed(ONE_PASSED, passed));
    let said = format!("Serving on {}, ", place.listen());
    assert!(server.line.starts_with(&said), "{}", server.line);
    is_served(connect(&place.socket()));
    assert!(server.stop().success());
    assert!(is_socket(&place.socket()));
}

#[test]
fn what_is_passed_and_cannot_be_served_is_told() {
    let place = Place::new();
    let file = File::create(place.0.path().join("file")).unwrap();
    let complaint = refusal(place.passed(ONE_PASSED, file));
    assert!(
        complaint.contains("must be a listening stream"),
        "{complaint}"
    );
    let socket = || TcpListener::bind("127.0.0.1:0").unwrap();
    let two = "exec 4<&3; export LISTEN_PID=$$ LISTEN_FDS=2";
    let complaint = refusal(place.passed(two, socket()));
    assert!(complaint.contains("2 sockets were passed"), "{complaint}");
}

#[test]
fn what_was_passed_to_another_process_is_not_taken() {
    let place = Place::new();
    let lines = "export LISTEN_PID=1 LISTEN_FDS=1";
    let server = Served::start(place.shell(lines, &place.listen(), Stdio::null()));
    is_served(connect(&place.socket()));
    assert!(server.stop().success());
}

#[test]
fn a_refusal_over_a_unix_socket_is_repeated_like_any() {
    let place = Place::new();
    let _server = Served::start(place.on_socket());
    let report = r#"{"token": "unknown", "hardware_brand": "Zebra", "hardware_model": "TC25",
        "software_brand": "pretixSCAN", "software_version": "1"}"#;
    let initialize = |body| {
        answer(
            connect(&place.socket()),
            "POST /api/v1/device/initialize",
            body,
        )
    };
    let first = initialize(report);
    assert!(first.starts_with("HTTP/1.1 400 "), "{first}");
    assert!(first.contains("Unknown initialization token."), "{first}");
    // The same key and token: what is kept is told, whatever else is sent.
    let again = initialize(r#"{"token": "unknown"}"#);
    assert!(again.contains("Unknown initialization token."), "{again}");
}
