//! `/auth/verify`: a proxy asks whether a device may make a request that came to it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gatehand::server::Config;
use rcgen::KeyPair;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::common::authority::{root, server_parameters};
use crate::common::callers::until;
use crate::common::server::{Answer, TestServer, config, send};
use crate::common::skip::can_run;
use crate::common::stranger::Stranger;

const TRUSTED: &str = "127.0.0.0/8";

async fn trusting(proxy: &str, public_url: Option<&str>) -> TestServer {
    let config = Config {
        trusted_proxies: [proxy.parse().unwrap()].into_iter().collect(),
        ..config(public_url)
    };
    TestServer::start_with(tempfile::tempdir().unwrap(), config).await
}

fn original(request: RequestBuilder, method: &str, uri: &str) -> RequestBuilder {
    request
        .header("X-Original-Method", method)
        .header("X-Original-URI", uri)
}

async fn asked(server: &TestServer, key: &str, method: &str, uri: &str) -> Answer {
    let request = server.as_device(key, Method::GET, "/auth/verify");
    send(original(request, method, uri)).await
}

#[tokio::test]
async fn a_device_is_let_through_by_its_profile_and_named_to_what_is_behind_the_proxy() {
    let server = trusting(TRUSTED, Some("https://tickets.example/shop")).await;
    let gate = server
        .store
        .create_gate(server.organizer, "nord-ä/1", "North")
        .await
        .unwrap();
    let (device, key) = server.enrol("Lane 1").await;
    let answer = asked(&server, &key, "GET", "/photos/17?size=large").await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(answer.header("x-gatehand-device"), device.to_string());
    assert_eq!(answer.header("x-gatehand-organizer"), "bigevents");
    assert_eq!(answer.header("x-gatehand-gate"), "");
    assert_eq!(answer.header("cache-control"), "no-store");
    let change = gatehand::server::model::DeviceChange {
        gate: Some(Some(gate.identifier)),
        security_profile: Some("pretixscan".to_owned()),
        ..Default::default()
    };
    let edited = server.store.edit_device(server.organizer, device, change);
    edited.await.unwrap();
    for (method, uri, status) in [
        ("GET", "/api/v1/device/info", 204),
        ("GET", "/shop/api/v1/device/info?a=b", 204),
        ("POST", "/api/v1/device/roll", 204),
        ("POST", "/api/v1/device/info", 403),
        ("GET", "/photos/17", 403),
        ("GET", "/api/v1/device/INFO", 403),
        ("GET", "/api/v1/device/info/", 403),
    ] {
        let answer = asked(&server, &key, method, uri).await;
        assert_eq!(answer.status, status, "{method} {uri}: {}", answer.text);
        let told = answer.header("x-gatehand-gate");
        assert_eq!(told, if status == 204 { "nord-%C3%A4%2F1" } else { "" });
    }
    let below = server.as_device(&key, Method::HEAD, "/shop/auth/verify");
    let answer = send(original(below, "GET", "/api/v1/device/info")).await;
    assert_eq!(answer.status, 204);
    let sent = server.as_device(&key, Method::POST, "/auth/verify");
    let answer = send(original(sent, "GET", "/api/v1/device/info")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
}

#[tokio::test]
async fn what_is_not_clear_is_denied_whatever_the_profile() {
    let server = trusting(TRUSTED, None).await;
    let (_, key) = server.enrol("Lane 1").await;
    for uri in [
        "*",
        "//photos",
        "/photos//17",
        "/photos/../admin",
        "/photos/..",
        "/photos/./17",
        "/photos%2f..%2fadmin",
        "/photos/%2e%2e/admin",
        "/photos%00",
        "/photos;x",
        "/photos\\..\\admin",
        "http://tickets.example/photos",
        "tickets.example:443",
    ] {
        assert_eq!(asked(&server, &key, "GET", uri).await.status, 403, "{uri}");
    }
    for method in ["get", "Get", "G:T"] {
        let answer = asked(&server, &key, method, "/photos").await;
        assert_eq!(answer.status, 403, "{method}");
    }
    let none = server.as_device(&key, Method::GET, "/auth/verify");
    assert_eq!(send(none).await.status, 403);
    let twice = server.as_device(&key, Method::GET, "/auth/verify");
    let twice = original(original(twice, "GET", "/photos"), "GET", "/photos");
    assert_eq!(send(twice).await.status, 403);
}

#[tokio::test]
async fn who_is_not_known_gets_401_however_often_and_whoever_has_no_access_any_more() {
    let config = Config {
        trusted_proxies: [TRUSTED.parse().unwrap()].into_iter().collect(),
        unknown_keys_per_minute: 2,
        ..config(None)
    };
    let server = TestServer::start_with(tempfile::tempdir().unwrap(), config).await;
    for _ in 0..5 {
        let answer = asked(&server, "nobody's", "GET", "/photos").await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        assert_eq!(answer.header("www-authenticate"), "Device");
    }
    let anonymous = server.request(Method::GET, "/auth/verify");
    let anonymous = send(original(anonymous, "GET", "/photos")).await;
    assert_eq!(anonymous.status, 401);
    // A team is no device.
    let team = server.as_admin(Method::GET, "/auth/verify");
    assert_eq!(send(original(team, "GET", "/photos")).await.status, 401);
    let (device, key) = server.enrol("Lane 1").await;
    assert_eq!(asked(&server, &key, "GET", "/photos").await.status, 204);
    let revoked = server.store.revoke_device(server.organizer, device);
    revoked.await.unwrap();
    assert_eq!(asked(&server, &key, "GET", "/photos").await.status, 401);
}

#[tokio::test]
async fn only_a_trusted_proxy_is_told_and_its_callers_keys_for_answers_change_nothing() {
    let server = trusting("10.0.0.0/8", None).await;
    let (_, key) = server.enrol("Lane 1").await;
    let answer = asked(&server, &key, "GET", "/photos").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text.contains("trusted proxy"), "{}", answer.text);

    let server = trusting(TRUSTED, None).await;
    let (_, key) = server.enrol("Lane 1").await;
    let with_key = |method: &str, uri: &str| {
        let request = server.as_device(&key, Method::GET, "/auth/verify");
        original(request, method, uri).header("X-Idempotency-Key", "again")
    };
    assert_eq!(send(with_key("POST", "/photos")).await.status, 204);
    assert_eq!(send(with_key("POST", "/photos//")).await.status, 403);
    assert_eq!(send(with_key("POST", "/photos")).await.status, 204);
    // The request itself is done afterwards, and under the same key.
    let report = json!({
        "hardware_brand": "Zebra", "hardware_model": "TC25",
        "software_brand": "pretixSCAN", "software_version": "2",
    });
    let update = server.as_device(&key, Method::POST, "/api/v1/device/update");
    let update = update.header("X-Idempotency-Key", "again").json(&report);
    let answer = send(update).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// nginx as it runs with what the page says; ended when dropped.
struct Nginx {
    child: Child,
    front: String,
}

impl Nginx {
    fn start(folder: &Path, server: &str, behind: &str) -> Self {
        let front = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let front = front.unwrap().to_string();
        let key = KeyPair::generate().unwrap();
        let own = server_parameters("photos.example");
        let own = own.signed_by(&key, &root("Photos")).unwrap();
        fs::write(folder.join("fullchain.pem"), own.pem()).unwrap();
        fs::write(folder.join("privkey.pem"), key.serialize_pem()).unwrap();
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/SERVER.md");
        let page = fs::read_to_string(page).unwrap();
        let blocks = page.split("```nginx\n").skip(1);
        let mut blocks = blocks.map(|rest| rest.split_once("```").unwrap().0);
        let block = blocks.find(|block| block.contains("auth_request")).unwrap();
        let block = block
            .replace("listen 443 ssl", &format!("listen {front}"))
            .replace(
                "/etc/letsencrypt/live/photos.example",
                &folder.display().to_string(),
            )
            .replace("127.0.0.1:8345", server)
            .replace("127.0.0.1:9000", behind);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/nginx;\n", folder.display()))
            .concat();
        let configuration = format!(
            "daemon off;\npid {0}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{block}}}\n",
            folder.display()
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let child = Command::new("nginx")
            .args(["-e", "stderr", "-c"])
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until("nginx listens", || TcpStream::connect(&front).is_ok());
        Self { child, front }
    }

    /// The answer to a request line and headers as they stand.
    fn ask(&self, line: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.front).unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: photos.example\r\nConnection: close\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers go with it.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_lets_through_what_the_page_says_and_nothing_that_only_looks_like_it() {
    if !can_run("nginx", &["-v"]) {
        return;
    }
    let server = trusting(TRUSTED, None).await;
    let (device, key) = server.enrol("Lane 1").await;
    let behind = Stranger::answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nphoto");
    let folder = tempfile::tempdir().unwrap();
    let at = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    let nginx = Nginx::start(folder.path(), &at(&server.url), &at(&behind.url));
    let with_key = format!("Authorization: Device {key}\r\n");
    let forged = format!(
        "{with_key}X-Gatehand-Device: 99\r\nX-Gatehand-Gate: vip\r\nX-Original-URI: /photos\r\n"
    );

    let answer = nginx.ask("GET /photos/17?size=large", &forged);
    assert!(
        answer.contains("200 OK") && answer.ends_with("photo"),
        "{answer}"
    );
    let passed_on = behind.requests().pop().unwrap().to_ascii_lowercase();
    assert!(
        passed_on.starts_with("get /photos/17?size=large "),
        "{passed_on}"
    );
    assert!(
        passed_on.contains(&format!("x-gatehand-device: {device}\r\n")),
        "{passed_on}"
    );
    assert!(
        passed_on.contains("x-gatehand-organizer: bigevents\r\n"),
        "{passed_on}"
    );
    for hidden in [&*key.to_ascii_lowercase(), "vip", "authorization"] {
        assert!(!passed_on.contains(hidden), "{hidden}: {passed_on}");
    }
    let sent = format!("{with_key}Content-Length: 4\r\nX-Idempotency-Key: one\r\n\r\nbody");
    let answer = nginx.ask("POST /photos", sent.trim_end_matches("\r\n"));
    assert!(answer.contains("200 OK"), "{answer}");

    let before = behind.requests().len();
    assert!(nginx.ask("GET /photos/17", "").contains(" 401 "));
    assert!(
        nginx
            .ask("GET /photos/17", "Authorization: Device no\r\n")
            .contains(" 401 ")
    );
    for path in [
        "/photos/../admin",
        "/photos/%2e%2e/admin",
        "//photos",
        "/photos%2f17",
        "/photos/%00",
        "http://photos.example//photos",
    ] {
        let answer = nginx.ask(&format!("GET {path}"), &with_key);
        assert!(
            [" 403 ", " 400 "]
                .iter()
                .any(|status| answer.contains(status)),
            "{path}: {answer}"
        );
    }
    // Nobody asks the question itself from outside.
    let answer = nginx.ask("GET /auth/verify", &with_key);
    assert!(answer.contains(" 404 "), "{answer}");
    let revoked = server.store.revoke_device(server.organizer, device);
    revoked.await.unwrap();
    assert!(nginx.ask("GET /photos/17", &with_key).contains(" 401 "));
    assert_eq!(behind.requests().len(), before);
}
