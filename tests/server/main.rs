//! What an organizer's server does: its answers, its database, its bounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod admin_check;
mod administration;
mod alerts;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod copying;
mod device_api;
mod devices_resource;
mod failing_disk;
mod fleet_api;
mod fleet_contract;
mod hostile_network;
mod hostile_requests;
mod idempotency;
mod killed;
mod metrics;
mod plans;
mod postgres;
mod postgres_faults;
mod power_loss;
mod probes;
mod refusals;
mod restoring;
mod security;
mod serving;
mod settings;
mod sqlite_faults;
mod store_contract;
mod strange_requests;
mod tls;
mod two_servers;
mod verify;
mod versions;
mod watching;
mod web_boards;
mod web_devices;
mod web_forms;
mod web_live;
mod web_sign_in;
mod web_weight;
