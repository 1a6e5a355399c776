//! Headers that are read: one a line, in this order.
#![no_main]

use std::sync::LazyLock;

use gatehand_fuzz::Fixture;
use libfuzzer_sys::fuzz_target;

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

const NAMES: [&str; 6] = [
    "authorization",
    "accept",
    "content-type",
    "x-idempotency-key",
    "x-request-id",
    "host",
];

fuzz_target!(|input: &[u8]| {
    let values = input.split(|&byte| byte == b'\n');
    let headers: Vec<(&str, &[u8])> = NAMES.into_iter().zip(values).collect();
    FIXTURE.answer("POST", "/api/v1/organizers/o/devices/", &headers, b"{}");
    FIXTURE.answer("GET", "/api/v1/device/info", &headers, b"");
    // A host that is not ours is refused before the rest is read.
    let headers = headers.get(..5).unwrap_or(&headers);
    FIXTURE.answer("POST", "/api/v1/organizers/o/devices/", headers, b"{}");
});
