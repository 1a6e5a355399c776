//! Keys for NFC media, which pretix makes and encrypts to each device.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use crate::common::faulty_way::Fault;
use crate::common::scanner::Scanner;
use crate::pretix::{ORGANIZER, pretix};
use crate::{Enrolled, recover, standing, was_repeated};

/// Lets the organizer use chips that need keys.
fn use_chips_with_keys() {
    let settings = json!({
        "reusable_media_type_nfc_uid": false, "reusable_media_type_nfc_mf0aes": true,
    });
    let path = format!("/api/v1/organizers/{ORGANIZER}/settings/");
    let answer = pretix().request(Method::PATCH, &path, |request| request.json(&settings));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn rsa_key(bits: usize) -> rsa::PrivateKey {
    let rng = &mut rsa::rand_core::UnwrapErr(getrandom::SysRng);
    rsa::PrivateKey::new(rng, bits).unwrap()
}

/// A public key in PEM, with lines of this width.
fn public(key: &rsa::PrivateKey, width: usize) -> String {
    let pem = key.to_public_key().to_public_key_pem(LineEnding::LF);
    let pem = pem.unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let lines: Vec<&str> = (0..body.len())
        .step_by(width)
        .map(|from| &body[from..body.len().min(from + width)])
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    )
}

/// The keys as another device decrypts them with a key of its own.
fn as_another_app_reads_them() -> Value {
    let private = rsa_key(2048);
    let created = pretix().create_device("Chips elsewhere");
    let device = pretix().enrol_with_another_app(&created.token, Some(&public(&private, 64)));
    let key = device["api_token"].as_str().unwrap();
    let mut sets = pretix()
        .as_device(key, Method::GET, "/api/v1/device/info")
        .json()["medium_key_sets"]
        .take();
    for set in sets.as_array_mut().unwrap() {
        for field in ["uid_key", "diversification_key"] {
            let sealed = BASE64_STANDARD
                .decode(set[field].as_str().unwrap())
                .unwrap();
            let plain = private.decrypt(rsa::Pkcs1v15Encrypt, &sealed).unwrap();
            assert_eq!(plain.len(), 16);
            set[field] = plain
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into();
        }
    }
    sets
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn every_device_reads_the_same_keys_whatever_happens_to_the_answers() {
    use_chips_with_keys();
    let sets = as_another_app_reads_them();
    assert_eq!(sets[0]["media_type"], "nfc_mf0aes");
    assert_eq!(sets[0]["organizer"], ORGANIZER);

    let device = Enrolled::new("Chips");
    assert!(device.scanner.told(&["info"])["media_keys"].is_null());
    device.way.once("/device/update", Fault::LoseAnswer);
    let told = device.scanner.told(&["info", "--media-keys"]);
    assert_eq!(told["media_keys"], sets);
    was_repeated(&device.way, "/api/v1/device/update");
    let key = &told["reported"]["rsa_pubkey"];

    device.way.once("/device/info", Fault::LoseAnswer);
    assert_eq!(
        device.scanner.told(&["info", "--media-keys"])["media_keys"],
        sets
    );
    device.scanner.run(&["roll"]).succeeds();
    device.scanner.run(&["update", "--os-name", "X"]).succeeds();
    let told = device.scanner.told(&["info", "--media-keys"]);
    assert_eq!(
        (&told["media_keys"], &told["reported"]["rsa_pubkey"]),
        (&sets, key)
    );
}

/// What pretix says to a report with this RSA key.
fn reporting(key: &str, rsa_pubkey: &str) -> (u16, Value) {
    let report = json!({
        "hardware_brand": "Zebra", "hardware_model": "TC25", "software_brand": "pretixSCAN",
        "software_version": "1", "rsa_pubkey": rsa_pubkey,
    });
    let answer = pretix().report(key, &report);
    (answer.status, answer.json()["rsa_pubkey"].clone())
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn pretix_takes_one_rsa_key_of_a_device_and_no_other_text_of_it() {
    let private = rsa_key(2048);
    let created = pretix().create_device("Chips once");
    let device = pretix().enrol_with_another_app(&created.token, Some(&public(&private, 76)));
    let key = device["api_token"].as_str().unwrap();
    let refused = json!(["You cannot change the rsa_pubkey of the device once it is set."]);
    for (expected, text) in [
        ((200, Value::Null), public(&private, 76)),
        ((200, Value::Null), public(&private, 76) + "\n"),
        ((400, refused.clone()), public(&private, 64)),
        ((400, refused.clone()), public(&private, 1000)),
        ((400, refused), public(&rsa_key(2048), 76)),
    ] {
        assert_eq!(reporting(key, &text), expected, "{text}");
    }
}

#[test]
#[ignore = "starts a real pretix: make test"]
fn a_device_of_another_app_reads_its_keys_with_that_app_s_rsa_key_and_no_other_is_adopted() {
    use_chips_with_keys();
    let sets = as_another_app_reads_them();
    for width in [76, 64, 1000] {
        let private = rsa_key(2048);
        let (scanner, way) = (Scanner::new(), pretix().way());
        let created = pretix().create_device("Chips of old");
        let reported = public(&private, width);
        let device = pretix().enrol_with_another_app(&created.token, Some(&reported));
        let kept = json!({
            "url": way.url, "api_token": device["api_token"], "unique_serial": device["unique_serial"],
        });
        let file = scanner.scratch().join("key.pem");
        let adopt = |key: &rsa::PrivateKey| {
            std::fs::write(&file, key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes()).unwrap();
            let adopt = ["adopt", "-", "--media-key", file.to_str().unwrap()];
            scanner.run_with_input(&adopt, kept.to_string().as_bytes())
        };
        adopt(&rsa_key(2048)).complains(6, "nothing was adopted");
        assert_eq!(standing(&scanner).0, "not-enrolled");
        assert_eq!(
            pretix().device(created.number)["software_brand"],
            "pretixSCAN"
        );
        way.once("/device/update", Fault::LoseAnswer);
        adopt(&private).succeeds();
        for _ in 0..2 {
            let told = scanner.told(&["info", "--media-keys"]);
            assert_eq!(told["media_keys"], sets, "{width}");
            let now = told["reported"]["rsa_pubkey"].as_str().unwrap();
            assert_eq!(now.trim(), reported);
            scanner.run(&["roll"]).succeeds();
        }
        way.always(Fault::LoseRequest);
        let told = scanner.told(&["info", "--media-keys", "--timeout", "1"]);
        assert_eq!(
            (&told["media_keys"], &told["media_keys_from_vault"]),
            (&sets, &true.into())
        );
        recover(&way);
    }
}
