//! Two servers of one database in PostgreSQL are as one.

use std::path::Path;

use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::common::installation::ServerProcess;
use crate::common::postgres::Postgres;
use crate::common::scanner::Scanner;
use crate::common::server::{Answer, ORGANIZER, client, initialization, send};

/// Two servers, and a token for all devices.
struct Two {
    servers: [ServerProcess; 2],
    token: String,
    client: Client,
    _desk: Scanner,
}

/// Requests made at once, half of them to each server.
const AT_ONCE: usize = 500;

impl Two {
    fn start() -> Option<Self> {
        let address = Postgres::shared()?.database();
        let desk = Scanner::new();
        let secret = desk.scratch().join("secret");
        let secret_file = ["--secret-file", secret.to_str().unwrap()];
        let begin = ["admin", "--json", "--database", &address];
        let admin = |arguments: &[&str]| -> Value {
            let ended = desk.run(&[&begin[..], &secret_file, arguments].concat());
            serde_json::from_str(&ended.succeeds().stdout).unwrap()
        };
        admin(&["organizer", "create", ORGANIZER, "--name", "Big Events"]);
        admin(&["team", "create", ORGANIZER, "t", "--permission", "all"]);
        let token = admin(&["token", "create", ORGANIZER, "t"]);
        let serve = || ServerProcess::start_with(Path::new(&address), &secret_file);
        Some(Self {
            servers: [serve(), serve()],
            token: token["token"].as_str().unwrap().to_owned(),
            client: client(),
            _desk: desk,
        })
    }

    fn post(&self, server: usize, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}{path}", self.servers[server % 2].url);
        self.client.post(url).json(body)
    }

    fn create(&self, server: usize, name: &str) -> RequestBuilder {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
        let body = json!({"name": name, "all_events": true, "limit_events": []});
        let request = self.post(server, &path, &body);
        request.header("Authorization", format!("Token {}", self.token))
    }

    async fn at_once(&self, request: impl Fn(usize) -> RequestBuilder) -> Vec<Answer> {
        let mut asking = JoinSet::new();
        for number in 0..AT_ONCE {
            asking.spawn(send(request(number)));
        }
        asking.join_all().await
    }

    async fn info(&self, server: usize, key: &str) -> u16 {
        let url = format!("{}/api/v1/device/info", self.servers[server].url);
        let request = self.client.get(url);
        send(request.header("Authorization", format!("Device {key}")))
            .await
            .status
    }
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_who_redeem_a_token_at_once_at_two_servers_exactly_one_succeeds() {
    let Some(two) = Two::start() else {
        return;
    };
    let device = send(two.create(0, "Door")).await.json();
    let report = initialization(&device);
    let answers = two
        .at_once(|number| two.post(number, "/api/v1/device/initialize", &report))
        .await;
    assert_eq!(
        (count(&answers, 200), count(&answers, 400)),
        (1, AT_ONCE - 1)
    );
    let redeemed = answers
        .iter()
        .find(|answer| answer.status == 200)
        .unwrap()
        .json();
    for server in [0, 1] {
        assert_eq!(
            two.info(server, redeemed["api_token"].as_str().unwrap())
                .await,
            200
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_500_creations_under_one_idempotency_key_at_two_servers_one_is_done() {
    let Some(two) = Two::start() else {
        return;
    };
    let create = |number| {
        two.create(number, "Door")
            .header(IDEMPOTENCY_HEADER, "once")
    };
    let answers = two.at_once(create).await;
    let made: Vec<Value> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(Answer::json)
        .collect();
    assert!(!made.is_empty());
    assert_eq!(made.len() + count(&answers, 409), AT_ONCE);
    assert!(made.iter().all(|device| *device == made[0]));
    assert_eq!(send(create(1)).await.json(), made[0]);
    assert_eq!(send(two.create(0, "Next")).await.json()["device_id"], 2);
}

/// What one of the two has done is no change by somebody else to the other.
#[tokio::test(flavor = "multi_thread")]
async fn of_500_changes_of_one_version_under_one_key_at_two_servers_none_is_told_of_another() {
    let Some(two) = Two::start() else {
        return;
    };
    let device = send(two.create(0, "Door")).await.json();
    let path = format!(
        "/api/v1/organizers/{ORGANIZER}/devices/{}/",
        device["device_id"]
    );
    let request = |server: usize, method: Method| {
        let url = format!("{}{path}", two.servers[server % 2].url);
        let request = two.client.request(method, url);
        request.header("Authorization", format!("Token {}", two.token))
    };
    let version = send(request(0, Method::GET))
        .await
        .header("etag")
        .to_owned();
    let change = |number| {
        request(number, Method::PATCH)
            .json(&json!({"name": "North door"}))
            .header(IDEMPOTENCY_HEADER, "once")
            .header("If-Match", &version)
    };
    let answers = two.at_once(change).await;
    let done = count(&answers, 200);
    assert!(done > 0);
    assert_eq!(done + count(&answers, 409), AT_ONCE);
    for server in [0, 1] {
        assert_eq!(send(change(server)).await.json()["name"], "North door");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_created_at_two_servers_at_once_are_numbered_without_gap_or_double() {
    let Some(two) = Two::start() else {
        return;
    };
    let answers = two.at_once(|number| two.create(number, "Door")).await;
    let numbers = answers
        .iter()
        .map(|answer| answer.json()["device_id"].as_u64().unwrap());
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=AT_ONCE as u64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_has_revoked_or_rolled_the_other_refuses_at_once() {
    let Some(two) = Two::start() else {
        return;
    };
    for number in 0..10 {
        let device = send(two.create(number, "Door")).await.json();
        let identity = two.post(
            number,
            "/api/v1/device/initialize",
            &initialization(&device),
        );
        let identity = send(identity).await.json();
        let old = identity["api_token"].as_str().unwrap();
        let (one, other) = (number % 2, (number + 1) % 2);
        assert_eq!(two.info(other, old).await, 200);
        let as_device = |path: &str, key: &str| {
            two.post(one, path, &json!({}))
                .header("Authorization", format!("Device {key}"))
        };
        let rolled = send(as_device("/api/v1/device/roll", old)).await.json();
        let new = rolled["api_token"].as_str().unwrap();
        assert_eq!(
            (two.info(other, old).await, two.info(other, new).await),
            (401, 200)
        );
        let revoked = send(as_device("/api/v1/device/revoke", new)).await;
        assert_eq!(revoked.status, 200, "{}", revoked.text);
        assert_eq!(two.info(other, new).await, 401);
    }
}
