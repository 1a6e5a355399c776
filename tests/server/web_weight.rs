//! The fleet page: what its pages weigh on their way, and which are compressed.

use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::header::HeaderMap;
use serde_json::json;

use crate::common::server::{TestServer, send};
use crate::common::visitor::{Visitor, hidden};

/// What all that a page loads weighs with it at most, in bytes.
const HEAVIEST: usize = 100_000;

/// A client that tells what comes as it comes.
struct Scale<'s> {
    server: &'s TestServer,
    client: reqwest::Client,
    cookies: String,
}

impl<'s> Scale<'s> {
    async fn of(visitor: &Visitor<'_>, server: &'s TestServer) -> Self {
        let cookies = visitor.cookies().into_iter();
        let cookies = cookies.map(|(name, value)| format!("{name}={value}"));
        Self {
            server,
            client: reqwest::Client::builder()
                .no_gzip()
                .no_proxy()
                .build()
                .unwrap(),
            cookies: cookies.collect::<Vec<_>>().join("; "),
        }
    }

    async fn get(&self, path: &str, accepted: &str) -> (HeaderMap, Vec<u8>) {
        let request = self.client.get(format!("{}{path}", self.server.url));
        let request = request.header("Cookie", &self.cookies);
        let answer = request
            .header("Accept-Encoding", accepted)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        (
            answer.headers().clone(),
            answer.bytes().await.unwrap().to_vec(),
        )
    }

    /// What a page weighs, and what it loads besides.
    async fn weigh(&self, path: &str) -> (usize, usize) {
        let (headers, body) = self.get(path, "gzip, deflate, br, zstd").await;
        assert_eq!(headers["content-encoding"], "gzip", "{path}");
        assert!(
            headers
                .get_all("vary")
                .iter()
                .any(|vary| vary.to_str().unwrap().contains("accept-encoding"))
        );
        let mut page = String::new();
        GzDecoder::new(&body[..]).read_to_string(&mut page).unwrap();
        assert!(page.ends_with("</html>"), "{path}: {page}");
        let loaded = page.split('"').filter(|text| text.starts_with("/assets/"));
        let mut besides = 0;
        for asset in loaded {
            besides += self.get(asset, "gzip").await.1.len();
        }
        (body.len(), besides)
    }
}

/// Devices as full as they are at a door.
async fn fleet(server: &TestServer, visitor: &Visitor<'_>) {
    let once = hidden(&visitor.get("/connect/many").await.text, "once");
    let fields = [
        ("by", "pattern"),
        ("pattern", "Entrance north, lane {:04}"),
        ("count", "1000"),
        ("first", "1"),
        ("all_events", "true"),
        ("security_profile", "full"),
        ("gate", ""),
        ("once", once.as_str()),
    ];
    let made = visitor.submit("/connect/many", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    for number in 1..=60 {
        let device = send(server.devices(reqwest::Method::GET, &format!("{number}/")))
            .await
            .json();
        let mut report = crate::common::server::initialization(&device);
        report["info"] = json!({"battery": {"percent": number}, "memory": {"total_bytes": 1_000_000_000_u64 + number}});
        let initialize = server.request(reqwest::Method::POST, "/api/v1/device/initialize");
        assert_eq!(send(initialize.json(&report)).await.status, 200);
    }
}

#[tokio::test]
async fn no_page_is_heavy_with_all_that_it_loads() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    fleet(&server, &visitor).await;
    let scale = Scale::of(&visitor, &server).await;
    for path in [
        "/devices",
        "/devices/1",
        "/devices/1/edit",
        "/devices/edit?state=active",
        "/connect/many",
        "/boards",
        "/devices/board?devices=1-1000",
    ] {
        let (page, besides) = scale.weigh(path).await;
        println!("| `{path}` | {page} | {besides} | {} |", page + besides);
        assert!(page + besides <= HEAVIEST, "{path}: {page} and {besides}");
    }
    // A code is as it is, and light all the same.
    let (_, code) = scale.get("/devices/61/connect", "gzip").await;
    println!("| `/devices/61/connect` | {} |", code.len());
    assert!(code.len() <= HEAVIEST / 2, "{}", code.len());
}

#[tokio::test]
async fn pages_are_compressed_for_who_takes_it_and_nothing_with_a_code_is() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    server.create_device("Lane").await;
    let scale = Scale::of(&visitor, &server).await;
    for (path, accepted, is_compressed) in [
        ("/devices", "gzip", true),
        ("/devices", "identity", false),
        ("/devices", "gzip;q=0", false),
        ("/devices/1", "gzip", true),
        ("/devices/1/connect", "gzip", false),
        ("/devices/labels?devices=1", "gzip", false),
        ("/devices/sheet?devices=1", "gzip", false),
        ("/devices.csv", "gzip", false),
    ] {
        let (headers, body) = scale.get(path, accepted).await;
        let coding = headers
            .get("content-encoding")
            .map(|coding| coding.to_str().unwrap());
        assert_eq!(coding, is_compressed.then_some("gzip"), "{path} {accepted}");
        assert!(!body.is_empty());
    }
    // A stream comes as it is told, and not once it is long enough.
    let page = visitor.get("/devices/board?devices=1").await.text;
    let (_, rest) = page.split_once("data-hx-sse:connect=\"").unwrap();
    let stream = rest.split('"').next().unwrap().replace("&amp;", "&");
    let request = scale.client.get(format!("{}{stream}", server.url));
    let request = request.header("Cookie", &scale.cookies);
    let mut answer = request
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers().get("content-encoding"), None);
    let first = answer.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b"retry:"), "{first:?}");
}
