//! Bodies of any type: the first byte picks the type and the endpoint.
#![no_main]

use std::sync::LazyLock;

use gatehand_fuzz::Fixture;
use libfuzzer_sys::fuzz_target;

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

const TYPES: [&[u8]; 4] = [
    b"application/json",
    b"application/json; charset=utf-16le",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=X",
];

const ENDPOINTS: [(&str, &str); 2] = [
    ("POST", "/api/v1/organizers/o/devices/"),
    ("POST", "/api/v1/device/initialize"),
];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, body)) = input.split_first() else {
        return;
    };
    let content_type = TYPES[usize::from(choice) % TYPES.len()];
    let (method, path) = ENDPOINTS[usize::from(choice >> 4) % ENDPOINTS.len()];
    let headers = [
        ("authorization", FIXTURE.authorization().as_bytes()),
        ("content-type", content_type),
    ];
    FIXTURE.answer(method, path, &headers, body);
});
