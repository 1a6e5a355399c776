//! What passes a kiosk's door and the agent is sent as it was judged.
#![no_main]

use gatehand::agent::fuzzing::is_own;
use gatehand::door::fuzzing::may_pass;
use gatehand::enrolment::ServerUrl;
use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;

const BASES: [&str; 2] = ["https://tickets.example", "https://tickets.example/shop"];

fuzz_target!(|target: &str| {
    let Ok(uri) = target.parse::<hyper::Uri>() else {
        return;
    };
    if uri.scheme().is_some() || !may_pass("POST", uri.path()) {
        return;
    }
    let sent = uri.path_and_query().map_or("", |whole| whole.as_str());
    for base in BASES {
        let server: ServerUrl = base.parse().expect("a server's address");
        let url = server
            .resolve(sent.trim_start_matches('/'))
            .expect("what passes can be sent");
        // The agent keeps these for itself, in readings that a list of paths has no word of.
        if is_own(&url) {
            continue;
        }
        assert_eq!(url.path(), format!("{}{}", url_path(base), uri.path()));
        // What is not written in ASCII is encoded on the way.
        let decoded =
            |query: Option<&str>| query.map(|query| percent_decode_str(query).collect::<Vec<u8>>());
        assert_eq!(decoded(url.query()), decoded(uri.query()));
        assert!(url.as_str().starts_with(base), "{url}");
    }
});

fn url_path(base: &str) -> &str {
    base.strip_prefix("https://tickets.example")
        .unwrap_or_default()
}
