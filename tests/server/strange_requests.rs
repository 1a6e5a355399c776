//! Anything at all, made up at random, gets an answer below 500.

use axum::body::Body;
use gatehand::server::Server;
use gatehand::server::model::Permissions;
use hyper::Request;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

struct Fixture {
    runtime: Runtime,
    server: Server,
    token: String,
    _folder: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (server, token) = runtime.block_on(async {
        let config = crate::common::server::config(None);
        let server = crate::common::server::listen(folder.path(), config)
            .await
            .unwrap();
        let store = server.installation().store.clone();
        let organizer = store
            .create_organizer(&"o".parse().unwrap(), "O")
            .await
            .unwrap()
            .id;
        store
            .create_team(organizer, "t", Permissions::All)
            .await
            .unwrap();
        let token = store
            .create_team_token(organizer, "t", "t")
            .await
            .unwrap()
            .token;
        (server, token.expose().to_owned())
    });
    Fixture {
        runtime,
        server,
        token,
        _folder: folder,
    }
}

impl Fixture {
    /// Answers a request if it is one by the rules of HTTP.
    fn status(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, Vec<u8>)],
        body: Vec<u8>,
    ) -> u16 {
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "localhost");
        }
        for (name, value) in headers {
            request = request.header(*name, value.as_slice());
        }
        match request.body(Body::from(body)) {
            Ok(request) => {
                let answer = self.runtime.block_on(self.server.answer(request));
                answer.status().as_u16()
            }
            // hyper refuses it before it comes to us.
            Err(_) => 400,
        }
    }

    fn authorization(&self) -> (&'static str, Vec<u8>) {
        (
            "authorization",
            format!("Token {}", self.token).into_bytes(),
        )
    }
}

/// JSON as a client might write it, and as none would.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| format!("{value:e}")),
        "-?[0-9]{1,40}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| serde_json::json!(text).to_string()),
        "\"(\\\\u[0-9a-fA-F]{4}){0,4}\"",
        Just("\"full\"".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key(), inner), 0..8).prop_map(|entries| {
                let entries = entries.iter();
                let entries = entries.map(|(key, value)| format!("\"{key}\":{value}"));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "all_events",
        "limit_events",
        "security_profile",
        "token",
        "hardware_brand",
        "hardware_model",
        "os_name",
        "os_version",
        "software_brand",
        "software_version",
        "info",
        "rsa_pubkey",
        "other",
    ])
}

#[test]
fn any_body_is_answered() {
    let fixture = fixture();
    let body = prop_oneof![
        json().prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..200),
        "(--X\r\n(Content-Disposition: form-data; name=\"(name|info)\"\r\n)?\r\n[a-z]{0,4}\r\n){0,3}(--X--)?"
            .prop_map(String::into_bytes),
        "((name|limit_events|all_events|token|info)=[a-z%0-9+\\[{\"]{0,6}&){0,6}"
            .prop_map(String::into_bytes),
    ];
    let content_type = prop::sample::select(vec![
        "application/json",
        "application/json; charset=utf-16le",
        "application/json; charset=",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=X",
    ]);
    let target = prop::sample::select(vec![
        ("POST", "/api/v1/organizers/o/devices/"),
        ("PATCH", "/api/v1/organizers/o/devices/1/"),
        ("PUT", "/api/v1/organizers/o/devices/1/"),
        ("POST", "/api/v1/device/initialize"),
    ]);
    let request = (target, content_type, body, any::<Option<u8>>());
    let answered =
        TestRunner::default().run(&request, |((method, path), content_type, body, key)| {
            let mut headers = vec![
                fixture.authorization(),
                ("content-type", content_type.as_bytes().to_vec()),
            ];
            if let Some(key) = key {
                headers.push(("x-idempotency-key", vec![b'a' + key % 26]));
            }
            let status = fixture.status(method, path, &headers, body);
            prop_assert!(status < 500, "{status}");
            Ok(())
        });
    answered.unwrap();
}

#[test]
fn any_path_and_query_is_answered() {
    let fixture = fixture();
    let path = prop_oneof![
        "/api/v1/organizers/o/devices/[0-9a-z%+_.-]{0,24}/?",
        "/api/v1/organizers/[a-z%0-9]{0,6}/devices/[0-9]{0,24}/?",
        "/api/v1/(device/(info|initialize|eventselection)|version|idempotency_query)/?",
        "(/[a-zA-Z0-9%._~!$&'()*+,;=:@-]{0,8}){1,6}",
    ];
    let query = prop_oneof![
        "((page|page_size|format|key|current_event|current_subevent)=[a-z0-9%+._-]{0,24}&?){0,4}",
        "[a-zA-Z0-9%&=+;/?_.-]{0,60}",
    ];
    let method = "GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE|[A-Z]{1,9}";
    let request = (method, path, query);
    let answered = TestRunner::default().run(&request, |(method, path, query)| {
        let target = format!("{path}?{query}");
        let status = fixture.status(&method, &target, &[fixture.authorization()], Vec::new());
        prop_assert!(status < 500, "{status}");
        Ok(())
    });
    answered.unwrap();
}

#[test]
fn any_header_is_answered() {
    let fixture = fixture();
    let value = || prop::collection::vec(any::<u8>(), 0..60);
    let credentials = prop_oneof![
        value(),
        "(Token|Device|tOkEn)[ \t]{0,2}[a-z0-9]{0,70}( [a-z])?".prop_map(String::into_bytes),
    ];
    let request = (
        "GET|POST|PATCH",
        credentials,
        value(),
        value(),
        value(),
        value(),
    );
    let answered = TestRunner::default().run(
        &request,
        |(method, authorization, accept, content_type, host, key)| {
            let headers = [
                ("authorization", authorization),
                ("accept", accept),
                ("content-type", content_type),
                ("host", host),
                ("x-request-id", key.clone()),
                ("x-idempotency-key", key),
            ];
            for path in ["/api/v1/organizers/o/devices/", "/api/v1/device/info", "/x"] {
                let status = fixture.status(&method, path, &headers, b"{}".to_vec());
                prop_assert!(status < 500, "{status}");
            }
            Ok(())
        },
    );
    answered.unwrap();
}
