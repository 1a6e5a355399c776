//! A server that is killed under load has lost nothing that it acknowledged.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatehand::server::model::Permissions;
use gatehand::server::store;
use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::Client;
use serde_json::{Value, json};

use crate::common::installation::ServerProcess;
use crate::common::postgres::Postgres;
use crate::common::server::{ORGANIZER, initialization};

const WORKERS: usize = 8;
/// Acknowledged creations after which the server is killed.
const ENOUGH: usize = 100;

/// What one caller knows when the server is gone.
#[derive(Default)]
struct Seen {
    /// Created devices with the API key that each had last, as far as that was acknowledged.
    acknowledged: Vec<(Value, Option<String>)>,
    /// The last request, whose answer was lost: its path, headers and body.
    lost: Option<Lost>,
}

#[derive(Clone)]
struct Lost {
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Value,
}

/// Creates, initializes and rolls devices until the server is gone.
async fn work(url: String, token: String, worker: usize, created: Arc<AtomicUsize>) -> Seen {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut seen = Seen::default();
    for number in 0.. {
        let steps = [
            format!("{worker}-{number}-a"),
            format!("{worker}-{number}-b"),
            format!("{worker}-{number}-c"),
        ];
        let [create, initialize, roll] = steps;
        let creation = Lost {
            path: format!("/api/v1/organizers/{ORGANIZER}/devices/"),
            headers: vec![
                (IDEMPOTENCY_HEADER, create.clone()),
                ("Authorization", format!("Token {token}")),
            ],
            body: json!({"name": create, "all_events": true, "limit_events": []}),
        };
        let Some(device) = request(&client, &url, &creation, 201, &mut seen).await else {
            return seen;
        };
        seen.acknowledged.push((device.clone(), None));
        created.fetch_add(1, Ordering::Relaxed);
        let mut key = None;
        for (path, name) in [("initialize", initialize), ("roll", roll)] {
            let mut headers = vec![(IDEMPOTENCY_HEADER, name)];
            headers.extend(key.map(|key| ("Authorization", format!("Device {key}"))));
            let step = Lost {
                path: format!("/api/v1/device/{path}"),
                headers,
                body: initialization(&device),
            };
            let Some(identity) = request(&client, &url, &step, 200, &mut seen).await else {
                return seen;
            };
            let new = identity["api_token"].as_str().unwrap().to_owned();
            seen.acknowledged.last_mut().unwrap().1 = Some(new.clone());
            key = Some(new);
        }
    }
    seen
}

/// The answer; `None` if the server is gone.
async fn request(
    client: &Client,
    url: &str,
    step: &Lost,
    status: u16,
    seen: &mut Seen,
) -> Option<Value> {
    let mut request = client.post(format!("{url}{}", step.path)).json(&step.body);
    for (name, value) in &step.headers {
        request = request.header(*name, value);
    }
    seen.lost = Some(step.clone());
    let answer = request.send().await.ok()?;
    let got = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    assert_eq!(got, status, "{text}");
    seen.lost = None;
    Some(serde_json::from_str(&text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_kill_and_what_was_not_can_be_retried() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("killed.db").into_os_string();
    let postgres = Postgres::shared().map(|postgres| postgres.database().into());
    for database in [Some(file), postgres].into_iter().flatten() {
        is_there_after_a_kill(folder.path(), database).await;
    }
}

async fn is_there_after_a_kill(folder: &Path, database: OsString) {
    let secret = folder.join("secret");
    let start = || {
        let secret = ["--secret-file", secret.to_str().unwrap()];
        ServerProcess::start_with(Path::new(&database), &secret)
    };
    let token = {
        let database = database.clone().try_into().unwrap();
        let store = store::open(&database, Some(&secret)).unwrap().store;
        let organizer = store
            .create_organizer(&ORGANIZER.parse().unwrap(), "O")
            .await
            .unwrap()
            .id;
        store
            .create_team(organizer, "t", Permissions::All)
            .await
            .unwrap();
        let token = store
            .create_team_token(organizer, "t", "t")
            .await
            .unwrap()
            .token;
        token.expose().to_owned()
    };

    let process = start();
    let created = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (url, token) = (process.url.clone(), token.clone());
            tokio::spawn(work(url, token, worker, Arc::clone(&created)))
        })
        .collect();
    while created.load(Ordering::Relaxed) < ENOUGH {
        assert!(workers.iter().all(|worker| !worker.is_finished()));
        tokio::task::yield_now().await;
    }
    drop(process);
    let mut seen = Vec::new();
    for worker in workers {
        seen.push(worker.await.unwrap());
    }

    let process = start();
    let client = Client::builder().no_proxy().build().unwrap();
    for caller in &mut seen {
        let Some(lost) = caller.lost.take() else {
            continue;
        };
        let status = if lost.path.ends_with("devices/") {
            201
        } else {
            200
        };
        let answer = request(&client, &process.url, &lost, status, caller)
            .await
            .unwrap();
        match (answer.get("api_token"), status) {
            (Some(key), 200) => {
                let key = key.as_str().unwrap().to_owned();
                caller.acknowledged.last_mut().unwrap().1 = Some(key);
            }
            _ => caller.acknowledged.push((answer, None)),
        }
    }
    let acknowledged: Vec<_> = seen
        .into_iter()
        .flat_map(|seen| seen.acknowledged)
        .collect();
    assert!(acknowledged.len() >= ENOUGH);

    let stored = stored_devices(&client, &process.url, &token).await;
    assert_eq!(stored.len(), acknowledged.len(), "each was made once");
    for (device, key) in acknowledged {
        let number = device["device_id"].as_u64().unwrap();
        let stored = &stored[&number];
        for field in ["name", "unique_serial", "initialization_token"] {
            assert_eq!(stored[field], device[field]);
        }
        let Some(key) = key else { continue };
        let info = client.get(format!("{}/api/v1/device/info", process.url));
        let info = info
            .header("Authorization", format!("Device {key}"))
            .send()
            .await
            .unwrap();
        assert_eq!(
            info.status().as_u16(),
            200,
            "the last key of device {number} works"
        );
    }
}

/// All devices by their number.
async fn stored_devices(client: &Client, url: &str, token: &str) -> HashMap<u64, Value> {
    let mut stored = HashMap::new();
    let mut next = Some(format!("{url}/api/v1/organizers/{ORGANIZER}/devices/"));
    while let Some(page) = next {
        let request = client
            .get(page)
            .header("Authorization", format!("Token {token}"));
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        for device in page["results"].as_array().unwrap() {
            stored.insert(device["device_id"].as_u64().unwrap(), device.clone());
        }
        next = page["next"].as_str().map(str::to_owned);
    }
    let numbers = 1..=stored.len() as u64;
    assert!(
        numbers
            .into_iter()
            .all(|number| stored.contains_key(&number)),
        "no gap"
    );
    stored
}

#[test]
fn what_a_server_left_that_was_killed_while_it_made_its_files_is_removed_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("server.db");
    let left = ["server.db", "server.db.secret"].map(|name| {
        let path = folder.path().join(format!(".{name}.0123456789abcdef.new"));
        std::fs::write(&path, "part of it").unwrap();
        path
    });
    let _server = ServerProcess::start(&database);
    for path in left {
        assert!(!path.exists(), "{}", path.display());
    }
}
