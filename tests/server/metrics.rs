//! What a server tells those who watch over it.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use gatehand::server::Config;
use gatehand::server::model::DeviceChange;
use reqwest::Method;

use crate::common::installation::ServerProcess;
use crate::common::scanner::Scanner;
use crate::common::server::{Answer, TestServer, client, config, send};
use crate::common::skip::can_run;

/// What is told at an address.
async fn told(url: &str) -> Answer {
    let answer = send(client().get(format!("{url}/metrics"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer
            .header("content-type")
            .starts_with("text/plain; version=0.0.4")
    );
    answer
}

/// The samples, by name and labels as they are written.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let split = lines.map(|line| line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}")));
    let mut samples = BTreeMap::new();
    for (name, value) in split {
        let before = samples.insert(name, value.parse().unwrap());
        assert_eq!(before, None, "{name} is told twice");
    }
    samples
}

/// A server with its metrics, on each kind of database.
async fn servers() -> Vec<(TestServer, String)> {
    let mut servers = Vec::new();
    for server in TestServer::on_each().await {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let config = Config {
            metrics_listen: Some(address.to_string().parse().unwrap()),
            unknown_keys_per_minute: 2,
            ..config(None)
        };
        let server = TestServer::start_with(server.stop().await, config).await;
        servers.push((server, format!("http://{address}")));
    }
    servers
}

#[tokio::test]
async fn what_was_asked_and_how_it_stands_is_told_but_no_device_and_no_key() {
    for (server, metrics) in servers().await {
        let (device, key) = server.enrol("Lane 1").await;
        let (_, revoked) = server.enrol("Lane 2").await;
        server.create_device("Lane 3").await;
        let change = DeviceChange::default();
        server
            .store
            .edit_device(server.organizer, device, change)
            .await
            .unwrap();
        server
            .store
            .revoke_device(server.organizer, 2)
            .await
            .unwrap();
        for _ in 0..3 {
            send(server.as_device(&key, Method::GET, "/api/v1/device/info")).await;
            send(server.as_device("nobody's", Method::GET, "/api/v1/device/info")).await;
        }
        send(server.as_device(&revoked, Method::GET, "/api/v1/device/info")).await;
        send(server.request(Method::GET, "/api/v1/nothing/of/mine")).await;
        send(
            server
                .request(Method::GET, "/api/v1/version")
                .header("Host", "evil.example"),
        )
        .await;
        let retried = || {
            let report = serde_json::json!({
                "hardware_brand": "Zebra", "hardware_model": "TC25",
                "software_brand": "pretixSCAN", "software_version": "2",
            });
            let update = server.as_device(&key, Method::POST, "/api/v1/device/update");
            update.header("X-Idempotency-Key", "again").json(&report)
        };
        for _ in 0..2 {
            assert_eq!(send(retried()).await.status, 200);
        }
        send(server.request(Method::GET, "/healthz")).await;

        let text = told(&metrics).await.text;
        let samples = samples(&text);
        let of = |name: &str| {
            let found = samples.get(name);
            *found.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
        };
        let requests = |labels: &str| of(&format!("gatehand_requests_total{{{labels}}}"));
        assert_eq!(
            requests(r#"endpoint="info",method="GET",status="2xx""#),
            3.0
        );
        assert_eq!(
            requests(r#"endpoint="info",method="GET",status="4xx""#),
            4.0
        );
        assert_eq!(
            requests(r#"endpoint="initialize",method="POST",status="2xx""#),
            2.0
        );
        assert_eq!(
            requests(r#"endpoint="none",method="GET",status="4xx""#),
            1.0
        );
        let took = |part: &str| {
            of(&format!(
                r#"gatehand_request_duration_seconds_{part}{{endpoint="info",method="GET"}}"#
            ))
        };
        assert_eq!(took("count"), 7.0);
        assert!(took("sum") > 0.0);
        let all =
            r#"gatehand_request_duration_seconds_bucket{endpoint="info",method="GET",le="+Inf"}"#;
        assert_eq!(of(all), 7.0);
        for (why, count) in [
            ("unknown_key", 3.0),
            ("many_unknown_keys", 1.0),
            ("foreign_host", 1.0),
        ] {
            assert_eq!(
                of(&format!(r#"gatehand_refused_total{{why="{why}"}}"#)),
                count,
                "{why}"
            );
        }
        for (state, count) in [("active", 1.0), ("waiting", 1.0), ("revoked", 1.0)] {
            let name = format!(r#"gatehand_devices{{organizer="bigevents",state="{state}"}}"#);
            assert_eq!(of(&name), count, "{state}");
        }
        assert_eq!(of("gatehand_answers_repeated_total"), 1.0);
        assert!(of("gatehand_answers_kept_total") >= 1.0);
        assert!(of(r#"gatehand_store_duration_seconds_count{kind="write"}"#) > 0.0);
        assert_eq!(of(r#"gatehand_store_failures_total{kind="look"}"#), 0.0);
        assert!(
            of(r#"gatehand_connections{known="yes"}"#) + of(r#"gatehand_connections{known="no"}"#)
                >= 1.0
        );
        assert_eq!(of("gatehand_connection_places"), 8192.0);
        assert!(of("gatehand_sightings_waiting") >= 1.0);
        assert!(of("process_resident_memory_bytes") > 1e6);
        assert!(of("process_open_fds") > 3.0);
        assert!(of("process_start_time_seconds") > 1.6e9);
        let [key, revoked] = [&key, &revoked].map(String::as_str);
        for hidden in [
            key,
            revoked,
            "Lane",
            "nobody's",
            "nothing/of/mine",
            "evil.example",
        ] {
            assert!(!text.contains(hidden), "{hidden}");
        }
        // It is there and nowhere else.
        assert_eq!(
            send(server.request(Method::GET, "/metrics")).await.status,
            404
        );
        for (method, path, status) in [
            (Method::GET, "/", 404),
            (Method::GET, "/api/v1/version", 404),
            (Method::POST, "/metrics", 405),
            (Method::HEAD, "/metrics", 200),
        ] {
            let asked = client().request(method, format!("{metrics}{path}"));
            assert_eq!(send(asked).await.status, status, "{path}");
        }
        reads(&text);
    }
}

/// That readers of such texts take it: Prometheus' own checks, where they are at hand.
fn reads(text: &str) {
    for (program, arguments) in [
        ("promtool", &["check", "metrics"][..]),
        ("python3", &["-c", READER]),
    ] {
        let is_there = match program {
            "promtool" => Command::new(program).arg("--version").output().is_ok(),
            _ => can_run(program, &["--version"]),
        };
        if !is_there {
            continue;
        }
        let mut reader = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = reader.stdin.take().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        drop(input);
        let ended = reader.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{program}: {said}\n{text}");
    }
}

/// Every line has the form that the text format has, each metric is described once before its samples, and the buckets
/// of a histogram grow up to its count.
const READER: &str = r##"
import re, sys
kinds, described, last, buckets = {}, set(), None, {}
sample = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')
for line in sys.stdin.read().split("\n")[:-1]:
    if line.startswith("# HELP "):
        name = line.split(" ", 3)[2]
        assert name not in described, line
        described.add(name)
    elif line.startswith("# TYPE "):
        _, _, name, kind = line.split(" ")
        assert name in described and name not in kinds and kind in ("counter", "gauge", "histogram"), line
        assert (kind == "counter") == name.endswith("_total"), line
        kinds[name] = last = kind, name
    else:
        found = sample.match(line)
        assert found, line
        name, labels, value = found.groups()
        base = re.sub("_(bucket|sum|count)$", "", name) if kinds.get(name) is None else name
        assert kinds[base] == last, line
        value = float(value)
        labels = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', labels or "")
        key = base, frozenset(label for label in labels if label[0] != "le")
        if name.endswith("_bucket"):
            assert value >= buckets.get(key, 0), line
            buckets[key] = value
        if last[0] == "histogram" and name.endswith("_count"):
            assert buckets[key] == value, line
assert kinds
"##;

#[test]
fn it_may_be_a_socket_and_an_address_that_strangers_reach_is_warned_of() {
    let desk = Scanner::new();
    let socket = desk.scratch().join("metrics.sock");
    let listen = format!("unix:{}", socket.display());
    let database = desk.scratch().join("server.db");
    let served = ServerProcess::start_with(&database, &["--metrics-listen", &listen]);
    assert!(served.log().contains(&format!("Metrics on {listen}")));
    assert!(!served.log().contains("anybody who can connect"));
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(
        answer.contains("gatehand_build_info{database=\"sqlite\""),
        "{answer}"
    );
    drop(served);
    let open = ServerProcess::start_with(&database, &["--metrics-listen", "0.0.0.0:0"]);
    assert!(
        open.log().contains("anybody who can connect"),
        "{}",
        open.log()
    );
}
