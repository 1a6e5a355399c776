//! A device's life at a real pretix, see README.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod adopt;
mod browser;
#[path = "../common/mod.rs"]
mod common;
mod enrolment;
mod event_selection;
mod fleet;
mod kiosk;
mod media_keys;
mod names;
mod operations;
mod pretix;
mod request;
mod revocation;

use common::faulty_way::FaultyWay;
use common::life::{Place, live};
use common::scanner::Scanner;
use common::way::header;
use pretix::pretix;
use serde_json::Value;

/// Long enough for one try and a repetition.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];

/// A device at pretix, and the way it takes there.
struct Enrolled {
    scanner: Scanner,
    way: FaultyWay,
    number: u64,
}

impl Enrolled {
    fn new(name: &str) -> Self {
        let (scanner, way) = (Scanner::new(), pretix().way());
        let created = pretix().create_device(name);
        scanner.init(&way.url, &created.token, &[]).succeeds();
        way.forget();
        Self {
            scanner,
            way,
            number: created.number,
        }
    }
}

/// Lets nothing happen on a way any more, once pretix is done with what was sent there.
fn recover(way: &FaultyWay) {
    way.settle();
    way.heal();
}

/// How a device stands, and what it has begun.
fn standing(scanner: &Scanner) -> (Value, Value) {
    let status = scanner.status();
    (status["state"].clone(), status["pending"].clone())
}

/// The idempotency keys of what was sent to a path, in their order.
fn idempotency_keys(way: &FaultyWay, path: &str) -> Vec<String> {
    let sent = way.record().into_iter().map(|exchange| exchange.request);
    let sent = sent.filter(|request| request.starts_with(&format!("POST {path} ")));
    sent.map(|request| header(&request, "x-idempotency-key").to_owned())
        .collect()
}

/// Asserts that one thing was sent at least twice under one idempotency key.
#[track_caller]
fn was_repeated(way: &FaultyWay, path: &str) {
    let mut keys = idempotency_keys(way, path);
    assert!(keys.len() > 1, "{path} was sent once");
    keys.dedup();
    assert!(keys.len() == 1 && !keys[0].is_empty(), "{keys:?}");
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_lives_its_life_at_pretix() {
    let created = pretix().create_device("Life");
    let serial = live(&Place {
        url: format!("{}/", pretix().url),
        token: created.token,
        ca_file: None,
    });
    let device = pretix().device(created.number);
    assert_eq!(device["unique_serial"], serial);
    assert_eq!(device["revoked"], true);
}
