//! Query strings of a list and of a look-up.
#![no_main]

use std::sync::LazyLock;

use gatehand_fuzz::Fixture;
use libfuzzer_sys::fuzz_target;

static FIXTURE: LazyLock<Fixture> = LazyLock::new(Fixture::new);

fuzz_target!(|query: &str| {
    let headers = [("authorization", FIXTURE.authorization().as_bytes())];
    for path in ["/api/v1/organizers/o/devices/", "/api/v1/idempotency_query"] {
        FIXTURE.answer("GET", &format!("{path}?{query}"), &headers, b"");
    }
});
