//! What is said of a server's certificate that is not trusted: why, and what to do about it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{
    CertificateParams, CertifiedIssuer, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree,
    KeyPair, NameConstraints, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::common::authority::{self, Authority, authority_parameters, server_parameters};
use crate::common::scanner::{Ended, Scanner, end};
use crate::common::skip;
use crate::common::stranger::{Stranger, identity};

const TOKEN: &str = "kpp4jn8g2ynzonp6";
/// The extension with a certificate's entries in the public logs.
const LOG_ENTRIES: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

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
fn an_issuer_that_is_neither_sent_nor_known_may_be_an_own_authority_or_one_between() {
    let root = root();
    let direct = server(server_parameters("localhost"), &root, &[]);
    let ended = enrol(&direct, None);
    says(
        &ended,
        "it was issued by CN=Own Root, which this device does not know",
        "trust it with --ca-file FILE or --system-certificates; if it is one between",
    );
    assert!(ended.stderr.contains("fullchain.pem"), "{ended:?}");
    assert!(!ended.stderr.contains("besides"), "{ended:?}");

    let middle = intermediate(&root);
    let server = server(server_parameters("localhost"), &middle, &[]);
    let ended = enrol(&server, Some(&root));
    says(
        &ended,
        "it was issued by CN=Own Middle",
        "have the server send its whole chain of certificates (fullchain.pem)",
    );
    let trusted = "besides the built-in authorities it knows CN=Own Root\n";
    assert!(ended.stderr.contains(trusted), "{ended:?}");
}

#[test]
fn the_issuer_between_that_a_server_below_a_public_authority_does_not_send_is_named() {
    let mut parameters = server_parameters("localhost");
    let logged = CustomExtension::from_oid_content(LOG_ENTRIES, vec![4, 2, 0, 0]);
    parameters.custom_extensions.push(logged);
    let server = server(parameters, &intermediate(&root()), &[]);
    let ended = enrol(&server, None);
    says(
        &ended,
        "the server does not send the certificate of CN=Own Middle",
        "have the server send its whole chain of certificates (fullchain.pem)",
    );
    assert!(!ended.stderr.contains("--ca-file"), "{ended:?}");
}

#[test]
fn who_trusts_another_authority_is_told_whom_and_to_give_another_certificate() {
    let (root, other) = (root(), authority::root("Other Root"));
    let middle = intermediate(&root);
    let own = CertifiedIssuer::self_signed(server_parameters("localhost"), key()).unwrap();
    for server in [
        server(server_parameters("localhost"), &root, &[]),
        server(server_parameters("localhost"), &middle, &[&middle]),
        Stranger::with_chain(vec![own.der().clone()], own.key(), identity("k3y")),
    ] {
        says(
            &enrol(&server, Some(&other)),
            "; besides the built-in authorities it knows CN=Other Root",
            "what is trusted so far is another",
        );
    }
}

#[test]
fn an_authority_that_was_made_anew_under_its_name_is_told_from_the_one_before() {
    let server = server(server_parameters("localhost"), &root(), &[]);
    says(
        &enrol(&server, Some(&root())),
        "another key than that of the authority it names",
        "trust its present certificate",
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
fn what_is_wrong_with_how_a_certificate_was_made_is_told_with_how_to_make_it() {
    let root = root();
    let mut for_clients = server_parameters("localhost");
    for_clients.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let mut nameless = server_parameters("localhost");
    nameless.subject_alt_names.clear();
    for (parameters, why) in [
        (for_clients, "it is not for servers"),
        (nameless, "it has no name in its subjectAltName"),
    ] {
        let server = server(parameters, &root, &[]);
        says(&enrol(&server, Some(&root)), why, "subjectAltName");
    }

    let own = CertifiedIssuer::self_signed(authority_parameters("localhost"), key()).unwrap();
    let as_server = Stranger::with_chain(vec![own.der().clone()], own.key(), identity("k3y"));
    for trusted in [None, Some(&own)] {
        says(
            &enrol(&as_server, trusted),
            "it is the certificate of an authority (CA:TRUE), used as the server's own",
            "CA:FALSE",
        );
    }

    let no_authority =
        CertifiedIssuer::signed_by(server_parameters("localhost"), key(), &root).unwrap();
    let below_none = server(
        server_parameters("localhost"),
        &no_authority,
        &[&no_authority],
    );
    says(
        &enrol(&below_none, Some(&root)),
        "certificate that is none of an authority",
        "CA:TRUE",
    );

    let mut parameters = authority_parameters("Narrow Root");
    parameters.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("tickets.example".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let narrow = CertifiedIssuer::self_signed(parameters, key()).unwrap();
    let beyond = server(server_parameters("localhost"), &narrow, &[]);
    says(
        &enrol(&beyond, Some(&narrow)),
        "beyond what the authorities above it may issue",
        "allowed to issue for this server",
    );
}

/// An authority's certificate, and a server with one that it signed, made with openssl and these
/// arguments.
fn made_with_openssl(folder: &Path, authority: &[&str], signing: &[&str]) -> (Stranger, PathBuf) {
    let run = |arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        let done = openssl.args(arguments).current_dir(folder).output();
        assert!(done.as_ref().unwrap().status.success(), "{done:?}");
    };
    let new_key = "req -nodes -subj /CN=localhost -newkey";
    let new_key: Vec<&str> = new_key.split(' ').collect();
    let ca = ["-x509", "-keyout", "ca.key", "-out", "ca.pem"];
    run(&[&new_key[..], authority, &ca].concat());
    let request = "ec -pkeyopt ec_paramgen_curve:P-256 -keyout key.pem -out request.pem";
    let request: Vec<&str> = request.split(' ').collect();
    run(&[&new_key[..], &request].concat());
    let sign = "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out own.pem";
    let sign: Vec<&str> = sign.split(' ').collect();
    run(&[&sign[..], signing].concat());
    let key = KeyPair::from_pem(&fs::read_to_string(folder.join("key.pem")).unwrap()).unwrap();
    let own = CertificateDer::from_pem_file(folder.join("own.pem")).unwrap();
    let server = Stranger::with_chain(vec![own], &key, identity("k3y"));
    (server, folder.join("ca.pem"))
}

#[test]
fn what_openssl_makes_and_nobody_takes_is_told_with_what_to_make_instead() {
    if !skip::can_run("openssl", &["version"]) {
        return;
    }
    let extensions = "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n";
    for (authority, signing, why, advice) in [
        (
            &["rsa:2048"][..],
            &[][..],
            "X.509 version 1",
            "subjectAltName",
        ),
        (
            &["rsa:2048"],
            &["-sha1", "-extfile", "extensions"],
            "SHA-1",
            "SHA-256",
        ),
        (
            &["rsa:1024"],
            &["-extfile", "extensions"],
            "fewer than 2048 bits",
            "2048 bits or more",
        ),
    ] {
        let scanner = Scanner::new();
        fs::write(scanner.scratch().join("extensions"), extensions).unwrap();
        let (server, ca) = made_with_openssl(scanner.scratch(), authority, signing);
        let trust = ["--ca-file", ca.to_str().unwrap()];
        says(&scanner.init(&server.url, TOKEN, &trust), why, advice);
    }
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
