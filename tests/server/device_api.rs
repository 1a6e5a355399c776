//! What a device does itself, beyond the recorded answers.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use gatehand::server::model::{DeviceChange, MediumKeys};
use gatehand::server::store::GateChange;
use reqwest::Method;
use rsa::pkcs1::EncodeRsaPublicKey;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use crate::common::server::{ORGANIZER, TestServer, form, initialization, send};

const INITIALIZE: &str = "/api/v1/device/initialize";
const UPDATE: &str = "/api/v1/device/update";
const INFO: &str = "/api/v1/device/info";

fn report() -> Value {
    json!({
        "hardware_brand": "Zebra", "hardware_model": "TC25",
        "software_brand": "pretixSCAN", "software_version": "1.6",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_attempts_at_once_one_redeems_the_token() {
    let server = Arc::new(TestServer::start().await);
    let body = initialization(&server.create_device("Door").await);
    let attempts: Vec<_> = (0..1000)
        .map(|_| {
            let request = server.request(Method::POST, INITIALIZE).json(&body);
            tokio::spawn(send(request))
        })
        .collect();
    let mut redeemed = 0;
    for attempt in attempts {
        let answer = attempt.await.unwrap();
        if answer.status == 200 {
            redeemed += 1;
        } else {
            answer.is(
                400,
                json!({"token": ["This initialization token has already been used."]}),
            );
        }
    }
    assert_eq!(redeemed, 1);
}

#[tokio::test]
async fn a_refused_request_does_not_use_the_token_up() {
    let server = TestServer::start().await;
    let device = server.create_device("Door").await;
    let mut body = initialization(&device);
    body["hardware_brand"] = json!("");
    body["os_name"] = json!("");
    body["info"] = json!({"a": [1]});
    let answer = send(server.request(Method::POST, INITIALIZE).json(&body)).await;
    answer.is(
        400,
        json!({
            "hardware_brand": ["This field may not be blank."],
            "os_name": ["This field may not be blank."],
        }),
    );
    let body = initialization(&device);
    assert_eq!(
        send(server.request(Method::POST, INITIALIZE).json(&body))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_token_is_trimmed_and_credentials_are_ignored() {
    let server = TestServer::start().await;
    let device = server.create_device("Door").await;
    let mut body = initialization(&device);
    body["token"] = json!(format!(
        " {} \n",
        device["initialization_token"].as_str().unwrap()
    ));
    let request = server.as_device("wrong", Method::POST, INITIALIZE);
    assert_eq!(send(request.json(&body)).await.status, 200);
}

#[tokio::test]
async fn the_token_of_a_revoked_device_is_refused() {
    let server = TestServer::start().await;
    let device = server.create_device("Door").await;
    server
        .store
        .revoke_device(server.organizer, 1)
        .await
        .unwrap();
    let request = server.request(Method::POST, INITIALIZE);
    let answer = send(request.json(&initialization(&device))).await;
    answer.is(
        400,
        json!({"token": ["This initialization token has been revoked."]}),
    );
}

#[tokio::test]
async fn null_and_absence_clear_what_is_optional_and_an_empty_form_field_too() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let shown = async || {
        let device = send(server.devices(Method::GET, "1/")).await.json();
        (device["os_name"].clone(), device["os_version"].clone())
    };
    assert_eq!(shown().await, (json!("Android"), json!("8.1.0")));
    let mut body = report();
    body["os_name"] = json!("Linux");
    body["os_version"] = json!(null);
    body["info"] = json!(null);
    body["rsa_pubkey"] = json!(null);
    let answer = send(server.as_device(&key, Method::POST, UPDATE).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(shown().await, (json!("Linux"), json!(null)));
    let fields = [
        ("hardware_brand", "a"),
        ("hardware_model", "b"),
        ("software_brand", "c"),
        ("software_version", "d"),
        ("os_name", ""),
        ("os_version", "9"),
        ("rsa_pubkey", ""),
        ("info", "{\"battery\": 5}"),
    ];
    let request = form(server.as_device(&key, Method::POST, UPDATE), &fields);
    let answer = send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(shown().await, (json!(null), json!("9")));
    let request = form(
        server.as_device(&key, Method::POST, UPDATE),
        &[("info", "{")],
    );
    let errors = send(request).await.json();
    assert_eq!(errors["info"], json!(["Value must be valid JSON."]));
    assert_eq!(errors["hardware_brand"], json!(["This field is required."]));
}

#[tokio::test]
async fn diagnostics_may_be_any_json() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let mut body = report();
    for info in [
        json!("text"),
        json!([1, 2.5, null]),
        json!(true),
        json!({"a": {"b": []}}),
    ] {
        body["info"] = info;
        let answer = send(server.as_device(&key, Method::POST, UPDATE).json(&body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let body = report()
        .to_string()
        .replacen('{', &format!("{{\"info\":{deep},"), 1);
    let request = server.as_device(&key, Method::POST, UPDATE);
    let answer = send(
        request
            .header("Content-Type", "application/json")
            .body(body),
    )
    .await;
    answer.is(400, json!({"info": ["Value must be valid JSON."]}));
}

#[tokio::test]
async fn a_rolled_key_is_dead_and_a_revoked_one_is_told_so() {
    let server = TestServer::start().await;
    let (_, old) = server.enrol("Door").await;
    let answer = send(server.as_device(&old, Method::POST, "/api/v1/device/roll")).await;
    let new = answer.json()["api_token"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    let answer = send(server.as_device(&old, Method::POST, "/api/v1/device/roll")).await;
    assert_eq!(answer.header("www-authenticate"), "Device");
    answer.is(401, json!({"detail": "Invalid token."}));
    server
        .store
        .revoke_device(server.organizer, 1)
        .await
        .unwrap();
    let revoked = json!({"detail": "Device access has been revoked."});
    for (method, path) in [
        (Method::POST, "/api/v1/device/roll"),
        (Method::POST, "/api/v1/device/revoke"),
        (Method::POST, UPDATE),
        (Method::GET, INFO),
    ] {
        send(server.as_device(&new, method, path))
            .await
            .is(401, revoked.clone());
    }
    let answer = send(server.as_device(&new, Method::GET, "/api/v1/version")).await;
    assert!(answer.headers.get("www-authenticate").is_none());
    answer.is(403, revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_rolls_at_once_one_succeeds() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let rolls: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn(send(server.as_device(
                &key,
                Method::POST,
                "/api/v1/device/roll",
            )))
        })
        .collect();
    let mut rolled = Vec::new();
    for roll in rolls {
        let answer = roll.await.unwrap();
        match answer.status {
            200 => rolled.push(answer.json()["api_token"].as_str().unwrap().to_owned()),
            _ => answer.is(401, json!({"detail": "Invalid token."})),
        }
    }
    assert_eq!(rolled.len(), 1);
    assert_eq!(
        send(server.as_device(&rolled[0], Method::GET, INFO))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn rolling_and_revoking_do_not_look_at_the_body() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let request = server.as_device(&key, Method::POST, "/api/v1/device/revoke");
    let answer = send(request.header("Content-Type", "text/plain").body("{")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["api_token"], key);
}

#[tokio::test]
async fn security_profiles_hold_on_every_request() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let status = async |method: Method, path: &str| {
        let answer = send(server.as_device(&key, method, path)).await;
        if answer.status == 403 && !answer.text.is_empty() {
            let denied = json!({"detail": "Request denied by device security profile."});
            assert_eq!(answer.json(), denied);
        }
        answer.status
    };
    let change = |profile: &str| {
        let change = DeviceChange {
            security_profile: Some(profile.to_owned()),
            ..DeviceChange::default()
        };
        server.store.edit_device(server.organizer, 1, change)
    };
    change("pretixscan").await.unwrap();
    assert_eq!(status(Method::GET, INFO).await, 200);
    assert_eq!(status(Method::HEAD, INFO).await, 403);
    assert_eq!(status(Method::POST, INFO).await, 403);
    assert_eq!(status(Method::OPTIONS, INFO).await, 403);
    assert_eq!(
        status(Method::GET, "/api/v1/idempotency_query?key=a").await,
        404
    );
    // A profile that we don't know lets nothing through.
    change("pretixpos").await.unwrap();
    for (method, path) in [
        (Method::GET, INFO),
        (Method::GET, "/api/v1/version"),
        (Method::GET, "/api/v1/device/eventselection"),
        (Method::GET, "/api/v1/idempotency_query?key=a"),
        (Method::POST, UPDATE),
        (Method::POST, "/api/v1/device/roll"),
        (Method::POST, "/api/v1/device/revoke"),
    ] {
        assert_eq!(status(method, path).await, 403, "{path}");
    }
}

#[tokio::test]
async fn a_device_tells_its_gate_while_that_is_in_use() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let (store, organizer) = (&server.store, server.organizer);
    let gate = store.create_gate(organizer, "N1", "North").await.unwrap();
    let at_gate = DeviceChange {
        gate: Some(Some("N1".to_owned())),
        ..DeviceChange::default()
    };
    store.edit_device(organizer, 1, at_gate).await.unwrap();
    let shown = async || {
        let answer = send(server.as_device(&key, Method::GET, INFO)).await.json();
        answer["device"]["gate"].clone()
    };
    assert_eq!(
        shown().await,
        json!({"id": gate.id, "name": "North", "identifier": "N1"})
    );
    let device = send(server.devices(Method::GET, "1/")).await.json();
    assert!(
        device.get("gate").is_none(),
        "the devices resource has no gate"
    );
    let change = GateChange {
        active: Some(false),
        ..GateChange::default()
    };
    store.change_gate(organizer, "N1", change).await.unwrap();
    assert_eq!(shown().await, json!(null));
}

#[tokio::test]
async fn keys_for_media_are_encrypted_to_the_device() {
    let server = TestServer::start().await;
    let keys = MediumKeys {
        public_id: 7,
        active: true,
        media_type: "nfc_mf0aes".to_owned(),
        uid_key: vec![1; 16].into(),
        diversification_key: vec![2; 16].into(),
    };
    server
        .store
        .create_medium_keys(server.organizer, keys)
        .await
        .unwrap();
    let (_, key) = server.enrol("Door").await;
    let sets = async || {
        let answer = send(server.as_device(&key, Method::GET, INFO)).await.json();
        answer["medium_key_sets"].clone()
    };
    assert_eq!(sets().await, json!([]), "a device without a key gets none");

    let private = rsa::PrivateKey::new(&mut rsa_randomness(), 2048).unwrap();
    let public = private.to_public_key();
    let mut body = report();
    body["rsa_pubkey"] = json!(public.to_public_key_pem(LineEnding::LF).unwrap());
    let answer = send(server.as_device(&key, Method::POST, UPDATE).json(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let sets = sets().await;
    let decrypted = |name: &str| {
        let encrypted = BASE64_STANDARD
            .decode(sets[0][name].as_str().unwrap())
            .unwrap();
        private.pkcs1v15_decrypt(&encrypted).unwrap()
    };
    assert_eq!(decrypted("uid_key"), [1; 16]);
    assert_eq!(decrypted("diversification_key"), [2; 16]);
    assert_eq!(
        (
            &sets[0]["public_id"],
            &sets[0]["organizer"],
            &sets[0]["media_type"],
            &sets[0]["active"]
        ),
        (
            &json!(7),
            &json!(ORGANIZER),
            &json!("nfc_mf0aes"),
            &json!(true)
        )
    );
}

#[tokio::test]
async fn only_rsa_public_keys_are_taken_and_none_that_is_set_changes() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let ecdsa = rcgen::KeyPair::generate().unwrap().public_key_pem();
    for pem in [
        "",
        "x",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        &ecdsa,
    ] {
        let mut body = report();
        body["rsa_pubkey"] = json!(pem);
        let errors = send(server.as_device(&key, Method::POST, UPDATE).json(&body))
            .await
            .json();
        let error = match pem {
            "" => "This field may not be blank.",
            _ => "Not a valid public key.",
        };
        assert_eq!(errors, json!({"rsa_pubkey": [error]}));
    }
    let public = rsa::PrivateKey::new(&mut rsa_randomness(), 1024)
        .unwrap()
        .to_public_key();
    let mut body = report();
    body["rsa_pubkey"] = json!(public.to_pkcs1_pem(LineEnding::LF).unwrap().as_str());
    let update =
        async |body: &Value| send(server.as_device(&key, Method::POST, UPDATE).json(body)).await;
    assert_eq!(update(&body).await.status, 200);
    assert_eq!(
        update(&report()).await.status,
        200,
        "leaving it away keeps it"
    );
    assert_eq!(update(&body).await.status, 200);
    body["rsa_pubkey"] = json!(public.to_public_key_pem(LineEnding::LF).unwrap());
    body["os_name"] = json!("changed");
    update(&body).await.is(
        400,
        json!({"rsa_pubkey": ["You cannot change the rsa_pubkey of the device once it is set."]}),
    );
    let device = send(server.devices(Method::GET, "1/")).await.json();
    assert_eq!(device["os_name"], json!(null), "nothing of it is stored");
}

fn rsa_randomness() -> impl rsa::rand_core::CryptoRng {
    rsa::rand_core::UnwrapErr(getrandom::SysRng)
}

#[tokio::test]
async fn an_event_selection_with_strange_numbers_is_answered() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    for query in [
        "?current_subevent=abc&current_checkinlist=",
        "?current_event=%00%ff",
        "?&&=&",
    ] {
        let path = format!("/api/v1/device/eventselection{query}");
        let answer = send(server.as_device(&key, Method::GET, &path)).await;
        assert_eq!((answer.status, answer.text.as_str()), (404, ""), "{query}");
        assert!(answer.headers.get("content-type").is_none());
    }
}

#[tokio::test]
async fn each_endpoint_does_what_its_allow_says_and_nothing_else() {
    const DEVICE: &str = "Device";
    const TOKEN: &str = "Token";
    let server = TestServer::start().await;
    for (path, name, caller, allowed) in [
        (
            "/api/v1/organizers/bigevents/devices/",
            "Device List",
            TOKEN,
            "GET, POST, HEAD, OPTIONS",
        ),
        (
            "/api/v1/organizers/bigevents/devices/1/",
            "Device Instance",
            TOKEN,
            "GET, PUT, PATCH, HEAD, OPTIONS",
        ),
        (
            "/api/v1/device/initialize",
            "Initialize",
            "",
            "POST, OPTIONS",
        ),
        (UPDATE, "Update", DEVICE, "POST, OPTIONS"),
        ("/api/v1/device/roll", "Roll Key", DEVICE, "POST, OPTIONS"),
        (
            "/api/v1/device/revoke",
            "Revoke Key",
            DEVICE,
            "POST, OPTIONS",
        ),
        (INFO, "Info", DEVICE, "GET, HEAD, OPTIONS"),
        (
            "/api/v1/device/eventselection",
            "Event Selection",
            DEVICE,
            "GET, HEAD, OPTIONS",
        ),
        ("/api/v1/version", "Version", TOKEN, "GET, HEAD, OPTIONS"),
        (
            "/api/v1/idempotency_query?key=a",
            "Idempotency Query",
            TOKEN,
            "GET, HEAD, OPTIONS",
        ),
    ] {
        for method in [
            "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "ODD",
        ] {
            let asked = Method::from_bytes(method.as_bytes()).unwrap();
            let request = match caller {
                DEVICE => {
                    // What is allowed may end its access.
                    let (_, key) = server.enrol("Door").await;
                    server.as_device(&key, asked, path)
                }
                TOKEN => server.as_admin(asked, path),
                _ => server.request(asked, path),
            };
            let answer = send(request).await;
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            let may = allowed.split(", ").any(|other| other == method);
            assert_eq!(answer.status == 405, !may, "{method} {path}: {answer:?}");
            if !may {
                let detail = format!("Method \"{method}\" not allowed.");
                let detail = json!({ "detail": detail });
                assert_eq!(
                    answer.header("content-length"),
                    detail.to_string().len().to_string()
                );
                // The answer to `HEAD` has no body.
                assert!(method == "HEAD" || answer.json() == detail, "{answer:?}");
            }
            if method == "OPTIONS" {
                assert_eq!(answer.json()["name"], name);
            }
        }
    }
}
