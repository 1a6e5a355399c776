//! TLS by the server itself: real clients, a certificate that changes, and those who don't come to speak it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rcgen::KeyPair;
use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;

use crate::common::authority::{Authority, root, server_parameters};
use crate::common::callers::{is_closed, until};
use crate::common::installation::ServerProcess;
use crate::common::scanner::{Scanner, end};
use crate::common::server::ORGANIZER;
use crate::common::skip::can_run;

/// A folder with a database, a certificate and its key.
struct Place {
    desk: Scanner,
    authority: Authority,
}

impl Place {
    fn new() -> Self {
        let place = Self {
            desk: Scanner::new(),
            authority: root("Tickets' own authority"),
        };
        place.shows_one_of(&place.authority);
        fs::write(place.file("authority.pem"), place.authority.pem()).unwrap();
        place
    }

    fn file(&self, name: &str) -> PathBuf {
        self.desk.scratch().join(name)
    }

    /// Puts a certificate that `authority` has signed in the place of the one before.
    fn shows_one_of(&self, authority: &Authority) {
        let (certificate, key) = pair(authority);
        self.write("cert.pem", &certificate);
        self.write("key.pem", &key);
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).unwrap();
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.file(name), private).unwrap();
    }

    fn serve(&self, more: &[&str]) -> ServerProcess {
        let files = ["cert.pem", "key.pem"].map(|name| self.file(name).display().to_string());
        let tls = [
            "--tls-cert",
            &files[0],
            "--tls-key",
            &files[1],
            "--log",
            "info",
        ];
        ServerProcess::start_with(&self.file("server.db"), &[&tls, more].concat())
    }

    fn admin(&self, arguments: &[&str]) -> Value {
        let database = self.file("server.db").display().to_string();
        let begin = ["admin", "--json", "--database", &database];
        let ended = self.desk.run(&[&begin, arguments].concat());
        serde_json::from_str(&ended.succeeds().stdout).unwrap()
    }
}

/// A certificate for localhost, and its key.
fn pair(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let own = server_parameters("localhost").signed_by(&key, authority);
    (own.unwrap().pem(), key.serialize_pem())
}

/// Where it is reached by the name that the certificate is for.
fn url(server: &ServerProcess) -> String {
    let (_, port) = server.url.rsplit_once(':').unwrap();
    format!("https://localhost:{port}")
}

fn address(server: &ServerProcess) -> String {
    server.url.trim_start_matches("https://").to_owned()
}

/// What curl says, that trusts these authorities.
fn curl(authority: &Path, arguments: &[&str]) -> (bool, String) {
    let ended = Command::new("curl")
        .args(["-s", "--max-time", "30", "--noproxy", "*", "--cacert"])
        .arg(authority)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    (ended.status.success(), said)
}

/// Whether a new connection is shown a certificate of this authority.
fn is_shown_one_of(server: &ServerProcess, authority: &Authority) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = TcpStream::connect(address(server)).unwrap();
    let mut tls = rustls::Stream::new(&mut client, &mut stream);
    tls.write_all(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
        .is_ok()
}

#[test]
fn curl_and_the_agent_are_served_and_links_are_https() {
    if !can_run("curl", &["--version"]) {
        return;
    }
    let place = Place::new();
    let server = place.serve(&[]);
    assert!(
        server.line.starts_with("Serving on https://"),
        "{}",
        server.line
    );
    place.admin(&["organizer", "create", ORGANIZER, "--name", "Big Events"]);
    place.admin(&["team", "create", ORGANIZER, "admins", "--permission", "all"]);
    let token = place.admin(&["token", "create", ORGANIZER, "admins"]);
    let header = format!("Authorization: Token {}", token["token"].as_str().unwrap());
    for lane in 0..60 {
        let name = format!("Lane {lane}");
        place.admin(&[
            "device",
            "create",
            ORGANIZER,
            "--name",
            &name,
            "--all-events",
        ]);
    }
    let (url, authority) = (url(&server), place.file("authority.pem"));
    let devices = format!("{url}/api/v1/organizers/{ORGANIZER}/devices/");
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        let (done, page) = curl(&authority, &[version, "-H", &header, &devices]);
        let page: Value = serde_json::from_str(&page).unwrap();
        assert!(done);
        assert_eq!(page["next"], format!("{devices}?page=2"));
    }
    let older = curl(
        &authority,
        &[
            "--tls-max",
            "1.1",
            "--ciphers",
            "DEFAULT@SECLEVEL=0",
            &devices,
        ],
    );
    assert!(!older.0);
    let both = format!("{url}/healthz");
    let (_, spoken) = curl(
        &authority,
        &["-o", "/dev/null", "-w", "%{http_version}", &both],
    );
    assert_eq!(spoken, "1.1");
    let unknown = place.file("nobody.pem");
    fs::write(&unknown, root("Somebody else").pem()).unwrap();
    assert!(!curl(&unknown, &[&devices]).0);

    let device = place.admin(&[
        "device",
        "create",
        ORGANIZER,
        "--name",
        "Agent",
        "--all-events",
    ]);
    let scanner = Scanner::new();
    let enrolled = scanner.run(&[
        "init",
        "--url",
        &url,
        "--token",
        device["initialization_token"].as_str().unwrap(),
        "--ca-file",
        authority.to_str().unwrap(),
        "--json",
    ]);
    enrolled.succeeds();
    let told = scanner.run(&["info", "--json"]);
    assert!(told.succeeds().stdout.contains("Agent"));
}

#[test]
fn a_certificate_that_changes_is_shown_to_new_connections_and_one_that_is_not_fit_is_not() {
    let place = Place::new();
    let server = place.serve(&[]);
    let process = Pid::from_raw(server.id().cast_signed()).unwrap();
    let hang_up = || kill_process(process, Signal::HUP).unwrap();
    assert!(is_shown_one_of(&server, &place.authority));
    let next = root("The next authority");
    let (certificate, key) = pair(&next);
    place.write("cert.pem", &certificate[..certificate.len() / 2]);
    hang_up();
    server.logs("the certificate stays the one that was read before");
    assert!(is_shown_one_of(&server, &place.authority));
    place.write("cert.pem", &certificate);
    hang_up();
    server.logs("can't be used together");
    assert!(is_shown_one_of(&server, &place.authority));
    place.write("key.pem", &key);
    hang_up();
    until("the next one is shown", || is_shown_one_of(&server, &next));
    assert!(!is_shown_one_of(&server, &place.authority));
    // Without being told, too: as by a link that leads elsewhere from now on.
    let last = root("The last authority");
    let (certificate, key) = pair(&last);
    for (name, text) in [("cert.pem", certificate), ("key.pem", key)] {
        let archived = format!("archived-{name}");
        place.write(&archived, &text);
        fs::remove_file(place.file(name)).unwrap();
        std::os::unix::fs::symlink(place.file(&archived), place.file(name)).unwrap();
    }
    until("the last one is shown", || is_shown_one_of(&server, &last));
}

#[test]
fn who_speaks_no_tls_is_told_and_who_says_nothing_holds_no_place() {
    let place = Place::new();
    let server = place.serve(&["--max-connections", "3"]);
    let mut plain = TcpStream::connect(address(&server)).unwrap();
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{answer}"
    );
    assert!(body.contains("begin its address with https://"), "{answer}");

    let silent: Vec<TcpStream> = (0..3)
        .map(|_| TcpStream::connect(address(&server)).unwrap())
        .collect();
    // The beginning of a handshake that goes no further.
    let mut begun = TcpStream::connect(address(&server)).unwrap();
    begun.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
    until("somebody else is let in", || {
        is_shown_one_of(&server, &place.authority)
    });
    // None of them is waited for longer than for a request's head.
    until("they are closed", || {
        silent.iter().chain([&begun]).all(is_closed)
    });
}

#[test]
fn what_can_not_be_shown_is_told_at_the_start() {
    let place = Place::new();
    let (cert, key) = (place.file("cert.pem"), place.file("key.pem"));
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let database = place.file("server.db").display().to_string();
    let serve = |more: &[&str]| {
        let mut command = place.desk.command(&["serve", "--database", &database]);
        command.env("GATEHAND_LISTEN", "127.0.0.1:0").args(more);
        end(command.output().unwrap())
    };
    serve(&["--tls-cert", cert]).complains(2, "--tls-key");
    serve(&["--tls-cert", cert, "--tls-key", cert]).complains(15, "holds no private key in PEM");
    serve(&["--tls-cert", "/nowhere.pem", "--tls-key", key])
        .complains(15, "can't read /nowhere.pem");
    let (_, other) = pair(&place.authority);
    place.write("other.pem", &other);
    let other = place.file("other.pem").display().to_string();
    serve(&["--tls-cert", cert, "--tls-key", &other]).complains(15, "can't be used together");
    let socket = format!("unix:{}", place.file("a.sock").display());
    serve(&["--tls-cert", cert, "--tls-key", key, "--listen", &socket])
        .complains(15, "TLS is for an IP address");
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(key, open).unwrap();
    place
        .serve(&[])
        .logs("anybody on this machine may read the key");
}
