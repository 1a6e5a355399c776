//! Retries under an idempotency key, beyond the recorded answers.

use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::common::server::{ORGANIZER, TestServer, form, initialization, send};

const INITIALIZE: &str = "/api/v1/device/initialize";

fn keyed(request: RequestBuilder, key: &str) -> RequestBuilder {
    request.header(IDEMPOTENCY_HEADER, key)
}

fn creation() -> Value {
    json!({"name": "Once", "all_events": true, "limit_events": []})
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_is_done_and_the_rest_are_told_to_ask_again() {
    for server in TestServer::on_each().await {
        let attempts: Vec<_> = (0..100)
            .map(|_| {
                let request = server.devices(Method::POST, "").json(&creation());
                tokio::spawn(send(keyed(request, "k")))
            })
            .collect();
        let mut created = Vec::new();
        for attempt in attempts {
            let answer = attempt.await.unwrap();
            match answer.status {
                201 => created.push(answer.json()),
                _ => {
                    assert_eq!(answer.header("retry-after"), "5");
                    answer.is(
                        409,
                        json!({"detail": "Concurrent request with idempotency key."}),
                    );
                }
            }
        }
        assert!(!created.is_empty() && created.iter().all(|device| *device == created[0]));
        let retried = send(keyed(
            server.devices(Method::POST, "").json(&creation()),
            "k",
        ))
        .await;
        retried.is(201, created[0].clone());
        assert_eq!(
            send(server.devices(Method::GET, "")).await.json()["count"],
            1
        );
    }
}

#[tokio::test]
async fn the_key_counts_whatever_path_method_and_body_come_with_it() {
    for server in TestServer::on_each().await {
        let first = send(keyed(
            server.devices(Method::POST, "").json(&creation()),
            "k",
        ))
        .await;
        let again = send(keyed(
            server.as_admin(Method::DELETE, "/api/v1/nothing/there"),
            "k",
        ))
        .await;
        assert_eq!((again.status, again.json()), (201, first.json()));
        assert_eq!(again.header("allow"), first.header("allow"));
        // Another key, another caller and no key at all are other requests.
        let other = send(keyed(
            server.devices(Method::POST, "").json(&creation()),
            "l",
        ))
        .await;
        assert_eq!(other.json()["device_id"], 2);
        let writer = server.token(&["organizer.devices:write"]).await;
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
        let request = server.request(Method::POST, &path).json(&creation());
        let request = request.header("Authorization", format!("Token {writer}"));
        assert_eq!(send(keyed(request, "k")).await.json()["device_id"], 3);
        let request = keyed(server.devices(Method::POST, "").json(&creation()), "");
        assert_eq!(send(request).await.json()["device_id"], 4);
        // Who only asks is answered as things are.
        assert_eq!(
            send(keyed(server.devices(Method::GET, ""), "k"))
                .await
                .json()["count"],
            4
        );
    }
}

#[tokio::test]
async fn refusals_are_kept_too() {
    for server in TestServer::on_each().await {
        let request = |name: &str| {
            let body = json!({"name": name, "limit_events": []});
            keyed(server.devices(Method::POST, "").json(&body), "k")
        };
        let refused = send(request("")).await;
        refused.is(400, json!({"name": ["This field may not be blank."]}));
        assert_eq!(send(request("better")).await.json(), refused.json());
        let unknown = server.request(Method::POST, "/api/v1/device/roll");
        let unknown = || keyed(unknown.try_clone().unwrap(), "k");
        let first = send(unknown()).await;
        let second = send(unknown()).await;
        assert_eq!((first.status, second.status), (401, 401));
        assert_eq!(second.header("www-authenticate"), "Device");
    }
}

#[tokio::test]
async fn two_clients_with_the_same_poor_key_get_their_own_answers() {
    for server in TestServer::on_each().await {
        let devices = [
            server.create_device("a").await,
            server.create_device("b").await,
        ];
        let mut identities = Vec::new();
        for device in &devices {
            let body = initialization(device);
            let first = send(keyed(
                server.request(Method::POST, INITIALIZE).json(&body),
                "1",
            ))
            .await;
            assert_eq!(first.status, 200, "{}", first.text);
            let retry = keyed(server.request(Method::POST, INITIALIZE), "1");
            let fields: Vec<(String, String)> = body
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect();
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            assert_eq!(
                send(form(retry, &fields)).await.json(),
                first.json(),
                "a form says the same"
            );
            identities.push(first.json());
        }
        assert_ne!(identities[0]["api_token"], identities[1]["api_token"]);
    }
}

#[tokio::test]
async fn a_kept_answer_is_told_to_its_caller_only() {
    for server in TestServer::on_each().await {
        let unseen = json!({"detail": "Idempotency key not seen before."});
        let none_given = json!({"detail": "No idempotency key given."});
        let query = "/api/v1/idempotency_query?key=k";

        let device = server.create_device("Door").await;
        let body = initialization(&device);
        let first = send(keyed(
            server.request(Method::POST, INITIALIZE).json(&body),
            "k",
        ))
        .await;
        send(server.request(Method::GET, query))
            .await
            .is(404, unseen.clone());
        let path = "/api/v1/idempotency_query?key=";
        send(server.request(Method::GET, path))
            .await
            .is(404, none_given);

        let key = first.json()["api_token"].as_str().unwrap().to_owned();
        let rolled = send(keyed(
            server.as_device(&key, Method::POST, "/api/v1/device/roll"),
            "k",
        ))
        .await;
        // The key is dead by now, and still the way to the answer.
        let asked = send(server.as_device(&key, Method::GET, query)).await;
        assert_eq!(asked.header("allow"), "GET, HEAD, OPTIONS");
        asked.is(200, rolled.json());
        send(server.as_admin(Method::GET, query))
            .await
            .is(404, unseen);
        let answer = send(server.as_admin(Method::POST, query)).await;
        assert_eq!(answer.status, 405);
        let page = send(keyed(
            server.as_admin(Method::POST, "/api/v1/nothing/there"),
            "k",
        ))
        .await;
        let asked = send(server.as_admin(Method::GET, query)).await;
        asked.is(404, json!(page.text));
    }
}

#[tokio::test]
async fn a_revoked_device_is_told_so_also_where_it_lost_its_fresh_key() {
    for server in TestServer::on_each().await {
        let (_, key) = server.enrol("Door").await;
        let roll = |key: &str, name: &str| {
            let request = server.as_device(key, Method::POST, "/api/v1/device/roll");
            send(keyed(request, name))
        };
        let rolled = roll(&key, "roll").await;
        let fresh = rolled.json()["api_token"].as_str().unwrap().to_owned();
        let again = roll(&fresh, "roll again").await;
        let last = again.json()["api_token"].as_str().unwrap().to_owned();
        let report = || {
            let request = server.as_device(&last, Method::POST, "/api/v1/device/update");
            let body = json!({"hardware_brand": "Zebra", "hardware_model": "TC25",
                "software_brand": "gatehand", "software_version": "1"});
            send(keyed(request.json(&body), "report"))
        };
        assert_eq!(report().await.status, 200);
        let revoked = server.store.revoke_device(server.organizer, 1).await;
        revoked.unwrap();
        // Its dead key is answered as before: the key that comes so knows that it was revoked.
        roll(&fresh, "roll again").await.is(200, again.json());
        let revoked = json!({"detail": "Device access has been revoked."});
        // What it was answered before is still so, as at the reference; nothing more is done.
        assert_eq!(report().await.status, 200);
        roll(&last, "another").await.is(401, revoked.clone());
        let request = server.as_device(&last, Method::GET, "/api/v1/device/info");
        send(request).await.is(401, revoked);
    }
}

#[tokio::test]
async fn kept_answers_survive_a_restart() {
    for server in TestServer::on_each().await {
        let device = server.create_device("Door").await;
        let body = initialization(&device);
        let first = send(keyed(
            server.request(Method::POST, INITIALIZE).json(&body),
            "k",
        ))
        .await;
        let server = TestServer::start_in(server.stop().await, None).await;
        let retry = send(keyed(
            server.request(Method::POST, INITIALIZE).json(&body),
            "k",
        ))
        .await;
        assert_eq!((retry.status, retry.json()), (200, first.json()));
    }
}

#[tokio::test]
async fn of_the_refusals_to_one_address_only_the_newest_are_kept() {
    let server = TestServer::start().await;
    let created = send(keyed(
        server.devices(Method::POST, "").json(&creation()),
        "first",
    ))
    .await;
    for number in 0..300 {
        let request = server.as_device("wrong", Method::POST, "/api/v1/device/roll");
        send(keyed(request, &number.to_string())).await;
    }
    let kept = rusqlite::Connection::open(server.database()).unwrap();
    let (refusals, others): (u64, u64) = kept
        .query_row(
            "SELECT count(refused_to), count(*) - count(refused_to) FROM kept_answer",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(
        (refusals, others),
        (gatehand::server::store::REFUSALS_KEPT, 1)
    );
    let retried = send(keyed(
        server.devices(Method::POST, "").json(&creation()),
        "first",
    ))
    .await;
    assert_eq!(retried.json(), created.json());
}

#[tokio::test]
async fn answers_older_than_a_day_are_neither_repeated_nor_kept() {
    let server = TestServer::start().await;
    let request = || keyed(server.devices(Method::POST, "").json(&creation()), "k");
    assert_eq!(send(request()).await.json()["device_id"], 1);
    let age = |hours: i64| {
        let database = rusqlite::Connection::open(server.database()).unwrap();
        let micros = hours * 3_600_000_000;
        let changed = database
            .execute("UPDATE kept_answer SET created = created - ?1", [micros])
            .unwrap();
        assert_eq!(changed, 1);
    };
    age(23);
    assert_eq!(send(request()).await.json()["device_id"], 1);
    age(2);
    assert_eq!(send(request()).await.json()["device_id"], 2);
    age(25);
    let now = jiff::Timestamp::now();
    server
        .store
        .sweep_answers(gatehand::server::store::oldest_kept(now))
        .await
        .unwrap();
    let database = rusqlite::Connection::open(server.database()).unwrap();
    let kept: u32 = database
        .query_row("SELECT count(*) FROM kept_answer", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_header_that_names_nobody_does_not_make_two_callers_one() {
    for header in [
        "",
        " ",
        "Device null",
        "Token x",
        "Bearer x",
        "Basic YWE6YmI=",
    ] {
        let server = TestServer::start().await;
        let mut serials = Vec::new();
        for name in ["First", "Second"] {
            let device = server.create_device(name).await;
            let request = server
                .request(Method::POST, INITIALIZE)
                .header("Authorization", header)
                .json(&initialization(&device));
            let identity = send(keyed(request, "poor")).await;
            assert_eq!(identity.status, 200, "{header:?}: {identity:?}");
            assert_eq!(
                identity.json()["unique_serial"],
                device["unique_serial"],
                "{header:?}"
            );
            serials.push(identity.json()["api_token"].clone());
        }
        assert_ne!(serials[0], serials[1], "{header:?}");
        let asked = server
            .request(Method::GET, "/api/v1/idempotency_query?key=poor")
            .header("Authorization", header);
        assert_eq!(send(asked).await.status, 404, "{header:?}");
    }
}

#[tokio::test]
async fn a_huge_refusal_is_not_kept() {
    let server = TestServer::start().await;
    let long = "x".repeat(20_000);
    let kept = || {
        let database = rusqlite::Connection::open(server.database()).unwrap();
        let count = database.query_row("SELECT count(*) FROM kept_answer", [], |row| row.get(0));
        count.unwrap_or(-1_i64)
    };
    let path = format!("/api/v1/organizers/{long}/devices");
    let redirected = send(keyed(server.request(Method::DELETE, &path), "k")).await;
    assert_eq!((redirected.status, kept()), (301, 0));
    let refused = json!({"name": "x", "limit_events": [], "security_profile": long});
    let refused = send(keyed(server.devices(Method::POST, "").json(&refused), "k")).await;
    assert_eq!((refused.status, kept()), (400, 0));
    let refused = json!({"name": "", "limit_events": []});
    let refused = send(keyed(server.devices(Method::POST, "").json(&refused), "k")).await;
    assert_eq!((refused.status, kept()), (400, 1));
}
