//! Callers who create, enrol and roll devices without a pause, and know what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gatehand::server::model::Permissions;
use gatehand::server::store::Administration;
use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::Client;
use serde_json::{Value, json};

use super::installation::ServerProcess;
use super::server::{ORGANIZER, client, initialization};

const CALLERS: usize = 8;

/// What callers do and see.
#[derive(Default)]
pub struct Load {
    is_over: AtomicBool,
    done: AtomicUsize,
    unavailable: AtomicUsize,
    cut: AtomicUsize,
}

/// A device as its caller knows it last.
pub struct Known {
    number: u64,
    key: String,
}

/// Creates, initializes and rolls devices, each step until it is acknowledged, with one idempotency key a step.
async fn call(urls: Arc<Vec<String>>, token: String, caller: usize, load: Arc<Load>) -> Vec<Known> {
    let client = client();
    let mut known = Vec::new();
    for number in 0.. {
        if load.is_over.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("{caller}-{number}");
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
        let body = json!({"name": name, "all_events": true, "limit_events": []});
        let token = format!("Token {token}");
        let at = (urls.as_slice(), caller);
        let device = done(
            &client,
            at,
            &load,
            &path,
            &format!("{name}-a"),
            Some(&token),
            &body,
        )
        .await;
        let report = initialization(&device);
        let path = "/api/v1/device/initialize";
        let identity = done(
            &client,
            at,
            &load,
            path,
            &format!("{name}-b"),
            None,
            &report,
        )
        .await;
        let key = identity["api_token"].as_str().unwrap();
        let key = format!("Device {key}");
        let path = "/api/v1/device/roll";
        let identity = done(
            &client,
            at,
            &load,
            path,
            &format!("{name}-c"),
            Some(&key),
            &report,
        )
        .await;
        known.push(Known {
            number: identity["device_id"].as_u64().unwrap(),
            key: identity["api_token"].as_str().unwrap().to_owned(),
        });
    }
    known
}

/// The answer to a request that is made until it is acknowledged.
async fn done(
    client: &Client,
    (urls, caller): (&[String], usize),
    load: &Load,
    path: &str,
    idempotency_key: &str,
    authorization: Option<&str>,
    body: &Value,
) -> Value {
    let begun = Instant::now();
    for attempt in 0.. {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(90), "{path} is not done");
        let url = &urls[(caller + attempt) % urls.len()];
        let mut request = client.post(format!("{url}{path}")).json(body);
        request = request.header(IDEMPOTENCY_HEADER, idempotency_key);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        if let Ok(answer) = request.send().await {
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let text = answer.text().await.unwrap_or_default();
            match status {
                200 | 201 => {
                    load.done.fetch_add(1, Ordering::Relaxed);
                    return serde_json::from_str(&text).unwrap();
                }
                // The try before is still being done.
                409 => {}
                503 => {
                    assert!(headers.contains_key("retry-after"), "{headers:?}");
                    load.unavailable.fetch_add(1, Ordering::Relaxed);
                }
                _ => panic!("{path}: {status} {text}"),
            }
        } else {
            load.cut.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    unreachable!()
}

impl Load {
    /// How many requests were acknowledged, refused with 503, and not answered.
    pub fn seen(&self) -> [usize; 3] {
        [&self.done, &self.unavailable, &self.cut].map(|count| count.load(Ordering::Relaxed))
    }

    /// Waits until as many more steps are acknowledged; how long that took.
    async fn goes_on(&self, steps: usize) -> Duration {
        let (begun, before) = (Instant::now(), self.seen()[0]);
        while self.seen()[0] < before + steps {
            assert!(
                begun.elapsed() < Duration::from_secs(90),
                "{:?}",
                self.seen()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        begun.elapsed()
    }
}

/// Callers at work.
pub struct Running {
    pub load: Arc<Load>,
    callers: Vec<tokio::task::JoinHandle<Vec<Known>>>,
}

impl Running {
    /// Begins to ask these servers, whose database has this organizer.
    pub async fn begin(
        store: &dyn Administration,
        organizer: i64,
        servers: &[&ServerProcess],
    ) -> Self {
        let token = Self::token(store, organizer).await;
        Self::begin_with(&token, servers)
    }

    /// A token by which the callers may create devices.
    pub async fn token(store: &dyn Administration, organizer: i64) -> String {
        let team = store.create_team(organizer, "t", Permissions::All).await;
        team.unwrap();
        let token = store.create_team_token(organizer, "t", "t").await.unwrap();
        token.token.expose().to_owned()
    }

    /// The same with a token.
    pub fn begin_with(token: &str, servers: &[&ServerProcess]) -> Self {
        let urls: Vec<String> = servers.iter().map(|server| server.url.clone()).collect();
        let (urls, load) = (Arc::new(urls), Arc::new(Load::default()));
        let call = |caller| {
            let token = token.to_owned();
            tokio::spawn(call(Arc::clone(&urls), token, caller, Arc::clone(&load)))
        };
        let callers = (0..CALLERS).map(call).collect();
        Self { load, callers }
    }

    /// Waits until more is acknowledged, and tells how long that took.
    pub async fn goes_on(&self, after: &str) {
        let took = self.load.goes_on(50).await;
        let [done, unavailable, cut] = self.load.seen();
        eprintln!("{after}: {took:?}; {done} done, {unavailable} times 503, {cut} times cut");
    }

    /// Has the callers end what they are at.
    pub fn stop(&self) {
        self.load.is_over.store(true, Ordering::Relaxed);
    }

    /// What they know in the end.
    pub async fn known(self) -> Vec<Known> {
        let mut known = Vec::new();
        for caller in self.callers {
            known.extend(caller.await.unwrap());
        }
        known
    }

    /// Ends, and holds what the database and a server say to what was acknowledged.
    pub async fn proves(self, sql: impl Fn(&str) -> String, server: &ServerProcess) {
        self.stop();
        Self::prove(&self.known().await, sql, server).await;
    }

    /// Holds what a database and a server say to what was acknowledged.
    pub async fn prove(known: &[Known], sql: impl Fn(&str) -> String, server: &ServerProcess) {
        let mut known: Vec<&Known> = known.iter().collect();
        known.sort_by_key(|device| device.number);
        let numbers: Vec<u64> = known.iter().map(|device| device.number).collect();
        let each = known.len();
        let all: Vec<u64> = (1..=each as u64).collect();
        assert_eq!(numbers, all, "each is made once, and none is lost");
        assert_eq!(sql("SELECT device_count FROM organizer"), each.to_string());
        let client = client();
        for device in known {
            let info = client.get(format!("{}/api/v1/device/info", server.url));
            let info = info.header("Authorization", format!("Device {}", device.key));
            let info: Value = info.send().await.unwrap().json().await.unwrap();
            assert_eq!(info["device"]["device_id"], device.number);
        }
        let logged = "SELECT action, count(*), count(DISTINCT device) FROM log_entry GROUP BY action ORDER BY action";
        assert_eq!(
            sql(logged),
            format!("created|{each}|{each}\ninitialized|{each}|{each}\nkey rolled|{each}|{each}")
        );
    }
}
