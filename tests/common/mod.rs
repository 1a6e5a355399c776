//! What the tests share: scanners, servers of ours in this process and as processes, the faulty way to
//! them, strange servers, and naming what can't run here.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

pub mod authority;
pub mod callers;
pub mod credentials;
pub mod daemon;
pub mod disk;
pub mod faulty_way;
pub mod fleet;
pub mod front;
pub mod impostor;
pub mod installation;
pub mod life;
pub mod load;
pub mod operations;
pub mod postgres;
pub mod power_cut;
pub mod pty;
pub mod raw;
pub mod recording;
pub mod scanner;
pub mod server;
pub mod skip;
pub mod stranger;
pub mod visitor;
pub mod way;
