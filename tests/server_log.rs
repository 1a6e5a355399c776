//! What a server logs. A log is set up once a process, so this has one of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::{Arc, Mutex};

use common::server::{TestServer, send};
use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::Method;
use serde_json::{Value, json};

/// Where the log goes, to be read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_requests_but_no_secrets() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let path = "/api/v1/device/info?token=query-secret";
    let request = server.as_device(&key, Method::GET, path);
    let request = request.header(IDEMPOTENCY_HEADER, "header-secret");
    assert_eq!(
        send(request.header("X-Request-Id", "told")).await.status,
        200
    );
    let body = json!({"token": "body-secret"});
    let request = server.request(Method::POST, "/api/v1/device/initialize");
    assert_eq!(send(request.json(&body)).await.status, 400);

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let told = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told = told.filter(|line| line["span"]["id"] == "told" && line["level"] == "INFO");
    let told: Vec<Value> = told.collect();
    assert_eq!(told.len(), 1);
    let fields = &told[0]["fields"];
    assert_eq!(
        (&fields["path"], &fields["status"]),
        (&json!("/api/v1/device/info"), &json!(200))
    );
    for secret in [
        &key,
        &server.admin,
        "query-secret",
        "header-secret",
        "body-secret",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
}
