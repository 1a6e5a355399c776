//! What a person meets at the command: words, documents, codes, terminals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod codes;
#[path = "../common/mod.rs"]
mod common;
mod conventions;
mod demo;
mod enrolment_list;
mod fleet;
mod fleet_as_shown;
mod json_schemas;
mod login_link;
mod pages;
mod programs;
mod scanning;
mod settings;
