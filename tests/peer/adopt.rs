//! Taking over a device that another app enrolled at pretix.

use serde_json::{Value, json};

use crate::common::faulty_way::Fault;
use crate::common::scanner::{Ended, Scanner};
use crate::pretix::pretix;
use crate::{IMPATIENT, recover, standing};

/// A device of another app: its number, and what that app kept.
fn of_another_app(name: &str, url: &str) -> (u64, Value) {
    let created = pretix().create_device(name);
    let device = pretix().enrol_with_another_app(&created.token, None);
    let kept = json!({
        "url": url, "api_token": device["api_token"], "unique_serial": device["unique_serial"],
    });
    (created.number, kept)
}

fn adopt(scanner: &Scanner, kept: &Value, more: &[&str]) -> Ended {
    let adopt = [&["adopt", "-"], more].concat();
    scanner.run_with_input(&adopt, kept.to_string().as_bytes())
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_of_another_app_is_taken_over_whatever_happens_to_the_answers() {
    for (path, fault) in [
        ("/device/info", Fault::Pass),
        ("/device/info", Fault::LoseAnswer),
        ("/device/update", Fault::LoseAnswer),
        ("/device/update", Fault::CutAnswer),
    ] {
        let (scanner, way) = (Scanner::new(), pretix().way());
        let (number, kept) = of_another_app("Lane\u{a0}A", &way.url);
        assert_eq!(pretix().device(number)["software_brand"], "pretixSCAN");
        way.once(path, fault.clone());
        adopt(&scanner, &kept, &[]).succeeds();
        let (device, status) = (pretix().device(number), scanner.status());
        assert_eq!(
            standing(&scanner),
            ("enrolled".into(), Value::Null),
            "{path} {fault:?}"
        );
        assert_eq!(status["unique_serial"], kept["unique_serial"]);
        assert_eq!(status["name"], "Lane\u{a0}A");
        assert_eq!(device["software_brand"], "gatehand");
        assert_eq!(
            device["hardware_model"],
            status["reported"]["hardware_model"]
        );
        scanner.run(&["roll"]).succeeds();
        scanner.run(&["info"]).succeeds();
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn nothing_is_taken_over_that_pretix_does_not_confirm() {
    let way = pretix().way();
    let (_, other) = of_another_app("Another", &way.url);
    let (number, kept) = of_another_app("Lane 1", &way.url);
    let with = |field: &str, value: &Value| {
        let mut kept = kept.clone();
        kept[field] = value.clone();
        kept
    };
    let refused = |kept: &Value, more: &[&str], code: i32, words: &str| {
        let scanner = Scanner::new();
        adopt(&scanner, kept, more).complains(code, words);
        assert_eq!(standing(&scanner).0, "not-enrolled");
    };
    let unknown = with("api_token", &"k".repeat(64).into());
    refused(&unknown, &[], 17, "nothing was adopted");
    let mixed = with("unique_serial", &other["unique_serial"]);
    refused(&mixed, &[], 7, "another device");
    way.always(Fault::LoseAnswer);
    refused(&kept, &IMPATIENT, 8, "");
    recover(&way);
    pretix().revoke(number);
    refused(&kept, &[], 17, "Device access has been revoked.");
    assert_eq!(pretix().device(number)["software_brand"], "pretixSCAN");
}
