//! How soon the first byte of the fleet page's table comes at a server of 100,000 devices, against one of 100: it has to
//! take twice as long at most.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a benchmark fails by panicking and prints what it found"
)]

#[path = "server/database.rs"]
mod database;
#[path = "server/importing.rs"]
mod importing;
#[allow(dead_code, reason = "another benchmark needs more of it")]
#[path = "server/processes.rs"]
mod processes;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use database::Database;
use importing::{enrolled, import, organizer, secret};
use processes::ServerProcess;

const USAGE: &str = "cargo bench --bench fleet_page -- [--rounds NUMBER] [--devices NUMBER]";
const FEW: usize = 100;
const MANY: usize = 100_000;
/// What the time of the one is to the other's at most.
const TARGET: f64 = 2.0;

/// Views of the table.
const VIEWS: [&str; 7] = [
    "/devices",
    "/devices?page=2",
    "/devices?state=active",
    "/devices?state=waiting",
    "/devices?gate=MAIN&software_brand=pretixSCAN",
    "/devices?search=lane",
    "/devices?ordering=-name",
];

/// A server of so many devices, and somebody who is signed in there.
struct Site {
    server: ServerProcess,
    cookie: String,
}

impl Site {
    fn set_up(folder: &Path, devices: usize) -> Self {
        let folder = folder.join(devices.to_string());
        std::fs::create_dir(&folder).unwrap();
        let (database, token) = (Database::sqlite(&folder), secret());
        let made = (0..devices).map(|number| enrolled(number, &secret()));
        import(&folder, &database, organizer(&token), made);
        let server = ServerProcess::gatehand(&database);
        let body = format!("token={token}");
        let head = format!(
            "POST /sign-in HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n{body}",
            server.address,
            body.len()
        );
        let (_, answer) = sent(&server, &head);
        let (_, rest) = answer.split_once("set-cookie: ").unwrap();
        let cookie = rest.split(';').next().unwrap().to_owned();
        Self { server, cookie }
    }

    /// How long the first byte of a view takes.
    fn first_byte(&self, view: &str) -> Duration {
        let head = format!(
            "GET {view} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
            self.server.address, self.cookie
        );
        let (taken, answer) = sent(&self.server, &head);
        assert!(answer.starts_with("HTTP/1.1 200"), "{view}: {answer}");
        taken
    }
}

/// How long the first byte of the answer took, and all of the answer.
fn sent(server: &ServerProcess, head: &str) -> (Duration, String) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let begun = Instant::now();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = vec![0];
    stream.read_exact(&mut answer).unwrap();
    let taken = begun.elapsed();
    stream.read_to_end(&mut answer).unwrap();
    (taken, String::from_utf8_lossy(&answer).into_owned())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn main() {
    let (mut rounds, mut devices) = (50, MANY);
    // Cargo adds --bench.
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let number = arguments.next().and_then(|number| number.parse().ok());
        match (argument.as_str(), number) {
            ("--rounds", Some(number)) => rounds = number,
            ("--devices", Some(number)) => devices = number,
            _ => panic!("{USAGE}"),
        }
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [few, many] = [FEW, devices].map(|devices| Site::set_up(folder.path(), devices));
    println!("| first byte of the table, median of {rounds} | of {FEW} | of {devices} | target |");
    println!("| --- | --- | --- | --- |");
    let mut slowest: f64 = 0.0;
    for view in VIEWS {
        // The first round warms up; the two take turns at being first.
        let mut measured: Vec<[Duration; 2]> = (0..=rounds)
            .map(|round| match round % 2 {
                0 => [few.first_byte(view), many.first_byte(view)],
                _ => {
                    let many = many.first_byte(view);
                    [few.first_byte(view), many]
                }
            })
            .collect();
        measured.remove(0);
        let [few, many] =
            [0, 1].map(|which| median(measured.iter().map(|round| round[which]).collect()));
        let times = many / few;
        println!(
            "| `{view}` | {few:.1} ms | {many:.1} ms, {times:.2} times as long | {TARGET} times |"
        );
        slowest = slowest.max(times);
    }
    assert!(
        slowest <= TARGET,
        "it takes more than {TARGET} times as long"
    );
}
