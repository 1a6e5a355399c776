//! Codes, links and addresses, and what an app asks for below an address: the first line is the one,
//! the rest the other. Whatever they are, nothing leads to another server. Codes are read as they are and
//! through keyboard layouts; what is written is read back, whatever stands around it.
#![no_main]

use gatehand::enrolment::{Enrolment, Layout, Reading, ServerUrl};
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|input: &str| {
    let (text, path) = input.split_once('\n').unwrap_or((input, ""));
    // Line breaks are a part of what is pasted or scanned twice.
    for text in [text, input] {
        if let Ok(reading) = Reading::of(text, Some(Layout::French)) {
            let plain = reading.mapping().is_none();
            assert!(!plain || reading.others().is_empty());
            for enrolment in reading.others() {
                assert_eq!(enrolment.url(), reading.enrolment().url());
            }
            is_read_back(reading.enrolment());
            leads_nowhere_else(reading.enrolment().url(), path);
        }
    }
    if let Ok(server) = text.parse::<ServerUrl>() {
        leads_nowhere_else(&server, path);
    }
});

fn is_read_back(enrolment: &Enrolment) {
    for form in [enrolment.to_payload(), enrolment.to_link()] {
        for text in [
            form.expose().to_owned(),
            format!("\u{2}{}\u{3}", form.expose()),
            format!("{0}\r\n{0}\r\n", form.expose()),
        ] {
            let again = Reading::of(&text, None).ok().unwrap();
            assert!(again.mapping().is_none());
            assert_eq!(again.enrolment().url(), enrolment.url());
            assert_eq!(again.enrolment().token().expose(), enrolment.token().expose());
        }
    }
}

fn leads_nowhere_else(server: &ServerUrl, path: &str) {
    assert_eq!(server.to_string().parse::<ServerUrl>().unwrap(), *server);
    let base = Url::parse(&format!("{server}/")).unwrap();
    is_at(&base, &server.endpoint(path));
    if let Ok(url) = server.resolve(path) {
        is_at(&base, &url);
        let rest = url.path().strip_prefix(base.path()).unwrap();
        stays_below(rest);
        // Sent and read again it is the same.
        assert_eq!(Url::parse(url.as_str()).unwrap(), url);
        assert_eq!(server.resolve(url.as_str()).unwrap(), url);
    }
}

fn is_at(base: &Url, url: &Url) {
    assert_eq!(url.origin(), base.origin());
    assert_eq!(url.scheme(), base.scheme());
    assert!(url.username().is_empty() && url.password().is_none());
}

/// However often a gateway and a server decode it.
fn stays_below(rest: &str) {
    let mut rest = rest.to_owned();
    for _ in 0..3 {
        let mut depth = 0;
        for segment in rest.split(['/', '\\']) {
            match segment {
                "" | "." => {}
                ".." => depth -= 1,
                _ => depth += 1,
            }
            assert!(depth >= 0, "{rest:?}");
        }
        let decoded = percent_encoding::percent_decode_str(&rest).decode_utf8_lossy();
        rest = decoded.into_owned();
    }
}
