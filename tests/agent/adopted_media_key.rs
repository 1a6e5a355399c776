//! A device of another app is taken over with the RSA key that the app has reported: the server takes no other.

use std::fs;
use std::process::Command;

use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

use crate::common::installation::Installation;
use crate::common::scanner::{Ended, Scanner};
use crate::common::server::{ORGANIZER, ask};
use crate::common::skip;
use crate::common::way::Way;

/// Long enough for one try and a repetition.
const IMPATIENT: [&str; 2] = ["--timeout", "1"];

fn rsa_key() -> PrivateKey {
    PrivateKey::new(&mut rsa::rand_core::UnwrapErr(getrandom::SysRng), 2048).unwrap()
}

/// The public half in PEM, with lines of this width, as an app may write it.
fn public(key: &PrivateKey, width: usize) -> String {
    let pem = key.to_public_key().to_public_key_pem(LineEnding::LF);
    let pem = pem.unwrap();
    let body: Vec<u8> = pem
        .lines()
        .filter(|line| !line.starts_with('-'))
        .flat_map(str::bytes)
        .collect();
    let lines = body.chunks(width.min(body.len()));
    let lines: Vec<&str> = lines.map(|line| str::from_utf8(line).unwrap()).collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    )
}

fn private(key: &PrivateKey) -> String {
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

/// A server whose organizer has a key set.
fn server() -> Installation {
    let server = Installation::start();
    server.admin(&["media-keys", "create", ORGANIZER, "7"]);
    server
}

/// A device of another app, which has reported this key: what that app kept, with the server at `url`.
fn of_another_app(server: &Installation, url: &str, rsa_pubkey: Option<&str>) -> Value {
    let device = server.enrol_with_another_app("Lane 1");
    let report = json!({
        "hardware_brand": "Zebra", "hardware_model": "TC25", "software_brand": "pretixSCAN",
        "software_version": "1", "rsa_pubkey": rsa_pubkey,
    });
    let update = format!("{}/api/v1/device/update", server.url);
    let key = device["api_token"].as_str().unwrap();
    let answer = ask(|client| {
        let update = client.post(update).json(&report);
        update.header("Authorization", format!("Device {key}"))
    });
    assert_eq!(answer.status, 200, "{}", answer.text);
    json!({"url": url, "key": key, "serial": device["unique_serial"]})
}

/// Adopts it, with the RSA key in `pem`.
fn adopt(scanner: &Scanner, kept: &Value, pem: Option<&str>, more: &[&str]) -> Ended {
    let file = scanner.scratch().join("key.pem");
    let file = file.to_str().unwrap();
    let with_key = match pem {
        Some(pem) => {
            fs::write(file, pem).unwrap();
            vec!["--media-key", file]
        }
        None => Vec::new(),
    };
    let arguments = [&["adopt", "-"], &IMPATIENT[..], &with_key, more].concat();
    scanner.run_with_input(&arguments, kept.to_string().as_bytes())
}

fn reads_its_keys(scanner: &Scanner) -> Value {
    let told = scanner.told(&["info", "--media-keys"]);
    assert_eq!(told["media_keys"][0]["public_id"], 7);
    assert_eq!(told["media_keys"][0]["uid_key"].as_str().unwrap().len(), 32);
    told
}

#[test]
fn a_device_reads_its_keys_with_the_rsa_key_that_the_other_app_reported_however_it_wrote_that() {
    let server = server();
    let key = rsa_key();
    let by_another = {
        let scanner = Scanner::new();
        let token = server.create_device("Lane 2");
        scanner.init(&server.url, &token, &[]).succeeds();
        reads_its_keys(&scanner)["media_keys"].clone()
    };
    let pkcs1 = key.to_pkcs1_pem(LineEnding::CRLF).unwrap();
    for (width, pem) in [
        (64, private(&key)),
        (76, private(&key)),
        (usize::MAX, pkcs1.to_string()),
    ] {
        let reported = public(&key, width);
        let scanner = Scanner::new();
        let kept = of_another_app(&server, &server.url, Some(&reported));
        adopt(&scanner, &kept, Some(&pem), &[]).succeeds();
        for _ in 0..2 {
            let told = reads_its_keys(&scanner);
            assert_eq!(told["media_keys"], by_another, "{width}");
            let now = told["reported"]["rsa_pubkey"].as_str().unwrap().trim();
            assert_eq!(now, reported);
            // Once the old app's key is dead, too.
            scanner.run(&["roll"]).succeeds();
        }
        for (path, contents) in scanner.files() {
            let der = key.to_pkcs8_der().unwrap();
            let secret = &der.as_bytes()[400..432];
            let found = contents.windows(32).any(|window| window == secret);
            assert!(!found, "the RSA key is in {}", path.display());
        }
    }
}

#[test]
fn another_rsa_key_than_was_reported_is_refused_and_nothing_is_adopted() {
    let (server, scanner) = (server(), Scanner::new());
    let (reported, other) = (rsa_key(), rsa_key());
    let kept = of_another_app(&server, &server.url, Some(&public(&reported, 64)));
    let before = server.devices();
    for more in [&[][..], &["--replace"]] {
        let ended = adopt(&scanner, &kept, Some(&private(&other)), more);
        ended.complains(6, "nothing was adopted");
        ended.complains(6, "--media-key");
        assert_eq!(scanner.status()["state"], "not-enrolled");
    }
    assert_eq!(
        server.devices(),
        before,
        "a refused report changed the device"
    );
    adopt(&scanner, &kept, Some(&private(&reported)), &[]).succeeds();
    reads_its_keys(&scanner);
}

#[test]
fn a_device_that_has_reported_none_gets_the_one_that_it_is_adopted_with() {
    let (server, scanner, key) = (server(), Scanner::new(), rsa_key());
    let kept = of_another_app(&server, &server.url, None);
    adopt(&scanner, &kept, Some(&private(&key)), &[]).succeeds();
    reads_its_keys(&scanner);
}

#[test]
fn a_device_that_was_adopted_without_its_rsa_key_gets_it_by_being_adopted_again() {
    let (server, scanner) = (server(), Scanner::new());
    let (key, other) = (rsa_key(), rsa_key());
    let kept = of_another_app(&server, &server.url, Some(&public(&key, 76)));
    adopt(&scanner, &kept, None, &[]).succeeds();
    scanner
        .run(&["info", "--media-keys"])
        .complains(6, "keeps another RSA key");
    let wrong = adopt(&scanner, &kept, Some(&private(&other)), &[]);
    wrong.complains(6, "nothing was adopted");
    assert_eq!(scanner.status()["state"], "enrolled");
    for begun in ["taken over.", "taken over already."] {
        let ended = adopt(&scanner, &kept, Some(&private(&key)), &[]);
        assert!(ended.succeeds().stdout.contains(begun), "{ended:?}");
        reads_its_keys(&scanner);
    }
    // Without a word of it, it stays.
    adopt(&scanner, &kept, None, &[]).succeeds();
    reads_its_keys(&scanner);
}

#[test]
fn what_is_no_rsa_private_key_is_refused_before_anything_is_sent() {
    let (server, scanner, key) = (server(), Scanner::new(), rsa_key());
    let way = Way::to(&server.url);
    let kept = of_another_app(&server, &way.url, Some(&public(&key, 64)));
    let mut files = vec![
        (public(&key, 64), "no RSA private key"),
        (String::new(), "no RSA private key"),
        (private(&key)[..900].to_owned(), "no RSA private key"),
    ];
    if skip::can_run("openssl", &["version"]) {
        let openssl = |arguments: &[&str]| {
            let made = Command::new("openssl").args(arguments).output().unwrap();
            String::from_utf8(made.stdout).unwrap()
        };
        let elliptic = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256";
        let short = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:512";
        let locked = "genpkey -algorithm RSA -pass pass:secret -aes256";
        for (made_by, words) in [
            (elliptic, "no RSA private key"),
            (short, "1024 to 8192 bits"),
            (locked, "encrypted with a passphrase"),
        ] {
            let pem = openssl(&made_by.split(' ').collect::<Vec<_>>());
            assert!(pem.contains("PRIVATE KEY"), "{made_by}: {pem}");
            files.push((pem, words));
        }
    }
    for (pem, words) in files {
        let ended = adopt(&scanner, &kept, Some(&pem), &[]);
        ended.complains(2, words);
        assert!(ended.stderr.contains("openssl pkey"), "{ended:?}");
    }
    assert!(way.requests().is_empty(), "the key was sent");
    assert!(!scanner.home().exists());
}

#[test]
fn the_rsa_key_may_come_from_a_pipe_that_is_open_and_no_other_is_waited_for() {
    let (server, key) = (server(), rsa_key());
    let scanner = Scanner::new();
    let kept = of_another_app(&server, &server.url, Some(&public(&key, 64)));
    let [existing, pem, pipe] =
        ["existing", "pem", "pipe"].map(|name| scanner.scratch().join(name));
    fs::write(&existing, kept.to_string()).unwrap();
    fs::write(&pem, private(&key)).unwrap();
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let existing = existing.to_str().unwrap();
    let adopt = ["adopt", existing, "--media-key"];

    let ended = scanner.run(&[&adopt[..], &[pipe.to_str().unwrap()]].concat());
    ended.complains(1, "it is not a regular file");
    assert_eq!(scanner.status()["state"], "not-enrolled");

    for file in ["-", "/dev/stdin", "/dev/fd/0"] {
        let scanner = Scanner::new();
        let arguments = [&adopt[..], &[file]].concat();
        let input = fs::read(&pem).unwrap();
        scanner.run_with_input(&arguments, &input).succeeds();
        reads_its_keys(&scanner);
    }
}

#[test]
fn an_answer_that_is_lost_costs_no_device_and_the_same_command_takes_it_over() {
    let (server, key) = (server(), rsa_key());
    let (scanner, way) = (Scanner::new(), Way::to(&server.url));
    let kept = of_another_app(&server, &way.url, Some(&public(&key, 76)));
    way.hold_next("POST /api/v1/device/update");
    let pem = private(&key);
    let ended = std::thread::scope(|scope| {
        let adopting = scope.spawn(|| adopt(&scanner, &kept, Some(&pem), &[]));
        way.wait_until_held();
        way.lose_answers();
        way.let_go();
        adopting.join().unwrap()
    });
    ended.complains(8, "");
    assert!(!ended.stderr.contains("gatehand update"), "{ended:?}");
    assert_eq!(scanner.status()["state"], "not-enrolled");
    way.lose_nothing();
    adopt(&scanner, &kept, Some(&pem), &[]).succeeds();
    reads_its_keys(&scanner);
}
