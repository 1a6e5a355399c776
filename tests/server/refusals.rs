//! What a server refuses is not done, then or later, and what it says is done is: whatever holds the
//! database up, and however long.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::{Method, RequestBuilder};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::server::{Answer, TestServer, config, initialization, send};

const INITIALIZE: &str = "/api/v1/device/initialize";
const ROLL: &str = "/api/v1/device/roll";
const INFO: &str = "/api/v1/device/info";

/// A server that takes this long for an answer.
async fn server_with(answer_time: Duration) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let config = gatehand::server::Config {
        answer_time,
        ..config(None)
    };
    TestServer::start_with(folder, config).await
}

/// Holds the database as another process does, until it is dropped.
struct Hold(Connection);

impl Hold {
    fn on(server: &TestServer) -> Self {
        let database = Connection::open(server.database()).unwrap();
        database.busy_timeout(Duration::from_secs(60)).unwrap();
        database.execute_batch("BEGIN EXCLUSIVE").unwrap();
        Self(database)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

#[track_caller]
fn is_refused(answer: &Answer) {
    assert_eq!(answer.header("retry-after"), "5", "{answer:?}");
    let words = "The server can't do this now. Try again later.";
    answer.is(503, json!({ "detail": words }));
}

fn with_key(request: RequestBuilder, key: Option<&str>) -> RequestBuilder {
    match key {
        Some(key) => request.header(IDEMPOTENCY_HEADER, key),
        None => request,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_refused_while_the_database_was_held_is_not_done_later() {
    let server = server_with(Duration::from_millis(300)).await;
    let waiting = server.create_device("waiting").await;
    let (_, old) = server.enrol("enrolled").await;
    for key in [None, Some("k")] {
        let initialize = || {
            let request = server.request(Method::POST, INITIALIZE);
            send(with_key(request.json(&initialization(&waiting)), key))
        };
        let roll = || send(with_key(server.as_device(&old, Method::POST, ROLL), key));
        let hold = Hold::on(&server);
        let (initialized, rolled) = tokio::join!(initialize(), roll());
        is_refused(&initialized);
        is_refused(&rolled);
        drop(hold);
        // Whatever waited before this was done or left out by now.
        server.create_device("after").await;
        let asked = send(server.as_device(&old, Method::GET, INFO)).await;
        assert_eq!(asked.status, 200, "the old key is good: {asked:?}");
        if key.is_some() {
            assert_eq!(initialize().await.status, 200, "the token is good");
            assert_eq!(roll().await.status, 200);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_exactly_those_are_done_that_are_told_so() {
    let server = Arc::new(server_with(Duration::from_millis(40)).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let holding = {
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let hold = Hold::on(&server);
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..80)));
                drop(hold);
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..20)));
            }
        })
    };
    // How many were done, and how many refused: on a busy machine all may be the same for a while.
    let counts = Arc::new([const { AtomicU32::new(0) }; 2]);
    let callers: Vec<_> = (0..16)
        .map(|caller| {
            let (server, counts) = (Arc::clone(&server), Arc::clone(&counts));
            tokio::spawn(async move {
                let mut told = Vec::new();
                let is_lacking = || {
                    counts
                        .iter()
                        .any(|count| count.load(Ordering::Relaxed) == 0)
                };
                for number in 0.. {
                    if number >= 25 && !is_lacking() {
                        break;
                    }
                    let name = format!("{caller}-{number}");
                    let body = json!({"name": name, "all_events": true, "limit_events": []});
                    let request = server.devices(Method::POST, "").json(&body);
                    let key = (number % 2 == 0).then_some(name.as_str());
                    let answer = send(with_key(request, key)).await;
                    if answer.status != 201 {
                        is_refused(&answer);
                    }
                    let is_done = answer.status == 201;
                    counts[usize::from(is_done)].fetch_add(1, Ordering::Relaxed);
                    told.push((name, is_done));
                }
                told
            })
        })
        .collect();
    let mut told = Vec::new();
    for caller in callers {
        told.extend(caller.await.unwrap());
    }
    is_over.store(true, Ordering::Relaxed);
    holding.join().unwrap();

    server
        .store
        .create_organizer(&"last".parse().unwrap(), "Last")
        .await
        .unwrap();
    let devices = server.store.placed_devices(server.organizer).await.unwrap();
    let stored: BTreeSet<_> = devices.into_iter().map(|found| found.device.name).collect();
    let done = told.into_iter().filter(|(_, is_done)| *is_done);
    let done: BTreeSet<_> = done.map(|(name, _)| name).collect();
    assert_eq!(stored, done);
}

/// Waits until the server says this of the request with the key `k`.
async fn until_query_says(server: &TestServer, device: &str, status: u16) {
    let path = "/api/v1/idempotency_query?key=k";
    while send(server.as_device(device, Method::GET, path))
        .await
        .status
        != status
    {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_asked_for_that_has_gone_is_done_when_it_asks_again() {
    let server = server_with(Duration::from_secs(60)).await;
    let (_, key) = server.enrol("enrolled").await;
    let hold = Hold::on(&server);
    let address = server.url.trim_start_matches("http://");
    let mut gone = TcpStream::connect(address).unwrap();
    write!(
        gone,
        "POST {ROLL} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Device {key}\r\n\
         {IDEMPOTENCY_HEADER}: k\r\nContent-Length: 0\r\n\r\n"
    )
    .unwrap();
    until_query_says(&server, &key, 409).await;
    drop(gone);
    until_query_says(&server, &key, 404).await;
    drop(hold);
    server.create_device("after").await;
    let asked = send(server.as_device(&key, Method::GET, INFO)).await;
    assert_eq!(asked.status, 200, "the old key is good: {asked:?}");
    let roll = || {
        send(with_key(
            server.as_device(&key, Method::POST, ROLL),
            Some("k"),
        ))
    };
    let rolled = roll().await;
    assert_eq!(rolled.status, 200);
    assert_eq!(roll().await.json(), rolled.json());
}

#[tokio::test]
async fn what_reading_fails_is_refused_too() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("enrolled").await;
    // In place of another process that is changing the tables.
    let database = Connection::open(server.database()).unwrap();
    let rename = |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        database.execute_batch(&sql).unwrap();
    };
    rename("device", "away");
    for (method, path) in [(Method::GET, INFO), (Method::POST, ROLL)] {
        is_refused(&send(server.as_device(&key, method, path)).await);
    }
    rename("away", "device");
    let rolled: Value = send(server.as_device(&key, Method::POST, ROLL))
        .await
        .json();
    assert_ne!(rolled["api_token"], key);
}
