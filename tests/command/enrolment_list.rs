//! One image for many kiosks: each takes its own line of a list, at the servers and for the organizers
//! that the image allows.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use crate::common::faulty_way::{Fault, FaultyWay, first_line};
use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::ORGANIZER;

const SERIAL: &str = "10000000abcdef01";
const UNUSED: &str = "unusedtoken23456";

/// A kiosk with a list in which the second line is its own.
struct Kiosk {
    scanner: Scanner,
    list: PathBuf,
    server: String,
}

impl Kiosk {
    fn new(server: &str, token: &str) -> Self {
        let scanner = Scanner::new();
        let list = scanner.scratch().join("enrolment.csv");
        let rows = format!(
            "serial,server,token,host_name,gate\nother,{server},{UNUSED},kiosk-1,\n{SERIAL},{server},{token},kiosk-2,North\n"
        );
        fs::write(&list, rows).unwrap();
        let server = server.to_owned();
        Self {
            scanner,
            list,
            server,
        }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let list = self.list.to_str().unwrap();
        let own = ["init", "--json", "--enrolment-list", list];
        [&own[..], &["--hardware-serial", SERIAL], more].concat()
    }

    fn boot(&self, server: &str, organizer: &str) -> Ended {
        let allowed = ["--allowed-server", server, "--allowed-organizer", organizer];
        let soon = ["--timeout", "10"];
        self.scanner
            .run(&self.arguments(&[&allowed[..], &soon].concat()))
    }

    fn state(&self) -> String {
        let status = self.scanner.run(&["status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
        status["state"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_kiosk_takes_its_own_line_and_removes_the_list_once_its_key_is_safe() {
    let installation = Installation::start();
    installation.admin(&["gate", "create", ORGANIZER, "north", "--name", "North"]);
    let kiosk = Kiosk::new(&installation.url, &installation.create_device("Kiosk 2"));
    let booted = kiosk.boot(&kiosk.server, ORGANIZER);
    booted.succeeds();
    let told: serde_json::Value = serde_json::from_str(&booted.stdout).unwrap();
    assert_eq!(told["enrolment_list"]["host_name"], "kiosk-2");
    assert_eq!(told["enrolment_list"]["gate"], "North");
    assert_eq!(told["name"], "Kiosk 2");
    assert!(!kiosk.list.exists());
    assert_eq!(kiosk.state(), "enrolled");
    // The image's own service finds nothing to do at the next boot.
    kiosk
        .boot(&kiosk.server, ORGANIZER)
        .complains(1, "enrolment.csv");
}

#[test]
fn one_run_enrols_without_the_right_to_remove_the_list_and_the_next_removes_it_without_a_server() {
    let installation = Installation::start();
    let kiosk = Kiosk::new(&installation.url, &installation.create_device("Kiosk 2"));
    let allowed = [
        "--allowed-server",
        &kiosk.server,
        "--allowed-organizer",
        ORGANIZER,
    ];
    let keeping = [&allowed[..], &["--keep-list"]].concat();
    let rows = fs::read_to_string(&kiosk.list).unwrap();
    for _ in 0..2 {
        let enrolled = kiosk.scanner.run(&kiosk.arguments(&keeping));
        enrolled.succeeds();
        let told: serde_json::Value = serde_json::from_str(&enrolled.stdout).unwrap();
        assert_eq!(told["enrolment_list"]["is_kept"], true);
        assert_eq!(told["enrolment_list"]["host_name"], "kiosk-2");
        assert_eq!(fs::read_to_string(&kiosk.list).unwrap(), rows);
    }
    let asked_by_two = ["--keep-list", "--set-host-name"];
    kiosk
        .scanner
        .run(&kiosk.arguments(&[&allowed[..], &asked_by_two].concat()))
        .complains(2, "cannot be used with");

    drop(installation);
    kiosk.boot(&kiosk.server, ORGANIZER).succeeds();
    assert!(!kiosk.list.exists());
    assert_eq!(kiosk.state(), "enrolled");
}

#[test]
fn a_list_is_only_for_the_servers_and_organizers_of_the_image() {
    let installation = Installation::start();
    let token = installation.create_device("Kiosk 2");
    let kiosk = Kiosk::new(&installation.url, &token);
    let unguarded = kiosk.scanner.run(&kiosk.arguments(&[]));
    unguarded.complains(2, "--allowed-organizer");
    let half = ["--allowed-server", &kiosk.server];
    kiosk
        .scanner
        .run(&kiosk.arguments(&half))
        .complains(2, "--allowed-organizer");

    let elsewhere = kiosk.boot("https://pretix.eu", ORGANIZER);
    elsewhere.complains(20, "only at https://pretix.eu");
    assert_eq!(
        installation.device(1)["initialized"],
        serde_json::Value::Null
    );
    assert_eq!(kiosk.state(), "not-enrolled");

    let foreign = kiosk.boot(&kiosk.server, "smallevents");
    foreign.complains(20, "organizer is not allowed");
    foreign.complains(20, "revoked again");
    assert_eq!(installation.device(1)["revoked"], true);
    assert_eq!(kiosk.state(), "not-enrolled");
    assert!(kiosk.list.exists(), "its other lines are unused");
    // The token is known as spent, whatever the image allows by now.
    kiosk
        .boot(&kiosk.server, ORGANIZER)
        .complains(20, "revoked again");
    let next = installation.create_device("Kiosk 2 anew");
    kiosk.scanner.init(&kiosk.server, &next, &[]).succeeds();
}

#[test]
fn a_slip_in_what_an_image_allows_costs_no_token() {
    let installation = Installation::start();
    let kiosk = Kiosk::new(&installation.url, &installation.create_device("Kiosk 2"));
    for no_name in ["", "big events", "bigevents;other"] {
        kiosk
            .boot(&kiosk.server, no_name)
            .complains(2, "short name");
    }
    assert_eq!(
        installation.device(1)["initialized"],
        serde_json::Value::Null
    );
    let written_otherwise = format!("other, {}", ORGANIZER.to_uppercase());
    kiosk.boot(&kiosk.server, &written_otherwise).succeeds();
    assert!(!kiosk.list.exists());
}

#[test]
fn who_enrols_needs_no_token_of_others() {
    let kiosk = Kiosk::new("https://tickets.example", "kpp4jn8g2ynzonp6");
    let own = kiosk.scanner.run(&kiosk.arguments(&["--own-line"]));
    let rows = &own.succeeds().stdout;
    assert_eq!(rows.lines().count(), 2);
    assert!(rows.contains(SERIAL) && rows.contains("kpp4jn8g2ynzonp6"));
    assert!(kiosk.list.exists());
}

#[test]
fn an_unwanted_device_that_could_not_be_revoked_is_used_for_nothing_and_revoked_later() {
    let installation = Arc::new(Installation::start());
    let way = FaultyWay::to(Arc::clone(&installation));
    let kiosk = Kiosk::new(&way.url, &installation.create_device("Kiosk 2"));
    way.follow(
        |request| match first_line(request).contains("device/revoke") {
            true => Fault::LoseRequest,
            false => Fault::Pass,
        },
    );
    let foreign = kiosk.boot(&kiosk.server, "smallevents");
    foreign.complains(20, "used for nothing and is to be revoked");
    assert_eq!(installation.device(1)["revoked"], false);
    assert_eq!(kiosk.state(), "not-enrolled");
    let call = ["request", "GET", "/api/v1/device/info"];
    kiosk.scanner.run(&call).complains(13, "not enrolled");

    way.heal();
    let asked = || way.record().len();
    let before = asked();
    kiosk
        .boot(&kiosk.server, "smallevents")
        .complains(20, "revoked again");
    assert_eq!(asked(), before + 1, "the token is not sent again");
    assert_eq!(installation.device(1)["revoked"], true);
}

#[test]
fn a_kiosk_that_loses_power_anywhere_is_enrolled_by_the_next_boot_and_the_list_is_gone() {
    let installation = Installation::start();
    let trace = |kiosk: &Kiosk, variables: &[(&str, &str)]| {
        let allowed = [
            "--allowed-server",
            &kiosk.server,
            "--allowed-organizer",
            ORGANIZER,
        ];
        let mut command = kiosk.scanner.command(&kiosk.arguments(&allowed));
        command.envs(variables.iter().copied()).output().unwrap()
    };
    let mut steps = 0;
    for step in 1.. {
        let name = format!("Kiosk {step}");
        let kiosk = Kiosk::new(&installation.url, &installation.create_device(&name));
        let cut = trace(&kiosk, &[("GATEHAND_KILL_AT", &step.to_string())]);
        let was_cut = cut.status.code().is_none();
        let mut boots = 0;
        while kiosk.list.exists() && boots < 3 {
            kiosk.boot(&kiosk.server, ORGANIZER);
            boots += 1;
        }
        assert!(!kiosk.list.exists(), "cut at step {step}");
        assert_eq!(kiosk.state(), "enrolled", "cut at step {step}");
        assert_eq!(kiosk.scanner.status()["name"], name.as_str());
        if !was_cut {
            break;
        }
        steps = step;
    }
    assert!(steps >= 10, "{steps} steps");
}
