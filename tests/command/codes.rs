//! Codes that a person may hold before the scanner, as text and as pictures.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use image::{GrayImage, Luma};
use qrcode::QrCode;

use crate::common::scanner::{Scanner, end};
use crate::common::skip;
use crate::common::stranger::{Stranger, identity};

const PAYLOAD: &str =
    r#"{"handshake_version": 1, "url": "https://pretix.eu", "token": "kpp4jn8g2ynzonp6"}"#;

/// Draws `contents` side by side on white and writes them as a PNG.
fn picture(folder: &Path, contents: &[&str]) -> PathBuf {
    const MODULE: u32 = 6;
    const SIDE: u32 = 420;
    let mut picture = GrayImage::from_pixel(SIDE * contents.len().max(1) as u32, SIDE, Luma([255]));
    for (place, content) in (0..).zip(contents) {
        let code = QrCode::new(content).unwrap();
        let width = code.width() as u32;
        for (index, colour) in (0..).zip(code.to_colors()) {
            let dark = u8::from(colour == qrcode::Color::Light) * 255;
            for pixel in 0..MODULE * MODULE {
                picture.put_pixel(
                    place * SIDE + 40 + (index % width) * MODULE + pixel % MODULE,
                    40 + (index / width) * MODULE + pixel / MODULE,
                    Luma([dark]),
                );
            }
        }
    }
    let path = folder.join("picture.png");
    picture.save(&path).unwrap();
    path
}

#[test]
fn an_address_and_a_token_in_options_are_taken_as_they_were_meant() {
    let server = Stranger::answering(identity("k"));
    let token = "kpp4jn8g2ynzonp6";
    for (url, given) in [
        (format!("{}\u{200b}", server.url), token.to_owned()),
        (
            format!("\u{feff}<{}>\u{a0}", server.url),
            format!("\u{201c}{token}\u{201d}"),
        ),
        (
            format!("{}/\r", server.url),
            format!("Initialization token: {token}\n"),
        ),
    ] {
        let scanner = Scanner::new();
        let before = server.requests().len();
        scanner
            .run(&["init", "--url", &url, "--token", &given])
            .succeeds();
        let requests = server.requests().split_off(before);
        assert!(
            requests[0].contains(&format!("\"{token}\"")),
            "{url:?} {given:?}"
        );
    }
}

#[test]
fn a_code_that_is_none_for_enrolment_is_told_for_what_it_is() {
    let with = |field: &str, value: &str| {
        let mut payload: serde_json::Value = serde_json::from_str(PAYLOAD).unwrap();
        payload[field] = serde_json::from_str(value).unwrap();
        payload.to_string()
    };
    let without = |field: &str| {
        let mut payload: serde_json::Value = serde_json::from_str(PAYLOAD).unwrap();
        payload.as_object_mut().unwrap().remove(field);
        payload.to_string()
    };
    for (payload, words) in [
        ("https://example.com/menu".to_owned(), "web address"),
        ("https://pretix.eu".to_owned(), "--token"),
        (
            "https://pretix.eu/kpp4jn8g2ynzonp6".to_owned(),
            "web address with a token in it",
        ),
        (
            "https://pretix.eu?token=kpp4jn8g2ynzonp6".to_owned(),
            "give the address with --url and the token with --token",
        ),
        (
            "localhost:8444 kpp4jn8g2ynzonp6".to_owned(),
            "write https:// before it",
        ),
        (
            "https://pretix.eu kpp4jn8g2ynzonp".to_owned(),
            "the token has 15 characters, where servers hand out 16",
        ),
        (
            "https://pretix.eu KPP4JN8G2YNZONP6".to_owned(),
            "in capitals",
        ),
        (
            "ixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6".to_owned(),
            "the beginning of this link is cut off",
        ),
        ("pretix.eu".to_owned(), "--token"),
        ("kpp4jn8g2ynzonp6".to_owned(), "--url"),
        ("Initialization token: kpp4jn8g2ynzonp6".to_owned(), "--url"),
        (
            "https://pretix.eu https://example.org kpp4jn8g2ynzonp6".to_owned(),
            "--token",
        ),
        (r#"{"a": 1}"#.to_owned(), "something else"),
        (PAYLOAD.replace('"', "!").replace('_', "%"), "layout"),
        (PAYLOAD.to_uppercase().replace('}', ""), "caps lock"),
        (
            format!("{PAYLOAD}\r{}", PAYLOAD.replace("kpp", "ppk")),
            "different",
        ),
        ("q9wkn3ptaedbf7x2m5hr8vzu4csgyj6d".to_owned(), "ticket"),
        (
            r#"{"version": 1, "url": "https://pretix.eu", "key": "ABC"}"#.to_owned(),
            "predecessor",
        ),
        (with("handshake_version", "2"), "update"),
        (with("handshake_version", "\"1\""), "handshake_version"),
        (with("url", "17"), "url"),
        (with("url", "\"\""), "empty url"),
        (with("url", "\"ftp://pretix.eu\""), "https://"),
        (
            with("url", "\"https://ada:secret@pretix.eu\""),
            "user name or password",
        ),
        (with("token", "null"), "token"),
        (with("token", "\" \""), "token"),
        (without("handshake_version"), "handshake_version"),
        (without("url"), "url"),
        (without("token"), "token"),
        ("[]".to_owned(), "JSON"),
        (String::new(), "empty"),
        (
            "pretixscan://setup?url=https%3A%2F%2Fpretix.eu".to_owned(),
            "token",
        ),
        ("x".repeat(100_000), "far too long"),
    ] {
        let scanner = Scanner::new();
        let ended = scanner.run(&["init", "--payload", &payload]);
        ended.complains(4, words);
        assert!(
            !ended.stderr.contains("new code"),
            "the old one is good: {ended:?}"
        );
        assert!(!scanner.home().exists(), "nothing is made for a bad code");
    }
}

#[test]
fn a_token_with_a_slip_is_sent_and_told() {
    let server = Stranger::answering(identity("k"));
    for (token, words) in [
        ("LGD9OE8G2YNZONP6", "the token is in capitals"),
        ("kpp4jn8g2ynzonp", "the token has 15 characters"),
    ] {
        for more in [&[][..], &["--json"]] {
            let scanner = Scanner::new();
            let ended = scanner.init(&server.url, token, more);
            ended.succeeds().complains(0, words);
            assert!(!ended.stderr.contains(token), "{ended:?}");
        }
    }
    let scanner = Scanner::new();
    let ended = scanner.init(&server.url, "kpp4jn8g2ynzonp6", &[]);
    assert!(!ended.stderr.contains("the token"), "{ended:?}");
}

#[test]
fn a_token_in_the_place_of_the_address_is_told_for_what_it_is() {
    for (url, words) in [
        ("kpp4jn8g2ynzonp6", "an initialization token alone"),
        ("KPP4JN8G2YNZONP6", "an initialization token alone"),
        ("pretix", "write it as in https://pretix.eu"),
    ] {
        let ended = Scanner::new().init(url, "kpp4jn8g2ynzonp6", &[]);
        ended.complains(4, words);
        assert!(!ended.stderr.contains("without a base"), "{ended:?}");
    }
}

#[test]
fn a_code_without_its_option_is_told_where_it_belongs() {
    for text in [
        PAYLOAD,
        "kpp4jn8g2ynzonp6",
        "pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6",
    ] {
        for arguments in [&["init", text][..], &[text]] {
            let ended = Scanner::new().run(arguments);
            ended.complains(2, "gatehand init --payload");
            ended.complains(2, "--url and --token");
        }
    }
    let ended = Scanner::new().run(&["init", "photo.jpg"]);
    assert!(!ended.stderr.contains("--payload"), "{ended:?}");
}

#[test]
fn enrolling_has_the_names_that_people_try() {
    for name in ["enroll", "enrol", "register"] {
        let ended = Scanner::new().run(&[name, "--payload", "https://pretix.eu"]);
        ended.complains(4, "web address");
    }
    let help = Scanner::new().run(&["--help"]);
    assert!(!help.stdout.contains("register"), "one word for one thing");
}

#[test]
fn a_picture_without_an_enrolment_or_with_two_is_told() {
    let scanner = Scanner::new();
    let init = |path: &Path| scanner.run(&["init", "--qr-image", path.to_str().unwrap()]);
    let codes = |contents: &[&str]| init(&picture(scanner.scratch(), contents));
    let elsewhere = PAYLOAD.replace("pretix.eu", "tickets.example.org");

    codes(&[]).complains(3, "no QR code");
    codes(&[PAYLOAD, &elsewhere]).complains(3, "https://pretix.eu and https://tickets.example.org");
    codes(&["https://example.com/menu"]).complains(4, "web address");
    let others = codes(&["https://example.com/menu", "WIFI:T:WPA;S:Stage;P:s3cret;;"]);
    others.complains(4, "a Wi-Fi network and a web address");
    assert!(!others.stderr.contains("s3cret"));
    let file = |content: &[u8]| {
        let path = scanner.scratch().join("picture.jpg");
        std::fs::write(&path, content).unwrap();
        init(&path)
    };
    file(b"not a picture").complains(3, "PNG");
    file(b"").complains(3, "empty");
    file(b"%PDF-1.7\n").complains(3, "a PDF");
    file(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").complains(3, "a HEIC picture");
    file(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif").complains(3, "an AVIF picture");
    let whole = std::fs::read(picture(scanner.scratch(), &[PAYLOAD])).unwrap();
    file(&whole[..whole.len() / 2]).complains(3, "damaged or incomplete");
    init(&scanner.scratch().join("missing.png")).complains(1, "can't read");
    init(scanner.scratch()).complains(1, "can't read");
}

#[test]
fn the_one_enrolment_among_other_codes_in_a_picture_is_redeemed() {
    let server = Stranger::answering(identity("k"));
    let payload = PAYLOAD.replace("https://pretix.eu", &server.url);
    let scanner = Scanner::new();
    let picture = picture(
        scanner.scratch(),
        &["https://apps.apple.com/app/id1", &payload, "WIFI:S:Stage;;"],
    );
    if skip::can_run("zbarimg", &["--version"]) {
        // Another reader sees them all.
        let seen = Command::new("zbarimg")
            .args(["--quiet", "--raw"])
            .arg(&picture)
            .output();
        assert_eq!(
            String::from_utf8_lossy(&seen.unwrap().stdout)
                .lines()
                .count(),
            3
        );
    }
    scanner
        .run(&["init", "--qr-image", picture.to_str().unwrap()])
        .succeeds();
    assert!(server.requests()[0].contains("kpp4jn8g2ynzonp6"));
}

#[test]
fn every_form_of_a_code_enrols() {
    let server = Stranger::answering(identity("k"));
    let payload = PAYLOAD.replace("https://pretix.eu", &server.url);
    let url: String = url::form_urlencoded::byte_serialize(server.url.as_bytes()).collect();
    let link = format!("pretixscan://setup?url={url}&token=kpp4jn8g2ynzonp6");

    for text in [&payload, &link] {
        Scanner::new().run(&["init", "--payload", text]).succeeds();

        let scanner = Scanner::new();
        let mut typed = scanner.command(&["init", "--payload", "-"]);
        let mut typed = typed
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        typed
            .stdin
            .take()
            .unwrap()
            .write_all(format!(" {text}\r\n").as_bytes())
            .unwrap();
        assert!(typed.wait().unwrap().success());
    }

    let scanner = Scanner::new();
    let picture = picture(scanner.scratch(), &[&payload]);
    scanner
        .run(&["init", "--qr-image", picture.to_str().unwrap()])
        .succeeds();
    let scanner = Scanner::new();
    let mut piped = scanner.command(&["init", "--qr-image", "-"]);
    piped.stdin(std::fs::File::open(&picture).unwrap());
    end(piped.output().unwrap());
    assert_eq!(scanner.status()["state"], "enrolled");
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    Scanner::new()
        .run(&["init"])
        .complains(2, "nothing to enrol with");
}

#[test]
fn what_is_called_wrongly_is_told() {
    for arguments in [
        &["init", "--url", "https://pretix.eu"][..],
        &["init", "--token", "t"],
        &["init", "--payload", "x", "--token", "t", "--url", "u"],
        &["init", "--timeout", "0", "--payload", "x"],
        &["init", "--payload", PAYLOAD, "--hardware-brand", " "],
        &["unknown"],
    ] {
        assert_eq!(Scanner::new().run(arguments).code, 2, "{arguments:?}");
    }
}
