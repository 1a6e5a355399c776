//! The fleet page in a real browser, with scripts, styles and all that it forbids.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says what it skips"
)]

mod accessibility;
mod away;
mod axe;
mod board;
mod chrome_command;
#[path = "../common/mod.rs"]
mod common;
mod connect;
mod device;
mod driver;
mod hostile_names;
mod hostile_sites;
mod language;
mod pages;
mod pictures;
mod sign_in;
mod window;
