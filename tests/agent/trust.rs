//! Whom a device trusts: what was given at its enrolment holds for every later command, until another
//! choice has led to its server.

use std::fs;
use std::sync::Arc;

use gatehand::agent::{Agent, Client, ClientConfig, ThisMachine};
use gatehand::vault::Folder;
use rcgen::{CertifiedIssuer, DnType, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::common::authority::{Authority, authority_parameters, root};
use crate::common::front::Front;
use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::stranger::{Stranger, info};

/// Long enough for one try.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];

/// An authority's certificate in a file.
fn file(scanner: &Scanner, authority: &Authority) -> String {
    let path = scanner.scratch().join("ca.pem");
    fs::write(&path, authority.pem()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Runs a command that is given an authority's certificate in a file, which is gone afterwards.
fn run_trusting(scanner: &Scanner, authority: &Authority, arguments: &[&str]) -> Ended {
    let file = file(scanner, authority);
    let ended = scanner.run(&[arguments, &["--ca-file", &file]].concat());
    fs::remove_file(file).unwrap();
    ended
}

fn init<'a>(front: &'a Front, token: &'a str) -> [&'a str; 5] {
    ["init", "--url", &front.url, "--token", token]
}

/// A server whose front has a certificate of an authority of its own, and a device that was enrolled
/// there with trust in it.
fn enrolled() -> (Installation, Front, Authority, Scanner) {
    let (installation, authority, scanner) =
        (Installation::start(), root("Own Root"), Scanner::new());
    let front = Front::of(&installation.url, &authority);
    let token = installation.create_device("Lane 1");
    run_trusting(&scanner, &authority, &init(&front, &token)).succeeds();
    (installation, front, authority, scanner)
}

/// Names of the certificates that are trusted, as `status` tells.
#[track_caller]
fn trusts(scanner: &Scanner, names: &[&str]) {
    let trust = scanner.status()["trust"].clone();
    let certificates = trust["certificates"].as_array().unwrap().clone();
    let found: Vec<_> = certificates.iter().map(|one| one["name"].clone()).collect();
    let names: Vec<Value> = names
        .iter()
        .map(|name| json!(format!("CN={name}")))
        .collect();
    assert_eq!(found, names, "{trust}");
    assert_eq!(trust["system_certificates"], false);
}

#[track_caller]
fn is_not_trusted(ended: &Ended) {
    ended.complains(9, "which this device does not know");
}

#[test]
fn what_was_trusted_at_enrolment_holds_for_every_later_command() {
    let (_installation, _front, _, scanner) = enrolled();
    for arguments in [
        &["info"][..],
        &["info", "--media-keys"],
        &["request", "GET", "/api/v1/device/info"],
        &["event-selection"],
        &["update", "--os-name", "Kiosk"],
        &["roll"],
        &["info"],
        &["revoke", "--yes"],
    ] {
        scanner.run(arguments).succeeds();
        trusts(&scanner, &["Own Root"]);
    }
}

#[test]
fn the_certificates_that_a_device_trusts_are_shown_with_their_end() {
    let installation = Installation::start();
    let scanner = Scanner::new();
    let mut parameters = authority_parameters("Own Root\u{202e}");
    parameters.not_after = date_time_ymd(2031, 2, 3);
    let key = KeyPair::generate().unwrap();
    let authority = CertifiedIssuer::self_signed(parameters, key).unwrap();
    let front = Front::of(&installation.url, &authority);
    let token = installation.create_device("Lane 1");
    run_trusting(&scanner, &authority, &init(&front, &token)).succeeds();
    let shown = scanner.run(&["status"]).stdout;
    let words = "the built-in authorities, and 1 certificate of its own: CN=Own Root";
    assert!(shown.contains(words), "{shown}");
    assert!(shown.contains("valid until 2031-02-03\n"), "{shown}");
    assert!(!shown.contains('\u{202e}'), "{shown}");
    let told = &scanner.status()["trust"]["certificates"][0];
    assert_eq!(told["valid_until"], "2031-02-03T00:00:00.000000Z");

    let plain = Scanner::new();
    let token = installation.create_device("Lane 2");
    plain.init(&installation.url, &token, &[]).succeeds();
    trusts(&plain, &[]);
    let shown = plain.run(&["status"]).stdout;
    assert!(shown.contains("the built-in authorities\n"), "{shown}");
}

#[test]
fn a_certificate_is_read_as_any_system_exports_it() {
    let (installation, authority) = (Installation::start(), root("Own Root"));
    let front = Front::of(&installation.url, &authority);
    let pem = authority.pem();
    for exported in [
        authority.der().to_vec(),
        format!("\u{feff}{pem}").into_bytes(),
        pem.replace('\n', "\r\n").into_bytes(),
        format!("Bag Attributes\n  friendlyName: Own Root\n{pem}").into_bytes(),
    ] {
        let scanner = Scanner::new();
        let path = scanner.scratch().join("exported.cer");
        fs::write(&path, exported).unwrap();
        let token = installation.create_device("Lane 1");
        let trusting = ["--ca-file", path.to_str().unwrap()];
        scanner
            .run(&[&init(&front, &token)[..], &trusting].concat())
            .succeeds();
        trusts(&scanner, &["Own Root"]);
    }
}

#[test]
fn an_adopted_device_keeps_whom_it_trusts() {
    let (authority, scanner) = (root("Own Root"), Scanner::new());
    let key = "k3y".repeat(20);
    let server = Stranger::answering(info(&key));
    let front = Front::of(&server.url.replace("localhost", "127.0.0.1"), &authority);
    let existing = json!({"url": front.url, "key": key, "serial": "ABCDEFGH12345678"});
    let path = scanner.scratch().join("existing.json");
    fs::write(&path, existing.to_string()).unwrap();
    let adopt = ["adopt", path.to_str().unwrap()];
    run_trusting(&scanner, &authority, &adopt).succeeds();
    trusts(&scanner, &["Own Root"]);
    scanner
        .run(&["request", "GET", "/api/v1/device/info"])
        .succeeds();
}

#[test]
fn another_choice_holds_once_it_has_led_to_the_server() {
    let (_installation, front, first, scanner) = enrolled();
    let (second, wrong) = (root("Second Root"), root("Wrong Root"));

    // One that does not, breaks nothing.
    is_not_trusted(&run_trusting(&scanner, &wrong, &["info"]));
    trusts(&scanner, &["Own Root"]);
    scanner.run(&["info"]).succeeds();

    for command in [
        &["info"][..],
        &["request", "GET", "/api/v1/device/info"],
        &["event-selection"],
        &["update"],
        &["roll"],
    ] {
        front.shows_one_of(&second);
        is_not_trusted(&scanner.run(command));
        is_not_trusted(&run_trusting(&scanner, &wrong, command));
        run_trusting(&scanner, &second, command).succeeds();
        trusts(&scanner, &["Second Root"]);
        scanner.run(&["info"]).succeeds();
        front.shows_one_of(&first);
        run_trusting(&scanner, &first, &["info"]).succeeds();
        trusts(&scanner, &["Own Root"]);
    }
}

/// What login pages on the way answer.
const LOGIN_PAGES: [&str; 4] = [
    "HTTP/1.1 302 Found\r\nLocation: https://portal.example/login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\nLogin",
    "HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
];

#[test]
fn a_login_page_on_the_way_does_not_come_to_be_trusted_for_good() {
    let (_installation, front, first, scanner) = enrolled();
    let stranger = root("Strange Root");
    for page in LOGIN_PAGES {
        for command in [
            &["info"][..],
            &["request", "GET", "/api/v1/device/info"],
            &["event-selection"],
            &["update", "--os-name", "Kiosk"],
            &["roll"],
        ] {
            front.shows_one_of(&stranger);
            front.answers_itself(Some(page));
            run_trusting(&scanner, &stranger, &[command, &IMPATIENT].concat());
            trusts(&scanner, &["Own Root"]);
            front.shows_one_of(&first);
            front.answers_itself(None);
            scanner.run(&["info"]).succeeds();
        }
    }
}

#[test]
fn a_begun_enrolment_keeps_whom_it_trusts_when_a_login_page_answers() {
    let (installation, first, scanner) = (Installation::start(), root("Own Root"), Scanner::new());
    let front = Front::of(&installation.url, &first);
    let token = installation.create_device("Lane 1");
    let stranger = root("Strange Root");
    let init = [&init(&front, &token)[..], &IMPATIENT].concat();
    front.answers_itself(Some(LOGIN_PAGES[2]));
    run_trusting(&scanner, &first, &init);
    front.shows_one_of(&stranger);
    front.answers_itself(Some(LOGIN_PAGES[0]));
    run_trusting(&scanner, &stranger, &init);
    front.shows_one_of(&first);
    front.answers_itself(None);
    scanner.run(&["init"]).succeeds();
    trusts(&scanner, &["Own Root"]);
}

#[test]
fn what_is_given_for_the_new_server_is_not_trusted_at_the_old_one() {
    let (_installation, front, _, scanner) = enrolled();
    let (new, stranger) = (Installation::start(), root("New Root"));
    let new_front = Front::of(&new.url, &stranger);
    // Whoever stands before the old server now has a certificate of the new one's authority.
    front.shows_one_of(&stranger);
    let vault = rusqlite::Connection::open(scanner.home().join("vault.db")).unwrap();
    vault
        .execute("DELETE FROM entry WHERE name = 'trust'", [])
        .unwrap();
    drop(vault);
    trusts(&scanner, &[]);
    let token = new.create_device("Lane 2");
    let before = front.requests();
    let arguments = [
        &init(&new_front, &token)[..],
        &["--replace", "--revoke-old"],
    ]
    .concat();
    let ended = run_trusting(&scanner, &stranger, &arguments);
    assert!(!ended.stderr.contains("is revoked"), "{ended:?}");
    trusts(&scanner, &["New Root"]);
    assert_eq!(front.requests(), before, "the old key went to a stranger");
}

#[test]
fn a_kept_choice_of_the_systems_certificates_stops_nothing_where_there_are_none() {
    let (_installation, front, first, scanner) = enrolled();
    let file = file(&scanner, &first);
    let info = |store: &str, more: &[&str]| {
        let mut command = scanner.command(&[&["info"], more].concat());
        command
            .env("SSL_CERT_FILE", store)
            .env("SSL_CERT_DIR", "/missing");
        end(command.output().unwrap())
    };
    info(&file, &["--system-certificates", "--ca-file", &file]).succeeds();
    let ended = info("/missing", &[]);
    ended.succeeds();
    assert!(
        ended.stderr.contains("going on without them"),
        "{ended:?} at {}",
        front.url
    );
    info("/missing", &["--system-certificates"]).complains(1, "certificates");
}

#[test]
fn of_the_systems_certificates_the_choice_is_kept_and_they_are_read_anew() {
    let (_installation, front, first, scanner) = enrolled();
    let second = root("Second Root");
    let info = |system: &Authority, more: &[&str]| {
        let store = scanner.scratch().join("system.pem");
        fs::write(&store, system.pem()).unwrap();
        let mut command = scanner.command(&[&["info"], more].concat());
        command
            .env("SSL_CERT_FILE", store)
            .env_remove("SSL_CERT_DIR");
        end(command.output().unwrap())
    };
    front.shows_one_of(&second);
    is_not_trusted(&info(&second, &[]));
    is_not_trusted(&info(&first, &["--system-certificates"]));
    trusts(&scanner, &["Own Root"]);
    info(&second, &["--system-certificates"]).succeeds();
    let trust = json!({"certificates": [], "system_certificates": true});
    assert_eq!(scanner.status()["trust"], trust);
    let shown = scanner.run(&["status"]).stdout;
    let words = "the built-in authorities and this system's\n";
    assert!(shown.contains(words), "{shown}");

    info(&second, &[]).succeeds();
    is_not_trusted(&info(&first, &[]));
    front.shows_one_of(&first);
    info(&first, &[]).succeeds();
    is_not_trusted(&info(&first, &["--system-certificates=false"]));
    assert_eq!(scanner.status()["trust"], trust);
    // What is given replaces all that was kept.
    run_trusting(&scanner, &first, &["info"]).succeeds();
    trusts(&scanner, &["Own Root"]);
}

#[test]
fn the_environment_says_whom_to_trust_like_the_options() {
    let (installation, authority, scanner) =
        (Installation::start(), root("Own Root"), Scanner::new());
    let front = Front::of(&installation.url, &authority);
    let token = installation.create_device("Lane 1");
    let file = file(&scanner, &authority);
    let run = |arguments: &[&str], name: &str, value: &str| {
        let mut command = scanner.command(arguments);
        command.env(name, value).env("SSL_CERT_FILE", &file);
        end(command.env_remove("SSL_CERT_DIR").output().unwrap())
    };
    run(&init(&front, &token), "GATEHAND_CA_FILE", &file).succeeds();
    trusts(&scanner, &["Own Root"]);
    run(&["info"], "GATEHAND_SYSTEM_CERTIFICATES", "true").succeeds();
    assert_eq!(scanner.status()["trust"]["system_certificates"], true);
    run(&["info"], "GATEHAND_CA_FILE", &file).succeeds();
    fs::remove_file(&file).unwrap();
    scanner.run(&["info"]).succeeds();
    run(&["info"], "GATEHAND_CA_FILE", &file).complains(1, "can't read the certificates in");
    trusts(&scanner, &["Own Root"]);
}

#[test]
fn an_enrolment_goes_on_with_whom_it_was_begun_to_trust() {
    for resume in [&["init"][..], &["info"]] {
        let (installation, authority, scanner) =
            (Installation::start(), root("Own Root"), Scanner::new());
        let front = Front::of(&installation.url, &authority);
        let token = installation.create_device("Lane 1");
        front.loses_answers(true);
        let begin = [&init(&front, &token)[..], &IMPATIENT].concat();
        run_trusting(&scanner, &authority, &begin).complains(8, "nothing is lost");
        let status = scanner.status();
        assert_eq!(status["state"], "enrolling");
        let told = &status["unfinished_trust"]["certificates"][0]["name"];
        assert_eq!(told, "CN=Own Root");
        let shown = scanner.run(&["status"]).stdout;
        assert!(
            shown.contains("1 certificate of its own: CN=Own Root"),
            "{shown}"
        );
        front.loses_answers(false);
        scanner.run(resume).succeeds();
        trusts(&scanner, &["Own Root"]);
        scanner.run(&["info"]).succeeds();
    }
}

#[test]
fn an_enrolment_that_goes_on_with_another_choice_keeps_that_one() {
    let (installation, first, scanner) = (Installation::start(), root("Own Root"), Scanner::new());
    let (second, wrong) = (root("Second Root"), root("Wrong Root"));
    let front = Front::of(&installation.url, &first);
    let token = installation.create_device("Lane 1");
    front.loses_answers(true);
    let begin = [&init(&front, &token)[..], &IMPATIENT].concat();
    run_trusting(&scanner, &first, &begin).complains(8, "nothing is lost");
    front.loses_answers(false);
    is_not_trusted(&run_trusting(&scanner, &wrong, &["init"]));
    front.shows_one_of(&second);
    is_not_trusted(&scanner.run(&["init"]));
    run_trusting(&scanner, &second, &["init"]).succeeds();
    trusts(&scanner, &["Second Root"]);
    scanner.run(&["info"]).succeeds();
}

#[test]
fn an_enrolment_that_fails_leaves_the_device_that_is_there_its_trust() {
    let (_installation, front, first, scanner) = enrolled();
    let second = root("Second Root");
    let replace = [&init(&front, "kpp4jn8g2ynzonp6")[..], &["--replace"]].concat();
    is_not_trusted(&run_trusting(&scanner, &second, &replace));
    trusts(&scanner, &["Own Root"]);
    front.shows_one_of(&second);
    run_trusting(&scanner, &second, &replace).complains(6, "refused");
    trusts(&scanner, &["Own Root"]);
    front.shows_one_of(&first);
    scanner.run(&["info"]).succeeds();
}

#[test]
fn a_new_device_trusts_whom_the_one_before_trusted_at_the_same_server_only() {
    let (installation, front, authority, scanner) = enrolled();
    let token = installation.create_device("Lane 2");
    let elsewhere = Front::of(&installation.url, &authority);
    let replace = [&init(&elsewhere, &token)[..], &["--replace"]].concat();
    is_not_trusted(&scanner.run(&replace));
    let replace = [&init(&front, &token)[..], &["--replace"]].concat();
    scanner.run(&replace).succeeds();
    trusts(&scanner, &["Own Root"]);
    // Who was revoked is enrolled anew without --replace.
    scanner.run(&["revoke", "--yes"]).succeeds();
    let token = installation.create_device("Lane 3");
    scanner.run(&init(&front, &token)).succeeds();
    trusts(&scanner, &["Own Root"]);
    // A server without a certificate of its own.
    let token = installation.create_device("Lane 4");
    scanner
        .init(&installation.url, &token, &["--replace"])
        .succeeds();
    trusts(&scanner, &[]);
}

#[test]
fn a_replaced_device_is_revoked_with_whom_it_trusted() {
    let (installation, front, first, scanner) = enrolled();
    let (other, second) = (Installation::start(), root("Second Root"));
    let elsewhere = Front::of(&other.url, &second);
    // Another serial than the first one's.
    let token = other.create_device("Lane 9");
    let replace = ["--replace", "--revoke-old", "--json"];
    // What the old one trusted is not what its server shows now, and so it can't be revoked yet.
    front.shows_one_of(&second);
    let init = [&init(&elsewhere, &token)[..], &replace].concat();
    let ended = run_trusting(&scanner, &second, &init);
    let told: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
    assert_eq!(told["replaced"]["state"], "to-revoke");
    trusts(&scanner, &["Second Root"]);
    front.shows_one_of(&first);
    scanner.run(&["info"]).succeeds();
    assert_eq!(scanner.status()["to_revoke"], Value::Null);
    let device = installation.admin(&["device", "show", ORGANIZER, "1"]);
    assert_eq!(device["revoked"], true);
}

#[test]
fn more_certificates_than_are_kept_are_refused_with_what_helps() {
    let scanner = Scanner::new();
    let path = scanner.scratch().join("ca.pem");
    let key = KeyPair::generate().unwrap();
    let pem = |number: usize| {
        let mut parameters = authority_parameters("Root");
        let name = format!("{number}{}", "x".repeat(12 * 1024));
        parameters
            .distinguished_name
            .push(DnType::OrganizationName, name);
        parameters.self_signed(&key).unwrap().pem()
    };
    let write = |count: usize| fs::write(&path, (0..count).map(pem).collect::<String>()).unwrap();
    let arguments = ["--ca-file", path.to_str().unwrap()];
    write(10);
    let at = "https://localhost:1";
    let [impatient, limit] = IMPATIENT;
    let more = [&arguments[..], &[impatient, limit]].concat();
    scanner.init(at, "kpp4jn8g2ynzonp6", &more).complains(8, "");
    write(11);
    let ended = scanner.init(at, "kpp4jn8g2ynzonp6", &more);
    ended.complains(1, "256 KiB");
    assert!(ended.stderr.contains("--system-certificates"), "{ended:?}");
}

#[tokio::test]
async fn an_agent_of_an_app_trusts_whom_its_vault_says() {
    let (_installation, _front, _, scanner) = enrolled();
    let folder = Folder::at(scanner.home()).unwrap().volatile_allowed();
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    let client = Client::new(&ClientConfig::default()).unwrap();
    let agent = Agent::new(folder, client, Arc::new(describe)).with_memory();
    for _ in 0..2 {
        assert_eq!(agent.info().await.unwrap().identity.name, "Lane 1");
    }
    agent.roll().await.unwrap();
    agent.info().await.unwrap();
}
