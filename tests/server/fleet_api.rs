//! What the devices resource does for fleets beyond the reference, see docs/FLEET_API.md.

use std::time::{Duration, Instant};

use gatehand::server::Config;
use gatehand::server::model::{Name, NewDevice, Permissions};
use gatehand::server::store::{Actor, TeamChange, Terms, TokenChange};
use gatehand::wire::IDEMPOTENCY_HEADER;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::postgres::Postgres;
use crate::common::server::{
    Answer, ORGANIZER, TestServer, config, form, initialization, listen, send,
};

const INFO: &str = "/api/v1/device/info";
const INITIALIZE: &str = "/api/v1/device/initialize";

/// Runs each of these at a server on each database.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::common::server::TestServer::start().await).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(server) = crate::common::server::TestServer::start_on_postgres().await {
                    super::$name(server).await;
                }
            })*
        }
    };
}

on_both! {
    a_device_is_revoked_by_its_organizer
    a_device_is_reconnected_and_heard_of_under_idempotency_keys
    who_may_only_read_sees_no_token_and_changes_nothing
    a_log_is_paged
    lists_are_filtered_ordered_and_expanded
    a_wrong_filter_is_told
    a_batch_is_created_wholly_or_told_what_is_wrong_with_each
    a_batch_is_changed_as_it_was_planned
    a_batch_that_means_too_much_or_nothing_is_refused
    a_second_editor_is_told
    fields_that_are_passed_over_are_named
    a_team_that_is_let_in_no_more_is_repeated_nothing
    what_was_answered_to_one_request_is_no_answer_to_another
    a_number_in_a_path_is_digits
    what_a_code_is_good_for_is_told_to_whoever_asks
}

impl TestServer {
    async fn patch(&self, number: u64, body: Value) -> Answer {
        send(
            self.devices(Method::PATCH, &format!("{number}/"))
                .json(&body),
        )
        .await
    }

    async fn post(&self, rest: &str, body: Value) -> Answer {
        send(self.devices(Method::POST, rest).json(&body)).await
    }

    async fn get(&self, rest: &str) -> Answer {
        send(self.devices(Method::GET, rest)).await
    }

    async fn status_of(&self, key: &str) -> u16 {
        send(self.as_device(key, Method::GET, INFO)).await.status
    }

    async fn with_gate(&self, identifier: &str) {
        let gate = self.store.create_gate(self.organizer, identifier, "A gate");
        gate.await.unwrap();
    }

    async fn with_event(&self, slug: &str) {
        let name = Name::Plain(slug.to_owned());
        self.create_event(slug, name, "2030-01-01T10:00:00Z").await;
    }
}

fn numbers(answer: &Answer) -> Vec<u64> {
    let page = answer.json();
    let results = page["results"].as_array();
    let results = results.unwrap_or_else(|| panic!("{}", answer.text));
    results
        .iter()
        .map(|device| device["device_id"].as_u64().unwrap())
        .collect()
}

async fn a_device_is_revoked_by_its_organizer(server: TestServer) {
    let (number, key) = server.enrol("Door").await;
    let revoked = server.post(&format!("{number}/revoke/"), json!({})).await;
    assert_eq!(
        (revoked.status, &revoked.json()["revoked"]),
        (200, &json!(true))
    );
    let heard = send(server.as_device(&key, Method::GET, INFO)).await;
    heard.is(401, json!({"detail": "Device access has been revoked."}));
    let again = server.post(&format!("{number}/revoke/"), json!({})).await;
    assert_eq!(again.json(), revoked.json());
    let none = server.post("99/revoke/", json!({})).await;
    none.is(404, json!({"detail": "No Device matches the given query."}));
    let refused = server
        .post(&format!("{number}/reconnect/"), json!({}))
        .await;
    let words = "This device was revoked, which is for good. Make a new one.";
    refused.is(400, json!({"non_field_errors": [words]}));
}

async fn a_device_is_reconnected_and_heard_of_under_idempotency_keys(server: TestServer) {
    let (number, old) = server.enrol("Door").await;
    let rest = format!("{number}/reconnect/");
    let keyed = |body: Value| {
        let request = server.devices(Method::POST, &rest).json(&body);
        send(request.header(IDEMPOTENCY_HEADER, "once"))
    };
    let first = keyed(json!({})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(keyed(json!({})).await.json(), first.json());
    let shown = server.get(&format!("{number}/")).await;
    assert_eq!(shown.json(), first.json());
    assert_eq!(server.status_of(&old).await, 200);

    // What the old key was told is not told any more once it is dead.
    let rolled = server.as_device(&old, Method::POST, "/api/v1/device/roll");
    let rolled = send(rolled.header(IDEMPOTENCY_HEADER, "roll")).await.json();
    let newer = rolled["api_token"].as_str().unwrap();
    let query = "/api/v1/idempotency_query?key=roll";
    let kept = async || {
        send(server.as_device(&old, Method::GET, query))
            .await
            .status
    };
    assert_eq!(kept().await, 200);
    let second = server.post(&rest, json!({"now": true})).await;
    assert_eq!(second.status, 200);
    assert_eq!((kept().await, server.status_of(newer).await), (404, 401));
    let heard = send(server.as_device(newer, Method::GET, INFO)).await;
    heard.is(401, json!({"detail": "Invalid token."}));

    let refused = server.initialize(&first.json()).await;
    refused.is(400, json!({"token": ["Unknown initialization token."]}));
    let once = || {
        let request = server.request(Method::POST, INITIALIZE);
        let request = request.json(&initialization(&second.json()));
        send(request.header(IDEMPOTENCY_HEADER, "redeem"))
    };
    let redeemed = once().await;
    assert_eq!(
        (redeemed.status, &redeemed.json()["device_id"]),
        (200, &json!(number))
    );
    assert_eq!(once().await.json(), redeemed.json(), "its own answer stays");
    let key = redeemed.json()["api_token"].as_str().unwrap().to_owned();
    assert_eq!(server.status_of(&key).await, 200);
    for (body, field) in [
        (json!({"now": "perhaps"}), "now"),
        (json!([]), "non_field_errors"),
    ] {
        let refused = server.post(&rest, body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json()[field].is_array(), "{}", refused.text);
    }
}

async fn who_may_only_read_sees_no_token_and_changes_nothing(server: TestServer) {
    server.enrol("Door").await;
    let reader = server.token(&["organizer.devices:read"]).await;
    let ask = async |method: Method, rest: &str, body: Value| {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/{rest}");
        let request = server.request(method, &path).json(&body);
        send(request.header("Authorization", format!("Token {reader}"))).await
    };
    for rest in [
        "",
        "?search=Door",
        "?expand=info",
        "1/",
        "1/?expand=gate",
        "1/log/",
    ] {
        let answer = ask(Method::GET, rest, json!({})).await;
        assert_eq!(answer.status, 200, "{rest}");
        assert!(!answer.text.contains("initialization_token"), "{rest}");
    }
    let before = server.get("1/").await;
    for (method, rest) in [
        (Method::POST, "1/revoke/"),
        (Method::POST, "1/reconnect/"),
        (Method::POST, "batch/"),
        (Method::PATCH, "batch/"),
    ] {
        let refused = ask(method, rest, json!({"dry_run": true})).await;
        let words = "You do not have permission to perform this action.";
        refused.is(403, json!({"detail": words}));
    }
    assert_eq!(server.get("1/").await.text, before.text);
    // Nobody else's devices either.
    let slug = "others".parse().unwrap();
    server
        .store
        .create_organizer(&slug, "Others")
        .await
        .unwrap();
    let path = "/api/v1/organizers/others/devices/1/revoke/";
    assert_eq!(send(server.as_admin(Method::POST, path)).await.status, 403);
    let (_, key) = server.enrol("Other").await;
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/1/reconnect/");
    assert_eq!(
        send(server.as_device(&key, Method::POST, &path))
            .await
            .status,
        403
    );
}

async fn a_log_is_paged(server: TestServer) {
    server.create_device("Door").await;
    for number in 0..4 {
        server
            .patch(1, json!({"name": format!("Door {number}")}))
            .await;
    }
    let page = server.get("1/log/?page_size=2&page=2").await.json();
    assert_eq!(page["count"], 5);
    assert_eq!(page["results"][0]["action"], "changed");
    assert_eq!(page["results"][0]["data"], json!({"name": "Door 1"}));
    assert_eq!(
        (&page["results"][0]["actor"], &page["results"][0]["token"]),
        (&json!("team"), &json!("test"))
    );
    assert!(
        page["next"]
            .as_str()
            .unwrap()
            .ends_with("/devices/1/log/?page=3&page_size=2")
    );
    let beyond = server.get("1/log/?page=9").await;
    beyond.is(404, json!({"detail": "Invalid page."}));
    assert_eq!(server.get("2/log/").await.status, 404);
    assert_eq!(server.get("x/log/").await.status, 404);
}

async fn lists_are_filtered_ordered_and_expanded(server: TestServer) {
    server.with_gate("north").await;
    for name in ["Lane 3", "Lane 2", "lane 1", "Tür"] {
        server.enrol(name).await;
    }
    server.create_device("Spare").await;
    let moved = json!({"devices": [2], "set": {"gate": "north"}});
    server.change_batch(moved).await;
    server.post("1/revoke/", json!({})).await;
    for (query, expected) in [
        ("?search=LANE", vec![3, 2, 1]),
        ("?search=lane&ordering=-device_id", vec![3, 2, 1]),
        ("?search=t%C3%BC", vec![4]),
        ("?search=", vec![1, 2, 3, 4, 5]),
        ("?revoked=true", vec![1]),
        ("?revoked=0&initialized=on", vec![2, 3, 4]),
        ("?initialized=false", vec![5]),
        ("?gate=north", vec![2]),
        ("?gate=", vec![1, 3, 4, 5]),
        (
            "?software_brand=pretixSCAN&software_version=1.5.1&ordering=name",
            vec![2, 1, 3, 4],
        ),
        ("?ordering=-name", vec![4, 5, 3, 1, 2]),
        ("?ordering=-device_id&page_size=2&page=2", vec![3, 2]),
        ("?last_seen_before=2001-01-01T00:00:00Z", vec![]),
        ("?unknown=1&search=Spare", vec![5]),
    ] {
        let mut expected = expected;
        let answer = server.get(query).await;
        let mut found = numbers(&answer);
        if query.contains("ordering=name") || query.contains("search=LANE") {
            found.sort_unstable();
            expected.sort_unstable();
        }
        if !query.contains("-name") {
            assert_eq!(found, expected, "{query}");
        }
    }
    let by_name = numbers(&server.get("?ordering=name").await);
    let mut back = numbers(&server.get("?ordering=-name").await);
    back.reverse();
    assert_eq!((by_name, back), (vec![3, 2, 1, 5, 4], vec![3, 2, 1, 5, 4]));

    let page = server.get("?revoked=false&page_size=3").await.json();
    assert_eq!(
        (&page["count"], &page["count_is_minimum"]),
        (&json!(4), &json!(false))
    );
    let next = page["next"].as_str().unwrap();
    assert!(
        next.ends_with("?page=2&page_size=3&revoked=false"),
        "{next}"
    );
    let last = send(
        server
            .client
            .get(next)
            .header("Authorization", format!("Token {}", server.admin)),
    )
    .await;
    assert_eq!(
        (numbers(&last), &last.json()["next"]),
        (vec![5], &Value::Null)
    );
    assert_eq!(server.get("?revoked=false&page=3").await.status, 404);

    // Recorded fields first and as they are, then what was asked for.
    let plain = server.get("2/").await;
    let more = server.get("2/?expand=info,gate&expand=last_seen").await;
    let begin = plain.text.strip_suffix('}').unwrap();
    let added = more.text.strip_prefix(begin).unwrap();
    let gate = server.store.gates(server.organizer).await.unwrap()[0].0.id;
    let expected =
        format!(r#","gate":{{"id":{gate},"name":"A gate","identifier":"north"}},"last_seen":"#);
    assert!(added.starts_with(&expected), "{added}");
    assert!(added.ends_with(r#","info":null}"#), "{added}");
    let listed = server.get("?search=lane%202&expand=gate").await.json();
    assert_eq!(listed["results"][0]["gate"]["identifier"], "north");
    assert!(listed["results"][0].get("last_seen").is_none());
    let listed = server.get("?expand=gate").await.json();
    assert_eq!(
        (&listed["count"], &listed["results"][0]["gate"]),
        (&json!(5), &Value::Null)
    );
}

async fn a_wrong_filter_is_told(server: TestServer) {
    for (query, field, words) in [
        ("?revoked=perhaps", "revoked", "Must be a valid boolean."),
        ("?revoked=", "revoked", "Must be a valid boolean."),
        (
            "?gate=south",
            "gate",
            "There is no gate \"south\", and no other.",
        ),
        (
            "?ordering=serial",
            "ordering",
            "Has to be one of device_id, ",
        ),
        ("?expand=token", "expand", "There is no \"token\"."),
        ("?search=a&search=b", "search", "Say it once."),
        ("?revoked=false&revoked=false", "revoked", "Say it once."),
        (
            "?last_seen_before=yesterday",
            "last_seen_before",
            "Write a time as ",
        ),
    ] {
        let refused = server.get(query).await;
        assert_eq!(refused.status, 400, "{query}");
        let told = refused.json()[field][0].as_str().unwrap().to_owned();
        assert!(told.starts_with(words), "{query}: {told}");
    }
    let future = server
        .get("?last_seen_before=9999-01-01T00:00:00%2B02:00")
        .await;
    assert_eq!((future.status, numbers(&future)), (200, vec![]));
    let long = "x".repeat(3000);
    assert_eq!(server.get(&format!("?search={long}")).await.status, 200);
}

async fn a_batch_is_created_wholly_or_told_what_is_wrong_with_each(server: TestServer) {
    server.with_gate("north").await;
    server.with_event("museum").await;
    let device = |name: &str| json!({"name": name, "limit_events": ["museum"], "gate": "north"});
    let wrong = json!({"devices": [
        device("fine"),
        {"name": "", "limit_events": ["none"], "security_profile": "odd"},
        {"limit_events": [], "gate": "south"},
        7,
    ]});
    let refused = server.post("batch/", wrong).await;
    refused.is(
        400,
        json!({"devices": [
            {},
            {
                "name": ["This field may not be blank."],
                "security_profile": ["\"odd\" is not a valid choice."],
                "limit_events": ["Object with slug=none does not exist."],
            },
            {"name": ["This field is required."], "gate": ["There is no gate \"south\". There are north."]},
            {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]},
        ]}),
    );
    for body in [
        json!({}),
        json!({"devices": []}),
        json!({"devices": {}}),
        json!([device("a")]),
        json!(null),
    ] {
        assert_eq!(server.post("batch/", body).await.status, 400);
    }
    let many: Vec<Value> = (0..1001).map(|_| device("many")).collect();
    let refused = server.post("batch/", json!({"devices": many})).await;
    assert_eq!(refused.status, 400);
    let as_form = send(form(
        server.devices(Method::POST, "batch/"),
        &[("devices", "x")],
    ))
    .await;
    assert_eq!(as_form.status, 415);
    assert_eq!(server.get("").await.json()["count"], 0);

    let keyed = || {
        let body = json!({"devices": [device("Tür\t1"), device("Lane 2")]});
        let request = server.devices(Method::POST, "batch/").json(&body);
        send(request.header(IDEMPOTENCY_HEADER, "batch"))
    };
    let created = keyed().await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(keyed().await.text, created.text);
    let created = created.json();
    assert_eq!(
        (&created["count"], numbers_in(&created["results"])),
        (&json!(2), vec![1, 2])
    );
    let identity = server.initialize(&created["results"][1]).await.json();
    assert_eq!(
        (&identity["name"], &identity["gate"]["identifier"]),
        (&json!("Lane 2"), &json!("north"))
    );
    let shown = server.get("1/").await.json();
    assert_eq!(shown, created["results"][0]);
}

fn numbers_in(devices: &Value) -> Vec<u64> {
    let devices = devices.as_array().unwrap().iter();
    devices
        .map(|device| device["device_id"].as_u64().unwrap())
        .collect()
}

impl TestServer {
    /// Asks what a change of many would do, and has it done.
    async fn change_batch(&self, body: Value) -> Answer {
        let plan = self.plan_batch(body.clone()).await;
        assert_eq!(plan.status, 200, "{}", plan.text);
        self.do_batch(body, plan.header("etag")).await
    }

    async fn plan_batch(&self, mut body: Value) -> Answer {
        body["dry_run"] = json!(true);
        send(self.devices(Method::PATCH, "batch/").json(&body)).await
    }

    async fn do_batch(&self, body: Value, tag: &str) -> Answer {
        let request = self.devices(Method::PATCH, "batch/").json(&body);
        send(request.header("If-Match", tag)).await
    }
}

async fn a_batch_is_changed_as_it_was_planned(server: TestServer) {
    server.with_gate("north").await;
    server.with_event("museum").await;
    let (_, key) = server.enrol("Lane 1").await;
    server.create_device("Lane 2").await;
    server.create_device("Spare").await;
    let body = json!({
        "filter": {"search": "lane"},
        "set": {"gate": "north", "limit_events": ["museum"], "all_events": false, "revoked": true},
    });
    let plan = server.plan_batch(body.clone()).await;
    let change = json!({
        "gate": {"from": null, "to": "north"},
        "all_events": {"from": true, "to": false},
        "limit_events": {"from": [], "to": ["museum"]},
        "revoked": {"from": false, "to": true},
    });
    plan.is(
        200,
        json!({"dry_run": true, "count": 2, "changed": 2, "devices": [
            {"device_id": 1, "changes": change}, {"device_id": 2, "changes": change},
        ]}),
    );
    assert_eq!(server.status_of(&key).await, 200);
    let tag = plan.header("etag");
    for missing in ["*", ""] {
        let refused = server.do_batch(body.clone(), missing).await;
        assert!(
            [412, 428].contains(&refused.status),
            "{missing:?}: {}",
            refused.text
        );
    }
    let unconditional = send(server.devices(Method::PATCH, "batch/").json(&body)).await;
    assert_eq!(unconditional.status, 428);
    // The tag is good for this change of these devices only.
    let mut other = body.clone();
    other["set"]["revoked"] = json!(true);
    other["set"]["gate"] = Value::Null;
    assert_eq!(server.do_batch(other, tag).await.status, 412);
    server.create_device("Lane 3").await;
    let outdated = server.do_batch(body.clone(), tag).await;
    assert_eq!(outdated.status, 412);
    assert_eq!(server.status_of(&key).await, 200, "nothing was done");

    let plan = server.plan_batch(body.clone()).await;
    let keyed = || {
        let request = server.devices(Method::PATCH, "batch/").json(&body);
        let request = request.header("If-Match", plan.header("etag"));
        send(request.header(IDEMPOTENCY_HEADER, "batch"))
    };
    let done = keyed().await;
    assert_eq!(
        (done.status, &done.json()["changed"]),
        (200, &json!(3)),
        "{}",
        done.text
    );
    assert_eq!(keyed().await.text, done.text);
    let heard = send(server.as_device(&key, Method::GET, INFO)).await;
    heard.is(401, json!({"detail": "Device access has been revoked."}));
    assert_eq!(
        numbers(&server.get("?gate=north&revoked=true").await),
        [1, 2, 4]
    );
    let log = server.get("2/log/").await.json();
    assert_eq!(log["results"][2]["action"], "revoked");
}

async fn a_batch_that_means_too_much_or_nothing_is_refused(server: TestServer) {
    server.create_device("Lane 1").await;
    let slug = "others".parse().unwrap();
    let others = server
        .store
        .create_organizer(&slug, "Others")
        .await
        .unwrap()
        .id;
    server
        .store
        .create_gate(others, "theirs", "Theirs")
        .await
        .unwrap();
    let gate = json!({"gate": null});
    // In text: what is made of a document has nothing twice.
    let twice = server.devices(Method::PATCH, "batch/");
    let twice = twice.header("Content-Type", "application/json").body(
        r#"{"filter": {"revoked": true, "search": "a", "revoked": false}, "set": {"gate": null}, "dry_run": true}"#,
    );
    let refused = send(twice).await;
    refused.is(400, json!({"filter": ["revoked: Say it once."]}));
    let many: Vec<u64> = (1..=1001).collect();
    for (body, field, words) in [
        (
            json!({"filter": {}, "set": gate}),
            "filter",
            "Without a condition",
        ),
        (
            json!({"filter": {"search": "", "revoked": false}, "set": gate}),
            "filter",
            "search: Every device's name begins with nothing.",
        ),
        (
            json!({"filter": {"serach": "x"}, "set": gate}),
            "filter",
            "There is no filter \"serach\"",
        ),
        (
            json!({"filter": {"revoked": "x"}, "set": gate}),
            "filter",
            "revoked: ",
        ),
        (
            json!({"filter": {"gate": "theirs"}, "set": gate}),
            "filter",
            "gate: There is no gate",
        ),
        (
            json!({"filter": 7, "set": gate}),
            "filter",
            "Expected an object",
        ),
        (
            json!({"devices": many, "set": gate}),
            "devices",
            "More than 1000",
        ),
        (
            json!({"devices": [], "set": gate}),
            "devices",
            "This list may not be empty.",
        ),
        (
            json!({"devices": [2], "set": gate}),
            "devices",
            "There is no device 2.",
        ),
        (
            json!({"devices": ["1"], "set": gate}),
            "devices",
            "Expected a list of",
        ),
        (
            json!({"devices": [-1], "set": gate}),
            "devices",
            "Expected a list of",
        ),
        (
            json!({"devices": [1], "filter": {"revoked": true}, "set": gate}),
            "non_field_errors",
            "Send either",
        ),
        (json!({"set": gate}), "non_field_errors", "Send either"),
        (json!({"devices": [1]}), "set", "This field is required."),
        (
            json!({"devices": [1], "set": {}}),
            "set",
            "Nothing is to be set.",
        ),
        (
            json!({"devices": [1], "set": {"name": "x"}}),
            "set",
            "\"name\" can't be set.",
        ),
        (
            json!({"devices": [1], "set": {"revoked": false}}),
            "set",
            "revoked: A revocation",
        ),
        (
            json!({"devices": [1], "set": {"gate": "theirs"}}),
            "set",
            "gate: There is no gate",
        ),
        (
            json!({"devices": [1], "set": {"security_profile": "x"}}),
            "set",
            "security_profile: ",
        ),
        (
            json!({"devices": [1], "set": gate, "dry": true}),
            "non_field_errors",
            "There is no field \"dry\"",
        ),
    ] {
        let refused = server.plan_batch(body.clone()).await;
        let told = refused.json()[field][0]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            refused.status == 400 && told.starts_with(words),
            "{body}: {}",
            refused.text
        );
    }
}

async fn a_second_editor_is_told(server: TestServer) {
    server.create_device("Door").await;
    let read = server.get("1/").await;
    let tag = read.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    let rename = async |method: Method, name: &str, tag: &str| {
        let body = json!({"name": name, "limit_events": []});
        let request = server.devices(method, "1/").json(&body);
        send(request.header("If-Match", tag)).await
    };
    let first = rename(Method::PATCH, "one", &tag).await;
    assert_eq!(first.status, 200);
    let now = first.header("etag").to_owned();
    assert_eq!(server.get("1/").await.header("etag"), now);
    for method in [Method::PATCH, Method::PUT] {
        let told = rename(method, "two", &tag).await;
        assert_eq!(told.status, 412);
        assert!(
            told.json()["detail"]
                .as_str()
                .unwrap()
                .starts_with("This was changed since")
        );
    }
    for rest in ["1/revoke/", "1/reconnect/"] {
        let request = server.devices(Method::POST, rest).header("If-Match", &tag);
        assert_eq!(send(request).await.status, 412);
    }
    assert_eq!(
        rename(Method::PATCH, "two", &format!("W/{now}"))
            .await
            .status,
        412,
        "weak"
    );
    assert_eq!(rename(Method::PATCH, "two", "unquoted").await.status, 400);
    let several = rename(Method::PATCH, "two", &format!("\"other\", {now}")).await;
    assert_eq!(several.json()["name"], "two");
    assert_eq!(rename(Method::PUT, "three", "*").await.status, 200);
    // It is the same for who sees no token.
    let reader = server.token(&["organizer.devices:read"]).await;
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/1/");
    let request = server.request(Method::GET, &path);
    let seen = send(request.header("Authorization", format!("Token {reader}"))).await;
    assert_eq!(seen.header("etag"), server.get("1/").await.header("etag"));
}

async fn fields_that_are_passed_over_are_named(server: TestServer) {
    server.create_device("Door").await;
    const NAMED: &str = "x-ignored-fields";
    let answer = server.patch(1, json!({"name": "A"})).await;
    assert_eq!(answer.header(NAMED), "");
    let sent = json!({"name": "B", "gate": "north", "revoked": true, "näme, x\n": 1});
    let answer = server.patch(1, sent).await;
    assert_eq!(answer.header(NAMED), "gate, n%C3%A4me%2C%20x%0A, revoked");
    assert_eq!(
        (&answer.json()["name"], &answer.json()["revoked"]),
        (&json!("B"), &json!(false))
    );
    let many: serde_json::Map<String, Value> = (0..100)
        .map(|number| (format!("{number:02}{}", "x".repeat(1000)), json!(1)))
        .collect();
    let answer = server.patch(1, Value::Object(many)).await;
    let named: Vec<&str> = answer.header(NAMED).split(", ").collect();
    assert_eq!((answer.status, named.len(), named[9].len()), (200, 10, 64));
    let request = server.devices(Method::PATCH, "1/").json(&json!({"odd": 1}));
    let request = request.header(IDEMPOTENCY_HEADER, "odd");
    let (first, second) = (request.try_clone().unwrap(), request);
    assert_eq!(send(first).await.header(NAMED), "odd");
    assert_eq!(send(second).await.header(NAMED), "odd");
}

async fn a_team_that_is_let_in_no_more_is_repeated_nothing(server: TestServer) {
    let keyed = || {
        let request = server.devices(Method::POST, "");
        let request =
            request.json(&json!({"name": "Door", "all_events": true, "limit_events": []}));
        send(request.header(IDEMPOTENCY_HEADER, "once"))
    };
    let query = || send(server.as_admin(Method::GET, "/api/v1/idempotency_query?key=once"));
    let made = keyed().await;
    assert_eq!((made.status, query().await.status), (201, 201));
    let teams = server.store.teams(server.organizer).await.unwrap();
    let team = &teams[0].name;
    let tokens = server.store.team_tokens(server.organizer, team).await;
    let token = tokens.unwrap()[0].id;
    let set = async |active: bool| {
        let change = TokenChange {
            name: None,
            active: Some(active),
        };
        let changed = server
            .store
            .change_team_token(server.organizer, team, token, change);
        changed.await.unwrap();
    };
    set(false).await;
    let refused = keyed().await;
    refused.is(401, json!({"detail": "Token inactive or deleted."}));
    assert_eq!(query().await.status, 404);
    set(true).await;
    assert_eq!(keyed().await.text, made.text, "the refusal was not kept");

    let may = async |permissions: Permissions| {
        let change = TeamChange {
            permissions: Some(permissions),
            ..TeamChange::default()
        };
        let changed = server.store.change_team(server.organizer, team, change);
        changed.await.unwrap();
    };
    let reading = "organizer.devices:read".to_owned();
    may(Permissions::Listed(vec![reading])).await;
    assert_eq!((keyed().await.status, query().await.status), (403, 404));
    may(Permissions::All).await;
    assert_eq!(query().await.status, 201);
    assert_eq!(
        server.store.device_count(server.organizer).await.unwrap(),
        1
    );
}

async fn what_was_answered_to_one_request_is_no_answer_to_another(server: TestServer) {
    server.with_gate("north").await;
    let (number, key) = server.enrol("Door").await;
    let keyed = |method: Method, rest: &str, body: Value, tag: Option<&str>| {
        let request = server.devices(method, rest).json(&body);
        let request = request.header(IDEMPOTENCY_HEADER, "once");
        send(match tag {
            Some(tag) => request.header("If-Match", tag),
            None => request,
        })
    };
    let body =
        |dry_run: bool| json!({"devices": [number], "set": {"gate": "north"}, "dry_run": dry_run});
    let plan = keyed(Method::PATCH, "batch/", body(true), None).await;
    assert_eq!(plan.json()["dry_run"], true);
    let tag = plan.header("etag").to_owned();
    let done = keyed(Method::PATCH, "batch/", body(false), Some(&tag)).await;
    assert_eq!((done.status, &done.json()["dry_run"]), (200, &json!(false)));
    let again = keyed(Method::PATCH, "batch/", body(false), Some(&tag)).await;
    assert_eq!(again.text, done.text);
    assert_eq!(numbers(&server.get("?gate=north").await), [number]);

    // Under the same key, something else is not taken for done.
    let rest = format!("{number}/reconnect/");
    for (method, rest, body) in [
        (Method::PATCH, "batch/", body(true)),
        (Method::POST, &*rest, json!({"now": true})),
        (
            Method::PATCH,
            &*format!("{number}/"),
            json!({"name": "Gate"}),
        ),
    ] {
        let refused = keyed(method, rest, body, None).await;
        assert_eq!(refused.status, 422, "{rest}: {}", refused.text);
    }
    assert_eq!(server.status_of(&key).await, 200);
    assert_eq!(
        server.get(&format!("{number}/")).await.json()["name"],
        "Door"
    );
}

async fn a_number_in_a_path_is_digits(server: TestServer) {
    let (_, key) = server.enrol("Door").await;
    for number in ["1%20", "%201", "+1", "1_", "0x1", "-1", "%D9%A1"] {
        for (method, rest) in [
            (Method::POST, "revoke/"),
            (Method::POST, "reconnect/"),
            (Method::GET, "log/"),
        ] {
            let path = format!("{number}/{rest}");
            let refused = send(server.devices(method, &path).json(&json!({}))).await;
            refused.is(404, json!({"detail": "Not found."}));
        }
    }
    assert_eq!(server.status_of(&key).await, 200);
    for number in [i64::MAX as u64 + 1, u64::MAX] {
        let refused = server
            .plan_batch(json!({"devices": [number], "set": {"gate": null}}))
            .await;
        let words = format!("There is no device {number}.");
        refused.is(400, json!({"devices": [words]}));
        let none = server.post(&format!("{number}/revoke/"), json!({})).await;
        none.is(404, json!({"detail": "No Device matches the given query."}));
    }
}

async fn what_a_code_is_good_for_is_told_to_whoever_asks(server: TestServer) {
    server.enrol("Used").await;
    server.enrol("Lost").await;
    server.create_device("New").await;
    server.enrol("Out").await;
    server.post("2/reconnect/", json!({"now": true})).await;
    server.post("4/revoke/", json!({})).await;
    server.post("5/revoke/", json!({})).await;
    let reader = server.token(&["organizer.devices:read"]).await;
    let path =
        format!("/api/v1/organizers/{ORGANIZER}/devices/?expand=code,has_key&ordering=device_id");
    let request = server.request(Method::GET, &path);
    let listed = send(request.header("Authorization", format!("Token {reader}"))).await;
    let codes: Vec<Value> = listed.json()["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|device| json!([device["code"], device["has_key"]]))
        .collect();
    let told = [
        ("used", true),
        ("open", false),
        ("open", false),
        ("used", false),
    ];
    assert_eq!(codes, told.map(|(code, has_key)| json!([code, has_key])));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_device_was_seen_is_told_by_all_servers_without_a_write_per_call() {
    let folder = tempfile::tempdir().unwrap();
    let often = |public_url| Config {
        sightings_interval: Duration::from_millis(20),
        ..config(public_url)
    };
    let one = TestServer::start_with(folder, often(None)).await;
    check_last_seen(&one, often(None)).await;
    if Postgres::shared().is_some() {
        let folder = TestServer::start_on_postgres().await.unwrap().stop().await;
        let one = TestServer::start_with(folder, often(None)).await;
        check_last_seen(&one, often(None)).await;
    }
}

/// Two servers of one database: what one has seen the other tells.
async fn check_last_seen(one: &TestServer, config: Config) {
    let two = listen(one.folder(), config).await.unwrap();
    let url = format!("http://{}", two.local_addr());
    let running = tokio::spawn(two.run(std::future::pending()));
    let (number, key) = one.enrol("Door").await;
    let seen = async || {
        let device = one.get(&format!("{number}/?expand=last_seen")).await.json();
        device["last_seen"]
            .as_str()
            .map(|time| time.parse::<jiff::Timestamp>().unwrap())
    };
    let until = async |after: jiff::Timestamp| {
        let begun = Instant::now();
        loop {
            match seen().await {
                Some(time) if time > after => return time,
                _ => assert!(begun.elapsed() < Duration::from_secs(60)),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let first = until(jiff::Timestamp::UNIX_EPOCH).await;
    let at_two = one.client.get(format!("{url}{INFO}"));
    let before = jiff::Timestamp::now();
    let at_two = send(at_two.header("Authorization", format!("Device {key}"))).await;
    assert_eq!(at_two.status, 200);
    let second = until(first).await;
    assert!(
        second >= before - jiff::SignedDuration::from_millis(1) && second <= jiff::Timestamp::now()
    );
    // Who shows no good key was not seen.
    assert_eq!(one.status_of("nobody").await, 401);
    let list = one
        .get("?last_seen_before=9999-01-01T00:00:00Z&expand=last_seen")
        .await;
    assert_eq!(numbers(&list), [number]);
    running.abort();
}

#[tokio::test]
async fn when_a_device_was_seen_is_stored_before_a_server_stops() {
    let server = TestServer::start().await;
    let (number, _) = server.enrol("Door").await;
    let server = TestServer::start_in(server.stop().await, None).await;
    let device = server
        .get(&format!("{number}/?expand=last_seen"))
        .await
        .json();
    assert!(device["last_seen"].is_string(), "{device}");
}

#[tokio::test]
async fn filtered_lists_are_counted_to_ten_thousand_and_paged_beyond() {
    let server = TestServer::start().await;
    let devices = (1..=10_060).map(|number| NewDevice {
        name: format!("Lane {number}"),
        all_events: true,
        limit_events: Vec::new(),
        security_profile: "full".to_owned(),
        gate: None,
    });
    let (actor, terms) = (Actor::Administrator, Terms::default());
    let created = server
        .store
        .create_devices(actor, server.organizer, devices.collect(), terms);
    created.await.unwrap();
    for number in 1..=10 {
        server
            .store
            .revoke_device(server.organizer, number * 1000)
            .await
            .unwrap();
    }
    for query in [
        "?initialized=false",
        "?search=lane",
        "?search=lane&revoked=true",
    ] {
        let page = server.get(query).await.json();
        assert_eq!(page["count_is_minimum"], true, "{query}");
        let last = server.get(&format!("{query}&page=last")).await;
        last.is(404, json!({"detail": "Invalid page."}));
    }
    let page = server.get("?initialized=false").await.json();
    assert_eq!(page["count"], 10_000);
    let beyond = server.get("?initialized=false&page=201").await;
    assert_eq!(numbers(&beyond)[49], 10_050);
    let last = server.get("?initialized=false&page=202").await;
    assert_eq!(
        (numbers(&last).len(), &last.json()["next"]),
        (10, &Value::Null)
    );
    assert_eq!(server.get("?initialized=false&page=203").await.status, 404);
    let page = server.get("?revoked=true").await.json();
    assert_eq!(
        (&page["count"], &page["count_is_minimum"]),
        (&json!(10), &json!(false))
    );

    let plan = async |filter: Value| {
        let body = json!({"filter": filter, "set": {"gate": null}});
        server.plan_batch(body).await
    };
    assert_eq!(plan(json!({"initialized": false})).await.status, 400);
    assert_eq!(plan(json!({"revoked": true})).await.json()["count"], 10);
    // Of all names that begin so, not each was looked at: the eleventh may be meant, too.
    let cut = plan(json!({"search": "lane", "revoked": true})).await;
    assert_eq!(cut.status, 400);
}

#[tokio::test]
async fn the_description_names_every_endpoint() {
    let server = TestServer::start().await;
    let answer = send(server.request(Method::GET, "/api/v1/openapi.json")).await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 15);
    let batch = &paths["/api/v1/organizers/{organizer}/devices/batch/"];
    assert_eq!(batch["patch"]["operationId"], "patch_device_batch");
    let initialize = &paths["/api/v1/device/initialize"]["post"];
    let body = &initialize["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["required"].as_array().unwrap().len(), 5);
    let put = send(server.request(Method::PUT, "/api/v1/openapi.json")).await;
    assert_eq!(
        (put.status, put.header("allow")),
        (405, "GET, HEAD, OPTIONS")
    );
}
