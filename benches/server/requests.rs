//! What the server is asked for, as it goes over the connection.

use serde_json::json;

use super::importing::{ORGANIZER, secret};

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Info,
    Page,
    Patch,
    Initialize,
    PostgresInfo,
}

impl Request {
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Page,
        Self::Patch,
        Self::Initialize,
        Self::PostgresInfo,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Page => "page",
            Self::Patch => "patch",
            Self::Initialize => "initialize",
            Self::PostgresInfo => "postgres",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Info => "`device/info`, 10,000 keys",
            Self::Page => "a page of 50 devices",
            Self::Patch => "`PATCH` of a device",
            Self::Initialize => "`initialize`",
            Self::PostgresInfo => "`device/info`, PostgreSQL",
        }
    }

    pub fn reads(self) -> bool {
        matches!(self, Self::Info | Self::Page | Self::PostgresInfo)
    }

    /// With how many callers at once, unless it is told.
    pub fn connections(self) -> &'static [usize] {
        if self.reads() { &[16, 256] } else { &[32] }
    }
}

pub fn info(key: &str) -> String {
    format!(
        "GET /api/v1/device/info HTTP/1.1\r\nhost: localhost\r\nauthorization: Device {key}\r\n\r\n"
    )
}

pub fn page(token: &str, number: usize) -> String {
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/?page={number}");
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Token {token}\r\n\r\n")
}

pub fn patch(token: &str, device: usize) -> String {
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/{device}/");
    let body = json!({"name": format!("Lane {:08}", fastrand::u32(..100_000_000))}).to_string();
    format!(
        "PATCH {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Token {token}\r\n{}",
        with_body(&body)
    )
}

/// As a scanner's agent sends it.
pub fn initialize(token: &str) -> String {
    let body = json!({
        "token": token, "hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android",
        "os_version": "8.1.0", "software_brand": "gatehand", "software_version": "0.1.0",
    });
    format!(
        "POST /api/v1/device/initialize HTTP/1.1\r\nhost: localhost\r\nx-idempotency-key: {}\r\n{}",
        secret(),
        with_body(&body.to_string())
    )
}

fn with_body(body: &str) -> String {
    format!(
        "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
