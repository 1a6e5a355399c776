//! What is said of a server's certificate that is not trusted: why, and what to do about it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::fs;
use std::process::Command;

use common::authority::{self, Authority, authority_parameters, server_parameters};
use common::scanner::{Ended, Scanner, end};
use common::skip;
use common::stranger::{Stranger, identity};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;

const TOKEN: &str = "kpp4jn8g2ynzonp6";

fn root() -> Authority {
    authority::root("Own Root")
}

fn intermediate(root: &Authority) -> Authority {
    let key = KeyPair::generate().unwrap();
    let parameters = authority_parameters("Own Middle\u{202e}\n");
    CertifiedIssuer::signed_by(parameters, key, root).unwrap()
}

/// A server with a certificate of `issuer`; sends `more` after it.
fn server(parameters: CertificateParams, issuer: &Authority, more: &[&Authority]) -> Stranger {
    let key = KeyPair::generate().unwrap();
    let own = parameters.signed_by(&key, issuer).unwrap();
    let more = more.iter().map(|one| one.der().clone());
    let chain: Vec<CertificateDer<'static>> = [own.der().clone()].into_iter().chain(more).collect();
    Stranger::with_chain(chain, &key, identity("k3y"))
}

/// Enrols with trust in `authority`, if any.
fn init(scanner: &Scanner, server: &Stranger, authority: Option<&Authority>) -> Command {
    let mut arguments = vec!["init", "--url", &server.url, "--token", TOKEN];
    let file = scanner.scratch().join("ca.pem");
    if let Some(authority) = authority {
        fs::write(&file, authority.pem()).unwrap();
        arguments.extend(["--ca-file", file.to_str().unwrap()]);
    }
    scanner.command(&arguments)
}

#[track_caller]
fn says(ended: &Ended, why: &str, advice: &str) {
    ended.complains(9, why);
    assert!(ended.stderr.contains(advice), "{ended:?}");
    for words in ["try it again", "\u{202e}", "--replace"] {
        assert!(!ended.stderr.contains(words), "{words} in {ended:?}");
    }
}

fn enrol(server: &Stranger, authority: Option<&Authority>) -> Ended {
    let scanner = Scanner::new();
    let ended = end(init(&scanner, server, authority).output().unwrap());
    if ended.code != 0 {
        assert_eq!(scanner.status()["state"], "not-enrolled");
        assert!(server.requests().is_empty());
    }
    ended
}

#[test]
fn a_whole_chain_of_a_trusted_authority_is_taken() {
    let root = root();
    let middle = intermediate(&root);
    let server = server(server_parameters("localhost"), &middle, &[&middle]);
    enrol(&server, Some(&root)).succeeds();
}

#[test]
fn the_issuer_that_a_server_does_not_send_is_named() {
    let root = root();
    let middle = intermediate(&root);
    let server = server(server_parameters("localhost"), &middle, &[]);
    let ended = enrol(&server, Some(&root));
    says(
        &ended,
        "the server does not send the certificate of CN=Own Middle",
        "fullchain.pem",
    );
}

#[test]
fn an_authority_that_is_not_known_is_named() {
    let root = root();
    let middle = intermediate(&root);
    for sent in [&[&middle][..], &[&middle, &root]] {
        let server = server(server_parameters("localhost"), &middle, sent);
        let ended = enrol(&server, None);
        says(
            &ended,
            "it comes from CN=Own Root, which this device does not know",
            "--system-certificates",
        );
    }
}

#[test]
fn a_certificate_that_is_signed_by_itself_may_be_a_login_page() {
    let parameters = server_parameters("localhost");
    let (server, _) = Stranger::with_certificate(parameters, identity("k3y").into_bytes());
    let ended = enrol(&server, None);
    says(
        &ended,
        "CN=Tickets has signed it itself",
        "log in to the network",
    );
}

#[test]
fn the_names_that_a_certificate_is_for_are_named() {
    let root = root();
    let mut parameters = server_parameters("tickets.example");
    let more = CertificateParams::new(["*.shop.example".to_owned()]).unwrap();
    parameters.subject_alt_names.extend(more.subject_alt_names);
    let server = server(parameters, &root, &[]);
    let ended = enrol(&server, Some(&root));
    says(
        &ended,
        "it is for tickets.example, *.shop.example, not for localhost",
        "a name that its certificate is for",
    );
}

#[test]
fn a_certificate_out_of_its_time_is_told_with_dates_and_the_clock() {
    let root = root();
    let mut over = server_parameters("localhost");
    over.not_after = date_time_ymd(2025, 6, 7);
    let mut early = server_parameters("localhost");
    early.not_before = date_time_ymd(2990, 6, 7);
    for (parameters, words) in [
        (
            over,
            "it expired on 2025-06-07, and this device's clock shows 20",
        ),
        (
            early,
            "it is valid from 2990-06-07 on, and this device's clock shows 20",
        ),
    ] {
        let server = server(parameters, &root, &[]);
        says(
            &enrol(&server, Some(&root)),
            words,
            "set this device's clock",
        );
    }
}

#[test]
fn a_clock_that_is_ahead_is_told_beside_the_date_of_the_certificate() {
    if !skip::can_run("faketime", &["2020-01-01", "true"]) {
        return;
    }
    let root = root();
    let mut parameters = server_parameters("localhost");
    parameters.not_after = date_time_ymd(2040, 1, 2);
    let server = server(parameters, &root, &[]);
    let scanner = Scanner::new();
    let gatehand = init(&scanner, &server, Some(&root));
    let mut ahead = Command::new("faketime");
    ahead.arg("2050-02-03 04:05:06").arg(gatehand.get_program());
    ahead.args(gatehand.get_args()).env("TZ", "UTC");
    for (name, value) in gatehand.get_envs() {
        if let Some(value) = value {
            ahead.env(name, value);
        }
    }
    let ended = end(ahead.output().unwrap());
    says(
        &ended,
        "it expired on 2040-01-02, and this device's clock shows 2050-02-03 04:05 UTC",
        "set this device's clock",
    );
}
