//! What the agent does with a device: enrolling, calling, keeping its secrets, on any network and disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adopt;
mod adopted_media_key;
mod certificates;
mod check;
mod check_daemon;
#[path = "../common/mod.rs"]
mod common;
mod connection;
mod copied;
mod daemon;
mod diagnostics;
mod door;
mod enrolment;
mod facts;
mod failing_disk;
mod foreign_server;
mod given_trust;
mod kept_media_keys;
mod key_checks;
mod key_homes;
mod key_moves;
mod media_keys;
mod memory;
mod metrics_file;
mod odd_names;
mod operations;
mod other_hardware;
mod power_loss;
mod reconnected;
mod request;
mod secrets;
mod settings;
mod strange_servers;
mod time;
mod trust;
mod vault;
mod vault_versions;
mod waiting;
