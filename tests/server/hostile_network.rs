//! A server is used by others while some callers do it harm: those that never read, send without end
//! or hold connections.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use gatehand::server::model::Permissions;
use gatehand::server::store;

use crate::common::callers::{
    answer, ask, connect_from, get, initialize_head, is_closed, push, stuff, until,
};
use crate::common::installation::ServerProcess;
use crate::common::server::ORGANIZER;

const FLEET: [u8; 4] = [127, 0, 0, 1];
const ATTACKER: [u8; 4] = [127, 0, 0, 2];
const PROXY: [u8; 4] = [127, 0, 0, 3];

const INFO: &str = "/api/v1/version";
const MIB: usize = 1024 * 1024;

/// A running server whose only team has a token.
struct Hall {
    server: ServerProcess,
    folder: tempfile::TempDir,
    credentials: String,
}

impl Hall {
    fn start(line: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("server.db");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let token = runtime.block_on(async {
            let store = store::open(&database.clone().into(), None).unwrap().store;
            let slug = ORGANIZER.parse().unwrap();
            let organizer = store.create_organizer(&slug, "O").await.unwrap().id;
            let all = Permissions::All;
            store.create_team(organizer, "t", all).await.unwrap();
            let token = store.create_team_token(organizer, "t", "t").await.unwrap();
            token.token.expose().to_owned()
        });
        Self {
            server: ServerProcess::start_after(line, &database, variables),
            folder,
            credentials: format!("Token {token}"),
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.address()
    }

    fn connect(&self, from: [u8; 4]) -> TcpStream {
        connect_from(from, self.address())
    }

    /// The status of a request of one who is known.
    fn known(&self, stream: &mut TcpStream) -> u16 {
        ask(stream, &get(INFO, &self.credentials)).unwrap()
    }

    /// Connections over which someone is known.
    fn fleet(&self, from: [u8; 4], size: usize) -> Vec<TcpStream> {
        let mut fleet: Vec<_> = (0..size).map(|_| self.connect(from)).collect();
        for stream in &mut fleet {
            assert_eq!(self.known(stream), 200);
        }
        fleet
    }

    /// Connections that have sent a byte of a request.
    fn slow(&self, size: usize) -> Vec<TcpStream> {
        let slow = (0..size).map(|_| {
            let mut stream = self.connect(ATTACKER);
            let _ = stream.write_all(b"G");
            stream
        });
        slow.collect()
    }

    /// The answer to the creation of a device with so many bytes more than needed.
    fn create_device(&self, bytes: usize) -> u16 {
        let more = "a".repeat(bytes);
        let body =
            format!(r#"{{"name": "a", "all_events": true, "limit_events": [], "x": "{more}"}}"#);
        let request = format!(
            "POST /api/v1/organizers/{ORGANIZER}/devices/ HTTP/1.1\r\nHost: localhost\r\n\
             Authorization: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.credentials,
            body.len()
        );
        ask(&mut self.connect(FLEET), &request).unwrap()
    }

    /// A figure of `/proc/PID/status`, in bytes.
    fn memory(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<usize>()
            .unwrap()
            * 1024
    }

    fn open_files(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.server.id()));
        files.unwrap().count()
    }

    /// How often the log has a line with these words.
    fn told(&self, words: &str) -> usize {
        self.server.log().matches(words).count()
    }
}

/// A request whose refusal repeats much of it.
fn request() -> String {
    let long = "a".repeat(20_000);
    format!(
        "POST /api/v1/device/initialize HTTP/1.1\r\nHost: localhost\r\nContent-Type: {long}\r\n\
         Content-Length: 1\r\n\r\na"
    )
}

#[test]
fn callers_that_never_read_do_not_keep_others_from_being_served() {
    let hall = Hall::start("ulimit -n 128", &[]);
    let stuck: Vec<_> = (0..140).map(|_| hall.connect(ATTACKER)).collect();
    stuff(&stuck, request().as_bytes());
    assert_eq!(hall.known(&mut hall.connect(FLEET)), 200);
}

#[test]
fn a_connection_ends_whose_answers_are_not_taken() {
    let hall = Hall::start("", &[("GATEHAND_STALL_TIME", "1")]);
    let stuck = [hall.connect(ATTACKER)];
    stuff(&stuck, request().as_bytes());
    until("the connection ends", || !push(&stuck[0], b"a"));
    until("it is told", || {
        hall.told("answers are not taken in time") == 1
    });
    assert_eq!(hall.known(&mut hall.connect(FLEET)), 200);
}

#[test]
fn a_stop_does_not_wait_for_callers_that_never_read() {
    let mut hall = Hall::start("", &[("GATEHAND_STOP_TIME", "2")]);
    let stuck: Vec<_> = (0..4).map(|_| hall.connect(ATTACKER)).collect();
    stuff(&stuck, request().as_bytes());
    hall.server.tell_to_stop();
    until("it ends", || {
        hall.server.ended().is_some_and(|status| status.success())
    });
}

#[test]
fn a_stop_does_not_wait_for_what_hangs_and_that_is_not_done() {
    let mut hall = Hall::start("", &[("GATEHAND_STOP_TIME", "1")]);
    let database = hall.folder.path().join("server.db");
    let other = rusqlite::Connection::open(&database).unwrap();
    // The server waits for it, as for a disk that does not answer.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut stream = hall.connect(FLEET);
    let body = r#"{"name": "a", "all_events": true, "limit_events": []}"#;
    let request = format!(
        "POST /api/v1/organizers/{ORGANIZER}/devices/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Authorization: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        hall.credentials,
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    // It has begun with the request once it asks for the body.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    hall.server.tell_to_stop();
    until("it ends", || hall.server.ended().is_some());
    let mut told = Vec::new();
    let _ = stream.read_to_end(&mut told);
    assert_eq!(told, b"", "nobody knows yet, so nothing is said");
    other.execute_batch("ROLLBACK").unwrap();
    let devices = "SELECT count(*) FROM device";
    let devices: i64 = other.query_row(devices, [], |row| row.get(0)).unwrap();
    assert_eq!(devices, 0);
}

#[test]
fn six_hundred_large_bodies_of_strangers_cost_little_and_it_is_given_back() {
    let hall = Hall::start("", &[]);
    assert_eq!(hall.known(&mut hall.connect(FLEET)), 200);
    let begun = hall.memory("VmRSS");
    let head = initialize_head(MIB);
    let part = vec![b'a'; 64 * 1024];
    let mut left = vec![MIB - 1; 600];
    let streams: Vec<_> = left
        .iter()
        .map(|_| {
            let mut stream = hall.connect(ATTACKER);
            stream.write_all(head.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    until("all is sent", || {
        for (mut stream, left) in streams.iter().zip(&mut left) {
            match stream.write(&part[..part.len().min(*left)]) {
                Ok(sent) => *left -= sent,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                // It was refused.
                Err(_) => *left = 0,
            }
        }
        left.iter().all(|left| *left == 0)
    });
    assert_eq!(hall.known(&mut hall.connect(FLEET)), 200);
    let most = hall.memory("VmHWM");
    assert!(most <= 200 * MIB, "{} MiB", most / MIB);
    drop(streams);
    until("it is given back", || {
        hall.memory("VmRSS") < begun + 20 * MIB
    });
}

#[test]
fn strangers_may_send_what_initialize_needs_and_others_more() {
    let hall = Hall::start("", &[]);
    for (length, status) in [(32 * 1024, 400), (32 * 1024 + 1, 413)] {
        let mut stream = hall.connect(ATTACKER);
        let request = initialize_head(length) + &" ".repeat(length);
        stream.write_all(request.as_bytes()).unwrap();
        let (told, head) = answer(&mut stream).unwrap();
        assert_eq!(told, status, "{length}");
        assert_eq!(head.contains("connection: close"), status == 413);
    }
    assert_eq!(hall.create_device(MIB / 2), 201);
}

#[test]
fn bodies_of_strangers_leave_room_for_those_of_others() {
    let hall = Hall::start("", &[("GATEHAND_BODY_MEMORY", "1")]);
    let part = initialize_head(32 * 1024) + &"a".repeat(32 * 1024 - 1);
    let mut held = Vec::new();
    let whole = initialize_head(2) + "{}";
    until("strangers are refused", || {
        let mut stream = hall.connect(ATTACKER);
        stream.write_all(part.as_bytes()).unwrap();
        held.push(stream);
        let mut other = hall.connect(ATTACKER);
        let large = initialize_head(32 * 1024) + &" ".repeat(32 * 1024);
        other.write_all(large.as_bytes()).unwrap();
        let (status, head) = answer(&mut other).unwrap();
        assert!(status == 400 || head.contains("retry-after: "), "{head}");
        status == 503
    });
    until("it is told", || {
        hall.told("the memory for request bodies is taken") == 1
    });
    assert_eq!(hall.create_device(0), 201);
    assert_eq!(hall.create_device(MIB / 4), 201);
    // What a scanner sends to enrol is small.
    assert_eq!(ask(&mut hall.connect(FLEET), &whole).unwrap(), 400);
    drop(held);
    until("strangers are heard again", || {
        ask(&mut hall.connect(ATTACKER), &whole).unwrap() == 400
    });
}

#[test]
fn the_limit_of_open_files_is_raised_to_what_connections_need() {
    let hall = Hall::start("ulimit -S -n 128", &[]);
    let mut first = hall.connect(FLEET);
    let _idle: Vec<_> = (0..300).map(|_| hall.connect(ATTACKER)).collect();
    until("all of them are accepted", || hall.open_files() > 300);
    assert_eq!(hall.known(&mut first), 200);
}

#[test]
fn a_read_over_an_open_connection_is_done_however_many_others_are_open() {
    let hall = Hall::start("ulimit -n 128", &[]);
    let mut first = hall.connect(FLEET);
    // It is accepted, and known.
    assert_eq!(hall.known(&mut first), 200);
    let _idle: Vec<_> = (0..300).map(|_| hall.connect(ATTACKER)).collect();
    let mut last = hall.connect(FLEET);
    assert_eq!(hall.known(&mut last), 200);
    assert_eq!(hall.known(&mut first), 200);
    until("it is told", || {
        hall.told("the system allows too few open files") == 1
    });
}

#[test]
fn who_is_known_and_proxies_that_are_trusted_keep_their_places() {
    for fleet_at in [FLEET, ATTACKER] {
        let hall = Hall::start(
            "ulimit -n 256",
            &[
                ("GATEHAND_MAX_CONNECTIONS", "16"),
                ("GATEHAND_TRUSTED_PROXY", "127.0.0.3"),
            ],
        );
        let mut fleet = hall.fleet(fleet_at, 6);
        let mut proxy = hall.connect(PROXY);
        let slow = hall.slow(100);
        let never_read: Vec<_> = (0..100).map(|_| hall.connect(ATTACKER)).collect();
        stuff(&never_read, request().as_bytes());
        // Whoever comes new is served, too.
        fleet.extend(hall.fleet(fleet_at, 2));
        for stream in &mut fleet {
            assert_eq!(hall.known(stream), 200);
        }
        assert_eq!(hall.known(&mut proxy), 200);
        until("the slow have gone", || slow.iter().all(is_closed));
        until("it is told", || {
            hall.told("one was closed for another") == 1
        });
        assert!(hall.open_files() < 64);
    }
}

#[test]
fn a_fleet_behind_one_address_is_served_as_a_whole() {
    let hall = Hall::start("", &[]);
    let mut fleet = hall.fleet(FLEET, 500);
    for stream in &mut fleet {
        assert_eq!(hall.known(stream), 200);
    }
}
