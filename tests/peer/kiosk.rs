//! A kiosk's day: enrolled where nobody watches, its programs served by the door, revoked in the evening.

use std::fs;

use rustix::process::Signal;

use crate::common::daemon::Daemon;
use crate::common::scanner::Scanner;
use crate::pretix::{ORGANIZER, pretix};

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_kiosks_day_at_a_pretix() {
    let (device, scanner) = (pretix().create_device("Kiosk 1"), Scanner::new());
    let url = &pretix().url;
    let allowed = ["--allowed-server", url, "--allowed-organizer", ORGANIZER];
    let often = ["--heartbeat", "1h", "--event-selection", "1h"];
    let daemon = Daemon::start(&scanner, &[&allowed[..], &often].concat());
    daemon.until_it_is("not-enrolled");
    let code = format!(
        r#"{{"handshake_version": 1, "url": "{url}", "token": "{}"}}"#,
        device.token
    );
    let (draft, file) = (
        scanner.scratch().join("draft"),
        scanner.home().join("enrolment.json"),
    );
    fs::write(&draft, code).unwrap();
    fs::rename(&draft, &file).unwrap();
    daemon.until_it_is("enrolled");
    daemon.until("the code is gone", || !file.exists());
    daemon.until("what to scan for is known", || {
        !daemon.get("/v1/event-selection").is_null()
    });

    // What a kiosk's program asks for.
    let info = daemon.get("/api/v1/device/info");
    assert_eq!(info["device"]["name"], "Kiosk 1");
    assert!(info["device"].get("api_token").is_none());
    let events = daemon.get(&format!("/api/v1/organizers/{ORGANIZER}/events/"));
    assert!(events["count"].as_u64().unwrap() > 0, "{events}");
    let selected = daemon.get("/v1/event-selection");
    let event = selected["selected"]["event"]["slug"].as_str().unwrap();
    let lists = daemon.get(&format!(
        "/api/v1/organizers/{ORGANIZER}/events/{event}/checkinlists/"
    ));
    assert!(lists["count"].as_u64().unwrap() > 0, "{lists}");
    let redeem = format!("POST /api/v1/organizers/{ORGANIZER}/checkinrpc/redeem/");
    let ticket = r#"{"secret": "no-such-ticket", "lists": [LIST], "source_type": "barcode"}"#
        .replace("LIST", &lists["results"][0]["id"].to_string());
    let json = "content-type: application/json\r\n";
    let (status, answer) = daemon.ask(&redeem, json, &ticket);
    assert!(
        status == 404 && answer.contains("invalid"),
        "{status} {answer}"
    );

    // Somebody gives it another name, and another key comes beside it.
    let mut told = daemon.events(None);
    told.next();
    pretix().rename(device.number, "Kiosk North");
    daemon.signal(Signal::HUP);
    loop {
        let event = told.next();
        if event.what == "name" {
            assert_eq!(event.data, "Kiosk North");
            break;
        }
    }
    scanner.run(&["roll"]).succeeds();
    assert_eq!(
        daemon.get("/api/v1/device/info")["device"]["name"],
        "Kiosk North"
    );

    pretix().revoke(device.number);
    let (status, answer) = daemon.ask("GET /api/v1/device/info", "", "");
    assert_eq!(status, 503, "{answer}");
    daemon.until_it_is("revoked");
}
