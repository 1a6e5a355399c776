//! Every way in, and what may happen on it.

use std::fs;
use std::net::TcpListener;
use std::process::Child;

use gatehand::enrolment::draw::QrCode;
use gatehand::enrolment::{Enrolment, Reading};
use serde_json::Value;

use crate::browser::between;
use crate::common::faulty_way::Fault;
use crate::common::pty::Pty;
use crate::common::scanner::{Ended, Scanner};
use crate::common::skip;
use crate::pretix::{Created, pretix};
use crate::{IMPATIENT, recover, standing, was_repeated};

const INITIALIZE: &str = "/api/v1/device/initialize";

/// What pretix shows to whoever is to connect a device.
struct Shown {
    /// What the QR code holds.
    payload: String,
    url: String,
    token: String,
}

impl Shown {
    fn of(device: &Created) -> Self {
        let page = pretix().page(device.number, "connect");
        let page = pretix().browser().read(&page);
        let payload = between(&page, "data-replace-with-qr>", "</script>");
        Self {
            payload: serde_json::from_str(payload).unwrap(),
            url: between(&page, r#"<code id="system_url">"#, "<").to_owned(),
            token: between(&page, r#"<code id="init_token">"#, "<").to_owned(),
        }
    }

    fn enrolment(&self) -> Enrolment {
        let reading = Reading::of(&self.payload, None).unwrap();
        reading.into_enrolment()
    }

    fn picture(&self) -> Vec<u8> {
        QrCode::new(&self.enrolment()).unwrap().png(4).unwrap()
    }
}

type WayIn = fn(&Scanner, &Shown) -> Ended;

const WAYS_IN: [(&str, WayIn); 10] = [
    ("the code's text", |scanner, shown| {
        scanner.run(&["init", "--payload", &shown.payload])
    }),
    ("the code's text, typed by a scanner", |scanner, shown| {
        let typed = format!("{}\r\n", shown.payload);
        scanner.run_with_input(&["init", "--payload", "-"], typed.as_bytes())
    }),
    ("a link", |scanner, shown| {
        let link = shown.enrolment().to_link();
        scanner.run(&["init", "--payload", link.expose()])
    }),
    ("a picture of the code", |scanner, shown| {
        let file = scanner.scratch().join("code.png");
        fs::write(&file, shown.picture()).unwrap();
        scanner.run(&["init", "--qr-image", file.to_str().unwrap()])
    }),
    ("a picture on standard input", |scanner, shown| {
        scanner.run_with_input(&["init", "--qr-image", "-"], &shown.picture())
    }),
    ("address and token", |scanner, shown| {
        scanner.init(&shown.url, &shown.token, &[])
    }),
    ("an address with a slash", |scanner, shown| {
        scanner.init(&format!("{}/", shown.url), &shown.token, &[])
    }),
    ("the code's text at a terminal", |scanner, shown| {
        scanner.run_typing("init", &format!("{}\n", shown.payload))
    }),
    ("address and token at a terminal", |scanner, shown| {
        let pty = Pty::new();
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        pty.types_slowly(&format!("{}\r", shown.url));
        pty.wait_for("Initialization token for");
        pty.types_slowly(&format!("{}\r", shown.token));
        typed(&pty, &mut child)
    }),
    ("address and token pasted together", |scanner, shown| {
        let pty = Pty::new();
        let mut child = pty.start_for_a_person(&scanner.command(&["init"]));
        pty.wait_until_quiet();
        pty.types(&format!("{}\r{}\r", shown.url, shown.token));
        pty.wait_for("Answer yes or no");
        pty.types_slowly("yes\r");
        typed(&pty, &mut child)
    }),
];

fn typed(pty: &Pty, child: &mut Child) -> Ended {
    Ended {
        code: child.wait().unwrap().code().unwrap_or(-1),
        stdout: pty.shown(),
        stderr: String::new(),
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn every_way_in_leads_from_what_pretix_shows_to_a_key_that_works() {
    for (what, way_in) in WAYS_IN {
        if what.contains("terminal") && !skip::can_run("script", &["--version"]) {
            continue;
        }
        let device = pretix().create_device(what);
        let (scanner, shown) = (Scanner::new(), Shown::of(&device));
        assert_eq!(shown.token, device.token);
        let ended = way_in(&scanner, &shown);
        assert_eq!(ended.code, 0, "{what}: {ended:?}");
        let told = scanner.told(&["info"]);
        assert_eq!(
            (&told["name"], &told["state"]),
            (&what.into(), &"enrolled".into())
        );

        let device = pretix().device(device.number);
        assert!(device["initialized"].is_string(), "{what}");
        assert_eq!(device["unique_serial"], told["unique_serial"]);
        assert_eq!(device["software_brand"], "gatehand");
        for field in ["hardware_brand", "hardware_model", "os_name", "os_version"] {
            assert_eq!(device[field], told["reported"][field], "{what}: {field}");
        }
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn whatever_happens_to_the_answer_the_same_command_gets_it_in_the_end() {
    for (what, fault, times) in [
        ("lost answer", Fault::LoseAnswer, 2),
        ("half an answer", Fault::CutAnswer, 2),
        ("lost request", Fault::LoseRequest, 2),
        ("arrives twice", Fault::Repeat, 1),
    ] {
        let (scanner, way) = (Scanner::new(), pretix().way());
        let device = pretix().create_device(what);
        way.once(INITIALIZE, fault);
        scanner.init(&way.url, &device.token, &[]).succeeds();
        way.settle();
        assert_eq!(way.record().len(), times, "{what}");
        if times > 1 {
            was_repeated(&way, INITIALIZE);
        }
        assert_eq!(way.secrets().api_keys.len(), 1, "{what}: one key was given");
        assert_eq!(scanner.told(&["info"])["name"], what);
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn an_enrolment_whose_answers_are_lost_is_finished_by_init_or_the_next_call() {
    for command in [
        &["init"][..],
        &["info"],
        &["event-selection"],
        &["request", "GET", "/api/v1/version"],
    ] {
        let (scanner, way) = (Scanner::new(), pretix().way());
        let device = pretix().create_device("Lost");
        way.always(Fault::LoseAnswer);
        for _ in 0..2 {
            scanner
                .init(&way.url, &device.token, &IMPATIENT)
                .complains(8, "goes on where it stopped");
            assert_eq!(
                standing(&scanner),
                ("enrolling".into(), "initialize".into())
            );
        }
        assert!(pretix().device(device.number)["initialized"].is_string());

        recover(&way);
        scanner.run(command).succeeds();
        assert_eq!(standing(&scanner), ("enrolled".into(), Value::Null));
        was_repeated(&way, INITIALIZE);
        scanner.run(&["info"]).succeeds();
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn what_never_left_the_device_costs_no_token() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let (scanner, device) = (Scanner::new(), pretix().create_device("Unsent"));
    scanner
        .init(&nowhere, &device.token, &IMPATIENT)
        .complains(8, "can't connect to");
    assert_eq!(standing(&scanner).0, "not-enrolled");
    scanner.init(&pretix().url, &device.token, &[]).succeeds();

    let way = pretix().way();
    let (scanner, device) = (Scanner::new(), pretix().create_device("Not arrived"));
    way.always(Fault::LoseRequest);
    scanner
        .init(&way.url, &device.token, &IMPATIENT)
        .complains(8, "goes on where it stopped");
    assert!(pretix().device(device.number)["initialized"].is_null());
    recover(&way);
    scanner.run(&["init"]).succeeds();
    scanner.run(&["info"]).succeeds();
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_token_that_is_used_unknown_or_revoked_is_told_for_what_it_is() {
    let (first, second) = (Scanner::new(), Scanner::new());
    let used = pretix().create_device("Used");
    first.init(&pretix().url, &used.token, &[]).succeeds();
    let revoked = pretix().create_device("Revoked");
    pretix().revoke(revoked.number);
    for (token, words) in [
        (used.token.as_str(), "already been used"),
        ("unknownunknown00", "Unknown initialization token"),
        (&revoked.token, "revoked"),
    ] {
        second.init(&pretix().url, token, &[]).complains(6, words);
        assert_eq!(standing(&second).0, "not-enrolled");
    }
    first.run(&["info"]).succeeds();
    // The same code again is done already.
    first.init(&pretix().url, &used.token, &[]).succeeds();

    let next = pretix().create_device("Next");
    first
        .init(&pretix().url, &next.token, &[])
        .complains(12, "already enrolled");
    first
        .init(&pretix().url, &next.token, &["--replace"])
        .succeeds();
    assert_eq!(first.told(&["info"])["device_id"], next.number);
}
