//! The devices resource beyond the recorded answers.

use std::collections::BTreeSet;

use gatehand::server::model::{DeviceChange, Name};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::server::{ORGANIZER, TestServer, form, send};

async fn with_event(server: &TestServer, slug: &str, date_from: &str) {
    let name = Name::Plain(slug.to_owned());
    server.create_event(slug, name, date_from).await;
}

#[tokio::test]
async fn every_wrong_field_is_told_at_once() {
    let server = TestServer::start().await;
    let body = json!({
        "name": ["x"], "all_events": "perhaps", "limit_events": 7, "security_profile": ["full"],
    });
    send(server.devices(Method::POST, "").json(&body)).await.is(
        400,
        json!({
            "name": ["Not a valid string."],
            "all_events": ["Must be a valid boolean."],
            "limit_events": ["Expected a list of items but got type \"int\"."],
            "security_profile": ["\"['full']\" is not a valid choice."],
        }),
    );
}

#[tokio::test]
async fn names_are_read_as_the_reference_reads_text() {
    let server = TestServer::start().await;
    for (name, stored) in [
        ("\"  a b \"", "a b"),
        ("\"\\u001c a \\u00a0\"", "a"),
        ("\"\\ud83d\\ude00\"", "😀"),
        ("5", "5"),
        ("-0", "0"),
        ("1.50", "1.5"),
        ("1e3", "1000.0"),
        ("1e22", "1e+22"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567890",
        ),
    ] {
        let body = format!(r#"{{"name": {name}, "limit_events": []}}"#);
        let answer = send(json_text(&server, &body)).await;
        assert_eq!(
            (answer.status, &answer.json()["name"]),
            (201, &json!(stored)),
            "{name}"
        );
    }
    for (name, error) in [
        ("\" \\t \"", "This field may not be blank."),
        ("true", "Not a valid string."),
        ("{\"a\": 1}", "Not a valid string."),
        ("null", "This field may not be null."),
        (
            "\"a\\ud800b\"",
            "Surrogate characters are not allowed: U+D800.",
        ),
    ] {
        let body = format!(r#"{{"name": {name}, "limit_events": []}}"#);
        send(json_text(&server, &body))
            .await
            .is(400, json!({"name": [error]}));
    }
    let long = "ü".repeat(190);
    let body = json!({"name": long, "limit_events": []});
    assert_eq!(
        send(server.devices(Method::POST, "").json(&body))
            .await
            .status,
        201
    );
    let body = json!({"name": format!("{long}\0"), "limit_events": []});
    send(server.devices(Method::POST, "").json(&body)).await.is(
        400,
        json!({"name": [
            "Ensure this field has no more than 190 characters.",
            "Null characters are not allowed.",
        ]}),
    );
}

fn json_text(server: &TestServer, body: &str) -> reqwest::RequestBuilder {
    let request = server.devices(Method::POST, "");
    request
        .header("Content-Type", "application/json")
        .body(body.to_owned())
}

#[tokio::test]
async fn booleans_are_read_as_the_reference_reads_them() {
    let server = TestServer::start().await;
    for (sent, read) in [
        (json!("TRUE"), Some(true)),
        (json!("on"), Some(true)),
        (json!("Yes"), Some(true)),
        (json!("t"), Some(true)),
        (json!(1), Some(true)),
        (json!(1.0), Some(true)),
        (json!("0"), Some(false)),
        (json!("off"), Some(false)),
        (json!("N"), Some(false)),
        (json!(0), Some(false)),
        (json!(2), None),
        (json!(""), None),
        (json!(" true"), None),
        (json!([]), None),
        (json!({}), None),
    ] {
        let body = json!({"name": "x", "limit_events": [], "all_events": sent});
        let answer = send(server.devices(Method::POST, "").json(&body)).await;
        match read {
            Some(read) => assert_eq!(answer.json()["all_events"], read, "{sent}"),
            None => answer.is(400, json!({"all_events": ["Must be a valid boolean."]})),
        }
    }
}

#[tokio::test]
async fn choices_and_event_lists_tell_what_they_met() {
    let server = TestServer::start().await;
    with_event(&server, "museum", "2030-01-01T10:00:00Z").await;
    for (profile, shown) in [
        (json!(true), "True"),
        (json!(1.0), "1.0"),
        (json!(""), ""),
        (json!("FULL"), "FULL"),
        (json!({"a": "it's"}), "{'a': \"it's\"}"),
    ] {
        let body = json!({"name": "x", "limit_events": [], "security_profile": profile});
        let error = format!("\"{shown}\" is not a valid choice.");
        let answer = send(server.devices(Method::POST, "").json(&body)).await;
        answer.is(400, json!({"security_profile": [error]}));
    }
    for (events, error) in [
        (
            json!({"museum": 1, "nope": 2}),
            "Object with slug=nope does not exist.",
        ),
        (json!([""]), "This field may not be null."),
        (json!([null, "nope"]), "This field may not be null."),
        (
            json!(["nope", null]),
            "Object with slug=nope does not exist.",
        ),
        (json!([true]), "Object with slug=True does not exist."),
        (json!([["a"]]), "Object with slug=['a'] does not exist."),
        (json!(["mus\u{0}eum"]), "Invalid value."),
        (
            json!(true),
            "Expected a list of items but got type \"bool\".",
        ),
        (
            json!(1.5),
            "Expected a list of items but got type \"float\".",
        ),
    ] {
        let body = json!({"name": "x", "limit_events": events});
        let answer = send(server.devices(Method::POST, "").json(&body)).await;
        answer.is(400, json!({"limit_events": [error]}));
    }
    let body = json!({"name": "x", "limit_events": ["museum", "museum"]});
    let answer = send(server.devices(Method::POST, "").json(&body)).await;
    assert_eq!(answer.json()["limit_events"], json!(["museum"]));
}

#[tokio::test]
async fn events_are_listed_by_time() {
    let server = TestServer::start().await;
    with_event(&server, "late", "2031-01-01T10:00:00Z").await;
    with_event(&server, "early", "2029-01-01T10:00:00Z").await;
    let body = json!({"name": "x", "limit_events": ["late", "early"]});
    let answer = send(server.devices(Method::POST, "").json(&body)).await;
    assert_eq!(answer.json()["limit_events"], json!(["early", "late"]));
}

#[tokio::test]
async fn what_a_form_leaves_away_is_false_or_empty_unless_only_a_part_is_sent() {
    let server = TestServer::start().await;
    with_event(&server, "museum", "2030-01-01T10:00:00Z").await;
    let answer = send(form(server.devices(Method::POST, ""), &[("name", "x")])).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["all_events"], false);
    assert_eq!(answer.json()["limit_events"], json!([]));

    let fields = [
        ("name", "Door"),
        ("all_events", "on"),
        ("limit_events", "museum"),
    ];
    let device = send(form(server.devices(Method::POST, ""), &fields))
        .await
        .json();
    let path = format!("{}/", device["device_id"]);
    let patched = send(form(
        server.devices(Method::PATCH, &path),
        &[("name", "Gate")],
    ))
    .await
    .json();
    assert_eq!(patched["name"], "Gate");
    assert_eq!(patched["all_events"], true);
    assert_eq!(patched["limit_events"], json!(["museum"]));
    let put = send(form(
        server.devices(Method::PUT, &path),
        &[("name", "Lane")],
    ))
    .await
    .json();
    assert_eq!(put["all_events"], false);
    assert_eq!(put["limit_events"], json!([]));
    let empty = [("name", "a"), ("all_events", ""), ("security_profile", "")];
    let answer = send(form(server.devices(Method::POST, ""), &empty))
        .await
        .json();
    assert_eq!(
        (&answer["all_events"], &answer["security_profile"]),
        (&json!(false), &json!("full"))
    );
    let answer = send(form(server.devices(Method::POST, ""), &[("name", " ")])).await;
    answer.is(400, json!({"name": ["This field may not be blank."]}));
}

#[tokio::test]
async fn multipart_forms_are_read_like_forms() {
    let server = TestServer::start().await;
    with_event(&server, "museum", "2030-01-01T10:00:00Z").await;
    let part = |name: &str, more: &str, value: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let multipart = |parts: &[String]| {
        let request = server.devices(Method::POST, "");
        let request = request.header("Content-Type", "multipart/form-data; boundary=XX");
        request.body(format!("{}--XX--\r\n", parts.concat()))
    };
    let parts = [
        part("name", "", "Übergang"),
        part("all_events", "", "true"),
        part("limit_events", "", "museum"),
    ];
    let answer = send(multipart(&parts)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["name"], "Übergang");
    assert_eq!(answer.json()["limit_events"], json!(["museum"]));
    let file = part("name", "; filename=\"a.txt\"", "x");
    send(multipart(&[file]))
        .await
        .is(400, json!({"name": ["Not a valid string."]}));

    for (content_type, body) in [
        ("multipart/form-data", "--XX--\r\n"),
        ("multipart/form-data; boundary=XX", "--XX\r\nbroken"),
        ("multipart/form-data; boundary=", "x"),
    ] {
        let request = server
            .devices(Method::POST, "")
            .header("Content-Type", content_type);
        let answer = send(request.body(body)).await;
        assert_eq!(answer.status, 400, "{content_type}: {}", answer.text);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with("Multipart form parse error - "),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn put_without_all_events_leaves_it_and_patch_changes_what_it_names() {
    let server = TestServer::start().await;
    let device = server.create_device("Door").await;
    let path = format!("{}/", device["device_id"]);
    let body = json!({"name": "Gate", "limit_events": []});
    let put = send(server.devices(Method::PUT, &path).json(&body))
        .await
        .json();
    assert_eq!(
        (&put["name"], &put["all_events"]),
        (&json!("Gate"), &json!(true))
    );
    let answer = send(server.devices(Method::PATCH, &path).json(&json!({}))).await;
    answer.is(200, put.clone());
    let body = json!({"security_profile": "pretixscan_online_kiosk", "all_events": "no"});
    let patched = send(server.devices(Method::PATCH, &path).json(&body))
        .await
        .json();
    assert_eq!(patched["security_profile"], "pretixscan_online_kiosk");
    assert_eq!(patched["all_events"], false);
    assert_eq!(
        patched["initialization_token"],
        device["initialization_token"]
    );
}

#[tokio::test]
async fn an_empty_body_holds_nothing_whatever_its_type() {
    let server = TestServer::start().await;
    let request = server
        .devices(Method::POST, "")
        .header("Content-Type", "text/plain");
    send(request).await.is(
        400,
        json!({
            "limit_events": ["This field is required."], "name": ["This field is required."],
        }),
    );
    let request = server
        .devices(Method::POST, "")
        .header("Content-Type", "Text/Plain; a=b");
    send(request.body("x")).await.is(
        415,
        json!({"detail": "Unsupported media type \"Text/Plain; a=b\" in request."}),
    );
    let request = server
        .devices(Method::POST, "")
        .header("Content-Type", "Application/JSON");
    assert_eq!(
        send(request.body(r#"{"name": "x", "limit_events": []}"#))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn permission_and_existence_are_judged_before_the_body() {
    let server = TestServer::start().await;
    let reader = server.token(&["organizer.devices:read"]).await;
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
    let request = server.request(Method::POST, &path);
    let request = request.header("Authorization", format!("Token {reader}"));
    let answer = send(request.header("Content-Type", "text/plain").body("x")).await;
    assert_eq!(answer.status, 403);
    let request = server
        .devices(Method::PATCH, "99/")
        .header("Content-Type", "text/plain");
    send(request.body("x"))
        .await
        .is(404, json!({"detail": "No Device matches the given query."}));
}

#[tokio::test]
async fn a_team_may_do_what_its_permissions_say() {
    let server = TestServer::start().await;
    server.create_device("Door").await;
    let list = format!("/api/v1/organizers/{ORGANIZER}/devices/");
    let one = format!("{list}1/");
    let body = json!({"name": "x", "limit_events": []});
    for (permissions, [get, post, patch, delete]) in [
        (&["organizer.devices:read"][..], [200, 403, 403, 403]),
        (&["organizer.devices:write"][..], [403, 201, 200, 405]),
        (
            &["organizer.devices:read", "organizer.devices:write"][..],
            [200, 201, 200, 405],
        ),
        (&["organizer.teams:write"][..], [403, 403, 403, 403]),
    ] {
        let token = server.token(permissions).await;
        let request = |method, path| {
            let request = server.request(method, path);
            request.header("Authorization", format!("tOKEN  {token}"))
        };
        let statuses = [
            send(request(Method::GET, &list)).await.status,
            send(request(Method::POST, &list).json(&body)).await.status,
            send(request(Method::PATCH, &one).json(&json!({})))
                .await
                .status,
            send(request(Method::DELETE, &one)).await.status,
        ];
        assert_eq!(statuses, [get, post, patch, delete], "{permissions:?}");
    }
}

#[tokio::test]
async fn only_writers_see_initialization_tokens() {
    let server = TestServer::start().await;
    server.create_device("Door").await;
    let reader = server.token(&["organizer.devices:read"]).await;
    for path in ["", "1/"] {
        let path = format!("/api/v1/organizers/{ORGANIZER}/devices/{path}");
        let request = server.request(Method::GET, &path);
        let request = request.header("Authorization", format!("Token {reader}"));
        let answer = send(request).await;
        assert_eq!(answer.status, 200);
        assert!(
            !answer.text.contains("initialization_token"),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn methods_that_there_are_not_are_refused_after_the_caller_is_known() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
    for method in ["DELETE", "TRACE", "FOO"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = send(server.request(method.clone(), &path)).await;
        assert_eq!(answer.status, 401, "{method}");
        let answer = send(server.as_admin(method.clone(), &path)).await;
        assert_eq!(answer.header("allow"), "GET, POST, HEAD, OPTIONS");
        answer.is(
            405,
            json!({"detail": format!("Method \"{method}\" not allowed.")}),
        );
        let answer = send(server.as_device(&key, method.clone(), "/api/v1/device/info")).await;
        assert_eq!(answer.status, 405, "{method}");
        let answer = send(server.request(method.clone(), "/api/v1/device/initialize")).await;
        assert_eq!(answer.status, 405, "{method}");
    }
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let server = TestServer::start().await;
    server.create_device("Door").await;
    for (path, status) in [("", 200), ("1/", 200), ("2/", 404)] {
        let get = send(server.devices(Method::GET, path)).await;
        let head = send(server.devices(Method::HEAD, path)).await;
        assert_eq!(
            (get.status, head.status, head.text.as_str()),
            (status, status, "")
        );
        assert_eq!(head.header("content-length"), get.text.len().to_string());
        assert_eq!(head.header("allow"), get.header("allow"));
    }
}

#[tokio::test]
async fn options_tell_what_may_be_sent() {
    let server = TestServer::start().await;
    server.create_device("Door").await;
    let answer = send(server.devices(Method::OPTIONS, "")).await;
    assert_eq!(answer.status, 200);
    let name = &answer.json()["actions"]["POST"]["name"];
    assert_eq!(
        (&name["type"], &name["required"], &name["max_length"]),
        (&json!("string"), &json!(true), &json!(190))
    );
    assert_eq!(
        answer.json()["actions"]["POST"]["revoked"]["read_only"],
        true
    );
    let answer = send(server.devices(Method::OPTIONS, "1/")).await;
    assert!(
        answer.json()["actions"]["PUT"]["limit_events"]["required"]
            .as_bool()
            .unwrap()
    );
    assert_eq!(answer.header("allow"), "GET, PUT, PATCH, HEAD, OPTIONS");
    let reader = server.token(&["organizer.devices:read"]).await;
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices/");
    let request = server.request(Method::OPTIONS, &path);
    let request = request.header("Authorization", format!("Token {reader}"));
    assert!(send(request).await.json().get("actions").is_none());
    assert_eq!(
        send(server.request(Method::OPTIONS, &path)).await.status,
        401
    );
}

#[tokio::test]
async fn a_caller_that_takes_no_json_is_told_so() {
    let server = TestServer::start().await;
    for (accept, status) in [
        ("application/json", 200),
        ("text/html, */*;q=0.8", 200),
        ("APPLICATION/json; indent=4", 200),
        ("application/*", 200),
        ("text/html", 406),
        ("text/*, image/png", 406),
    ] {
        let answer = send(server.devices(Method::GET, "").header("Accept", accept)).await;
        assert_eq!(answer.status, status, "{accept}");
    }
    assert_eq!(
        send(server.devices(Method::GET, "?format=json"))
            .await
            .status,
        200
    );
    let answer = send(server.devices(Method::GET, "?format=xml")).await;
    answer.is(404, json!({"detail": "Not found."}));
}

#[tokio::test]
async fn paths_without_their_slash_lead_to_it_for_those_who_only_ask() {
    let server = TestServer::start().await;
    let path = format!("/api/v1/organizers/{ORGANIZER}/devices");
    for (method, path) in [
        (Method::GET, format!("{path}?page=2&a=%20b")),
        (Method::HEAD, format!("{path}/1")),
        (Method::DELETE, path.clone()),
    ] {
        let answer = send(server.request(method, &path)).await;
        assert_eq!(answer.status, 301);
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let expected = match query {
            "" => format!("{path}/"),
            query => format!("{path}/?{query}"),
        };
        assert_eq!(answer.header("location"), expected);
    }
    for method in [Method::POST, Method::PUT, Method::PATCH] {
        assert_eq!(send(server.as_admin(method, &path)).await.status, 404);
    }
    for path in [
        "/none",
        "/api/v1/",
        "/api/v1/device/info/",
        "/api/v1/device",
        "/api/v2/device/info",
        "/api/v1/organizers/%ff/devices/",
        "///api/v1/version",
        "/api//v1/version",
    ] {
        let answer = send(server.as_admin(Method::GET, path)).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn device_numbers_are_read_as_the_reference_reads_them() {
    let server = TestServer::start().await;
    server.create_device("Door").await;
    for path in ["1/", "01/", "+1/", "%201/"] {
        assert_eq!(
            send(server.devices(Method::GET, path)).await.status,
            200,
            "{path}"
        );
    }
    let unmatched = json!({"detail": "No Device matches the given query."});
    for path in ["0/", "-1/", "2/", "99999999999999999999999999/"] {
        send(server.devices(Method::GET, path))
            .await
            .is(404, unmatched.clone());
    }
    for path in ["abc/", "1e3/", "%00/", "0x1/", "1%2F2/"] {
        send(server.devices(Method::GET, path))
            .await
            .is(404, json!({"detail": "Not found."}));
    }
}

#[tokio::test]
async fn pages_link_to_each_other_and_keep_the_other_parameters() {
    let server = TestServer::start().await;
    for number in 1..=5 {
        server.create_device(&format!("Lane {number}")).await;
    }
    let base = format!("{}/api/v1/organizers/{ORGANIZER}/devices/", server.url);
    let page = async |query: &str| send(server.devices(Method::GET, query)).await.json();
    let second = page("?z=1&page_size=2&a=b%20c&page=2&a=d").await;
    assert_eq!(
        second["next"],
        format!("{base}?a=b+c&a=d&page=3&page_size=2&z=1")
    );
    assert_eq!(
        second["previous"],
        format!("{base}?a=b+c&a=d&page_size=2&z=1")
    );
    assert_eq!(second["results"][0]["device_id"], 3);
    assert_eq!(
        page("?page=last&page_size=2").await["results"][0]["device_id"],
        5
    );
    assert_eq!(
        page("?page=+2&page_size=2").await["results"][0]["device_id"],
        3
    );
    assert_eq!(page("?page=").await["count"], 5);
    for size in ["0", "-1", "abc", "", "1.5", "9999999999999999999999"] {
        let whole = page(&format!("?page_size={size}")).await;
        assert_eq!(whole["results"].as_array().unwrap().len(), 5, "{size}");
    }
    for number in ["4", "0", "-1", "1.5", "LAST", "99999999999999999999"] {
        let answer =
            send(server.devices(Method::GET, &format!("?page_size=2&page={number}"))).await;
        answer.is(404, json!({"detail": "Invalid page."}));
    }
}

#[tokio::test]
async fn an_empty_list_has_one_page() {
    let server = TestServer::start().await;
    let empty = json!({"count": 0, "next": null, "previous": null, "results": []});
    for query in ["", "?page=1", "?page=last"] {
        send(server.devices(Method::GET, query))
            .await
            .is(200, empty.clone());
    }
    assert_eq!(
        send(server.devices(Method::GET, "?page=2")).await.status,
        404
    );
}

#[tokio::test]
async fn links_are_under_the_public_address_if_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(folder, Some("https://tickets.example/shop/")).await;
    server.create_device("a").await;
    server.create_device("b").await;
    let page = send(server.devices(Method::GET, "?page_size=1"))
        .await
        .json();
    let expected = format!(
        "https://tickets.example/shop/api/v1/organizers/{ORGANIZER}/devices/?page=2&page_size=1"
    );
    assert_eq!(page["next"], expected);
    // A proxy may take the path away or leave it.
    let path = format!("/shop/api/v1/organizers/{ORGANIZER}/devices");
    let under_path = send(server.as_admin(Method::GET, &format!("{path}/?page_size=1"))).await;
    assert_eq!(under_path.json(), page);
    for path in [&path, path.trim_start_matches("/shop")] {
        let answer = send(server.as_admin(Method::GET, path)).await;
        let expected = format!("/shop/api/v1/organizers/{ORGANIZER}/devices/");
        assert_eq!(answer.header("location"), expected);
    }
    let (_, key) = server.enrol("c").await;
    let restrict = DeviceChange {
        security_profile: Some("pretixscan".to_owned()),
        ..DeviceChange::default()
    };
    server
        .store
        .edit_device(server.organizer, 3, restrict)
        .await
        .unwrap();
    let answer = send(server.as_device(&key, Method::GET, "/shop/api/v1/device/info")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_made_at_once_are_numbered_without_gap_or_double() {
    let server = std::sync::Arc::new(TestServer::start().await);
    let creations: Vec<_> = (0..200)
        .map(|number| {
            let server = std::sync::Arc::clone(&server);
            tokio::spawn(async move { server.create_device(&format!("Lane {number}")).await })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    let mut serials = BTreeSet::new();
    for creation in creations {
        let device: Value = creation.await.unwrap();
        numbers.insert(device["device_id"].as_u64().unwrap());
        serials.insert(device["unique_serial"].as_str().unwrap().to_owned());
    }
    assert!(numbers.into_iter().eq(1..=200));
    assert_eq!(serials.len(), 200);
}

#[tokio::test]
async fn nothing_of_an_inactive_organizer_is_served() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Door").await;
    let waiting = server.create_device("Waiting").await;
    let change = gatehand::server::store::OrganizerChange {
        active: Some(false),
        ..Default::default()
    };
    server
        .store
        .change_organizer(ORGANIZER, change)
        .await
        .unwrap();
    assert_eq!(send(server.devices(Method::GET, "")).await.status, 403);
    let answer = send(server.as_device(&key, Method::GET, "/api/v1/device/info")).await;
    assert_eq!(answer.status, 403);
    let request = server.request(Method::POST, "/api/v1/device/initialize");
    let answer = send(request.json(&crate::common::server::initialization(&waiting))).await;
    answer.is(400, json!({"token": ["Unknown initialization token."]}));
}
