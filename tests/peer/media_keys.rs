//! Keys for NFC media, which pretix makes and encrypts to each device.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use crate::common::faulty_way::Fault;
use crate::pretix::{ORGANIZER, pretix};
use crate::{Enrolled, was_repeated};

/// Lets the organizer use chips that need keys.
fn use_chips_with_keys() {
    let settings = json!({
        "reusable_media_type_nfc_uid": false, "reusable_media_type_nfc_mf0aes": true,
    });
    let path = format!("/api/v1/organizers/{ORGANIZER}/settings/");
    let answer = pretix().request(Method::PATCH, &path, |request| request.json(&settings));
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// The keys as another device decrypts them with a key of its own.
fn as_another_app_reads_them() -> Value {
    let rng = &mut rsa::rand_core::UnwrapErr(getrandom::SysRng);
    let private = rsa::PrivateKey::new(rng, 2048).unwrap();
    let public = private.to_public_key().to_public_key_pem(LineEnding::LF);
    let created = pretix().create_device("Chips elsewhere");
    let device = pretix().enrol_with_another_app(&created.token, Some(&public.unwrap()));
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
