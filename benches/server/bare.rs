//! The least that answers over HTTP: routes of axum that have their answers ready, and look for the device with
//! the key in a PostgreSQL before, if they are told to.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, NoTls, Statement};

use super::processes::ServerProcess;

/// What a route answers.
#[derive(Serialize, Deserialize)]
pub struct Recorded {
    /// As axum writes it.
    pub route: String,
    /// Without those that hyper adds.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What is served.
#[derive(Serialize, Deserialize)]
pub struct Routes {
    pub recorded: Vec<Recorded>,
    /// The PostgreSQL database in which a device is looked for before it is answered.
    pub database: Option<String>,
}

/// Has this program serve the bare routes.
pub const BARE: &str = "bare-routes";

/// As many as a server reads with.
const CONNECTIONS: usize = 8;

/// What a server asks for a device.
const DEVICE: &str =
    "SELECT device.id, organizer.id, organizer.slug, organizer.active, device.device_id,
        device.unique_serial, device.name, device.security_profile,
        gate.id, gate.name, gate.identifier, device.revoked, device.rsa_pubkey
    FROM device
    JOIN organizer ON organizer.id = device.organizer
    LEFT JOIN gate ON gate.id = device.gate AND gate.active
    WHERE device.api_key_hash = $1";

impl Routes {
    /// Serves them in a process of their own.
    pub fn start(&self) -> ServerProcess {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(BARE);
        ServerProcess::told(command, &serde_json::to_vec(self).unwrap())
    }
}

/// Connections to PostgreSQL, each for one at a time.
struct Pool {
    idle: Mutex<Vec<(Client, Statement)>>,
    places: Semaphore,
}

impl Pool {
    async fn open(address: &str) -> Self {
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
            tokio::spawn(connection);
            let statement = client.prepare(DEVICE).await.unwrap();
            idle.push((client, statement));
        }
        Self {
            idle: Mutex::new(idle),
            places: Semaphore::new(CONNECTIONS),
        }
    }

    /// Looks for the device whose key these headers show, if it is a device's.
    async fn ask(&self, headers: &HeaderMap) {
        let shown = headers["authorization"].as_bytes();
        let Some(key) = shown.strip_prefix(b"Device ") else {
            return;
        };
        let hash = Sha256::digest(key).to_vec();
        let _place = self.places.acquire().await.unwrap();
        let (client, statement) = self.idle.lock().unwrap().pop().unwrap();
        let row = client.query_one(&statement, &[&hash]).await.unwrap();
        assert!(!row.is_empty());
        self.idle.lock().unwrap().push((client, statement));
    }
}

impl Recorded {
    /// What a server answered, to be answered again.
    pub fn of(route: &str, answer: &[u8]) -> Self {
        let answer = std::str::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let headers = head
            .lines()
            .skip(1)
            .map(|line| line.split_once(": ").unwrap());
        let headers = headers.filter(|(name, _)| !["content-length", "date"].contains(name));
        Self {
            route: route.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }
}

/// The lines of an answer's head that do not change with the time, in order of letters, and its body.
pub fn sent(answer: &[u8]) -> (Vec<&str>, &str) {
    let answer = std::str::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head
        .lines()
        .filter(|line| !line.starts_with("date: "))
        .collect();
    lines.sort_unstable();
    (lines, body)
}

/// Serves what standard input tells, on a port that standard output is told, until the process is ended.
/// The runtime is as that of `gatehand serve`.
pub fn serve() {
    let mut told = String::new();
    std::io::stdin().read_to_string(&mut told).unwrap();
    let Routes { recorded, database } = serde_json::from_str(&told).unwrap();
    // As the server's own.
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors + 1)
        .enable_all()
        .build()
        .unwrap();
    let pool = database.map(|database| Arc::new(runtime.block_on(Pool::open(&database))));
    let router = recorded
        .into_iter()
        .fold(Router::new(), |router, recorded| {
            let pool = pool.clone();
            let headers = recorded.headers.iter().map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            });
            let (headers, body) = (headers.collect::<HeaderMap>(), Bytes::from(recorded.body));
            let answer = async move |asked: HeaderMap| {
                if let Some(pool) = pool {
                    pool.ask(&asked).await;
                }
                let mut response = Response::new(Body::from(body.clone()));
                *response.headers_mut() = headers.clone();
                response
            };
            router.route(&recorded.route, get(answer))
        });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let router = TowerToHyperService::new(router.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), router));
        }
    });
}
