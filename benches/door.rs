//! What passes a kiosk's door in a second, as `gatehand run`, against a bare forwarder of hyper on a Unix socket that
//! adds a header and hands answers on, to the same server. Both have one thread, speak HTTP/1.1 to it and keep their
//! connections. In pairs, so that whatever else the machine does hits both.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark fails by panicking and prints what it found"
)]

use std::convert::Infallible;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, UnixListener};

const GATEHAND: &str = env!("CARGO_BIN_EXE_gatehand");
const PATH: &str = "/api/v1/organizers/bigevents/events/";
const IDENTITY: &str = r#"{"organizer": "bigevents", "device_id": 1, "unique_serial": "ABCDEF12",
    "api_token": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", "name": "Kiosk 1",
    "security_profile": "pretixscan_online_kiosk", "gate": null}"#;
const RATIO_TARGET: f64 = 0.7;
const ROUNDS: usize = 9;
const TIME: Duration = Duration::from_secs(1);
const CALLERS: [usize; 2] = [1, 8];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[1..] {
        ["upstream"] => upstream(),
        ["bare", socket, server] => bare(Path::new(socket), server.parse().unwrap()),
        _ => compare(),
    }
}

/// A process that ends with this one's interest.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn own() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

fn compare() {
    let scratch = tempfile::tempdir().unwrap();
    let told = scratch.path().join("upstream");
    let out = fs::File::create(&told).unwrap();
    let _upstream = Process::start(own().arg("upstream").stdout(out));
    let server = until(|| {
        fs::read_to_string(&told)
            .ok()
            .filter(|line| line.ends_with('\n'))
    });
    let server = server.trim();
    let (door, bare) = (
        scratch.path().join("door.sock"),
        scratch.path().join("bare.sock"),
    );
    let gatehand = |arguments: &[&str]| {
        let mut command = Command::new(GATEHAND);
        command
            .args(arguments)
            .stdout(Stdio::null())
            .env("GATEHAND_SETTINGS", "");
        command
            .env("GATEHAND_VOLATILE", "true")
            .env("GATEHAND_HOME", scratch.path().join("home"));
        command
    };
    let url = format!("http://{server}");
    let enrolled = gatehand(&["init", "--url", &url, "--token", "kpp4jn8g2ynzonp6"]).status();
    assert!(enrolled.unwrap().success());
    let agent = Process::start(&mut gatehand(&[
        "run",
        "--heartbeat",
        "1h",
        "--socket",
        door.to_str().unwrap(),
    ]));
    let _bare = Process::start(own().arg("bare").arg(&bare).arg(server));
    for socket in [&door, &bare] {
        until(|| UnixStream::connect(socket).ok());
    }
    for callers in CALLERS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(calls_a_second(&door, callers));
            theirs.push(calls_a_second(&bare, callers));
        }
        let mut ratios: Vec<f64> = ours
            .iter()
            .zip(&theirs)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        let ratio = median(&mut ratios);
        println!(
            "{callers} at once: door {:.0} a second, bare {:.0}; {ratio:.2} of it (from {:.2} to {:.2}), target {RATIO_TARGET}: {}",
            median(&mut ours),
            median(&mut theirs),
            ratios[0],
            ratios[ratios.len() - 1],
            if ratio >= RATIO_TARGET {
                "met"
            } else {
                "missed"
            }
        );
    }
    let status = fs::read_to_string(format!("/proc/{}/status", agent.0.id())).unwrap();
    for line in status
        .lines()
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"))
    {
        println!("the agent afterwards: {line}");
    }
}

fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(there) = there() {
            return there;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it does not come up"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn calls_a_second(socket: &Path, callers: usize) -> f64 {
    let begun = Instant::now();
    let calls: usize = thread::scope(|scope| {
        let callers: Vec<_> = (0..callers)
            .map(|_| scope.spawn(|| call(socket, begun)))
            .collect();
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .sum()
    });
    calls as f64 / begun.elapsed().as_secs_f64()
}

/// Calls one after the other until the time is over.
fn call(socket: &Path, begun: Instant) -> usize {
    let mut stream = UnixStream::connect(socket).unwrap();
    let request = format!("GET {PATH} HTTP/1.1\r\nhost: door\r\n\r\n");
    let (mut calls, mut answer, mut piece) = (0, Vec::new(), [0; 16 * 1024]);
    while begun.elapsed() < TIME {
        stream.write_all(request.as_bytes()).unwrap();
        answer.clear();
        while !is_whole(&answer) {
            let read = stream.read(&mut piece).unwrap();
            assert_ne!(read, 0, "it ends");
            answer.extend_from_slice(&piece[..read]);
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
        calls += 1;
    }
    calls
}

/// Told by the end alone, in pieces or not: what callers do takes of the time of both.
fn is_whole(answer: &[u8]) -> bool {
    answer.ends_with(b"]}") || answer.ends_with(b"]}\r\n0\r\n\r\n")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A server that knows one device, and answers a kilobyte.
fn upstream() {
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let page = format!("{{\"count\": 1, \"results\": [\"{}\"]}}", "x".repeat(1000));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let _ = stream.set_nodelay(true);
            let page = Bytes::from(page.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let body = match request.uri().path().ends_with("/device/initialize") {
                    true => Bytes::from_static(IDENTITY.as_bytes()),
                    false => page.clone(),
                };
                let mut answer = Response::new(Full::new(body));
                answer
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                async move { Ok::<_, Infallible>(answer) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}

/// The least that a forwarder does.
fn bare(socket: &Path, server: SocketAddr) {
    runtime().block_on(async {
        let listener = UnixListener::bind(socket).unwrap();
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client<HttpConnector, Incoming> =
            Client::builder(TokioExecutor::new()).build(connector);
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let client = client.clone();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let path = request.uri().path_and_query().unwrap();
                *request.uri_mut() = format!("http://{server}{path}").parse().unwrap();
                request
                    .headers_mut()
                    .insert(AUTHORIZATION, HeaderValue::from_static("Device kkkkkkkk"));
                client.request(request)
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
}
