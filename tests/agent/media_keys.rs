//! Keys for NFC media: made by the server, encrypted to the device, decrypted by the command.

use gatehand::server::model::MediumKeys;
use hyper::Method;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use crate::common::scanner::Scanner;
use crate::common::server::{TestServer, send};

/// A server whose organizer has a key set, and its two keys in hexadecimal.
async fn server() -> (TestServer, [String; 2]) {
    let server = TestServer::start().await;
    let keys = MediumKeys {
        public_id: 7,
        active: true,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: (0..16).collect::<Vec<u8>>().into(),
        diversification_key: (100..116).collect::<Vec<u8>>().into(),
    };
    let shown = [&keys.uid_key, &keys.diversification_key]
        .map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect());
    server
        .store
        .create_medium_keys(server.organizer, keys)
        .await
        .unwrap();
    (server, shown)
}

async fn enrolled(server: &TestServer) -> Scanner {
    let device = server.create_device("Lane 1").await;
    let (scanner, url) = (Scanner::new(), server.url.clone());
    let token = device["initialization_token"].as_str().unwrap().to_owned();
    run(scanner, move |scanner| {
        scanner.init(&url, &token, &[]).succeeds();
    })
    .await
}

/// Runs commands beside the server.
async fn run(scanner: Scanner, work: impl FnOnce(&Scanner) + Send + 'static) -> Scanner {
    tokio::task::spawn_blocking(move || {
        work(&scanner);
        scanner
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_arrive_as_they_were_made_and_the_rsa_key_is_made_once() {
    let (server, [uid_key, diversification_key]) = server().await;
    let scanner = enrolled(&server).await;
    run(scanner, move |scanner| {
        let mut public = None;
        for _ in 0..2 {
            let ended = scanner.run(&["info", "--media-keys", "--json"]);
            let info: Value = serde_json::from_str(&ended.succeeds().stdout).unwrap();
            assert_eq!(
                info["media_keys"],
                json!([{
                    "public_id": 7, "organizer": "bigevents", "active": true,
                    "media_type": "nfc_mf0aes", "uid_key": uid_key,
                    "diversification_key": diversification_key,
                }])
            );
            let sent = info["reported"]["rsa_pubkey"].as_str().unwrap().to_owned();
            assert!(sent.starts_with("-----BEGIN PUBLIC KEY-----"));
            assert_eq!(*public.get_or_insert(sent.clone()), sent);
        }
        scanner.run(&["roll"]).succeeds();
        let ended = scanner.run(&["info", "--media-keys"]);
        assert!(ended.succeeds().stdout.contains(&uid_key), "{ended:?}");
        let plain = scanner.run(&["info", "--json"]);
        assert!(!plain.succeeds().stdout.contains(&uid_key));
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_rsa_key_another_app_has_is_told_and_goes_on_without() {
    let (server, _) = server().await;
    let (_, key) = server.enrol("Lane 1").await;
    let private = rsa::PrivateKey::new(&mut rsa::rand_core::UnwrapErr(getrandom::SysRng), 2048);
    let public = private.unwrap().to_public_key();
    let report = json!({
        "hardware_brand": "Zebra", "hardware_model": "TC25", "software_brand": "pretixSCAN",
        "software_version": "1", "rsa_pubkey": public.to_public_key_pem(LineEnding::LF).unwrap(),
    });
    let update = server.as_device(&key, Method::POST, "/api/v1/device/update");
    let answer = send(update.json(&report)).await;
    assert_eq!(answer.status, 200);
    let existing = json!({
        "url": server.url, "key": key, "serial": answer.json()["unique_serial"],
    });

    run(Scanner::new(), move |scanner| {
        let file = scanner.scratch().join("existing.json");
        std::fs::write(&file, existing.to_string()).unwrap();
        scanner.run(&["adopt", file.to_str().unwrap()]).succeeds();
        for _ in 0..2 {
            scanner
                .run(&["info", "--media-keys"])
                .complains(6, "keeps another RSA key for this device");
        }
        scanner.run(&["info"]).succeeds();
        scanner.run(&["update"]).succeeds();
        let status = scanner.status();
        assert_eq!(status["state"], "enrolled");
        assert!(status["reported"]["rsa_pubkey"].is_null());
    })
    .await;
    server.stop().await;
}
