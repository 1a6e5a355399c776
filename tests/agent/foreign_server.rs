//! A device's whole life at a server: at one of ours always, and at any other when it is asked for, see
//! docs/FOREIGN_SERVER.md.
#![allow(clippy::print_stdout, reason = "it says which device it used")]

use std::env;

use crate::common::installation::Installation;
use crate::common::life::{HARDWARE_MODEL, Place, live};

#[test]
fn a_device_lives_its_life_at_a_server_of_ours() {
    let installation = Installation::start_with(&["--public-url", "https://x.example/tickets"]);
    let place = Place {
        url: format!("{}/tickets/", installation.url),
        token: installation.create_device("Lane 1"),
        ca_file: None,
    };
    let serial = live(&place);
    let device = &installation.devices()[0];
    assert_eq!(device["unique_serial"], serial);
    assert_eq!(device["revoked"], true);
    assert_eq!(device["hardware_model"], HARDWARE_MODEL);
}

#[test]
#[ignore = "needs another server: see docs/FOREIGN_SERVER.md"]
fn a_device_lives_its_life_at_a_foreign_server() {
    let needed = |name| env::var(name).unwrap_or_else(|_| panic!("set {name}"));
    let serial = live(&Place {
        url: needed("GATEHAND_TEST_URL"),
        token: needed("GATEHAND_TEST_TOKEN"),
        ca_file: env::var("GATEHAND_TEST_CA_FILE").ok(),
    });
    println!("The device {serial} has lived its life there, and is revoked.");
}
