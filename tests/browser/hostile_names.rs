//! Texts that others chose: they are shown, and nothing else comes of them.

use gatehand::server::model::DeviceChange;
use reqwest::Method;
use serde_json::json;

use crate::common::server::{TestServer, initialization, send};
use crate::window::Window;

/// What nobody may run, and none of which may become part of the page.
const MARKUP: &str =
    "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg/onload=alert(3)>";
const DIRECTIONS: &str = "\u{202e}drow\u{2066}\u{200f} 🎫👩🏽‍💻 {{7*7}} ${7*7}";
const CONTROLS: &str = "a\u{1b}[31mb\u{7}c\u{8}d\u{85}e";

#[tokio::test(flavor = "multi_thread")]
async fn names_are_shown_as_text_and_never_run() {
    let server = TestServer::start().await;
    let gate = format!("G {MARKUP}");
    let gate = server.store.create_gate(server.organizer, "G", &gate);
    gate.await.unwrap();
    for (number, name) in [(1, MARKUP), (2, DIRECTIONS)] {
        let device = server.create_device(name).await;
        let mut report = initialization(&device);
        report["hardware_brand"] = json!(CONTROLS);
        report["hardware_model"] = json!(MARKUP);
        report["software_brand"] = json!(format!("{DIRECTIONS}{CONTROLS}"));
        let initialize = server.request(Method::POST, "/api/v1/device/initialize");
        let answer = send(initialize.json(&report)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let change = DeviceChange {
            gate: Some(Some("G".to_owned())),
            ..DeviceChange::default()
        };
        let changed = server.store.edit_device(server.organizer, number, change);
        changed.await.unwrap();
    }
    server.create_device(&format!("{MARKUP} waits")).await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    for path in [
        "/devices",
        "/devices?search=%3Cimg+src%3Dx+onerror%3Dalert(4)%3E",
        "/devices/1",
        "/devices/2",
        "/devices/1/edit",
        "/devices/2/revoke",
        "/devices/1/reconnect",
        "/devices/1/connect",
        "/devices/3/connect",
        "/devices/board?devices=1-3",
        "/devices/labels?devices=1-3",
        "/devices/edit?device=1&device=2",
        "/connect",
    ] {
        window.open(path).await;
        window.see("main").await;
        let made = window
            .run("return document.querySelectorAll('main script, main img, main svg[onload], [onerror]').length")
            .await;
        assert_eq!(made, 0, "{path}");
        let text = window.run("return document.body.innerText").await;
        let text = text.as_str().unwrap();
        // What may stand in a text, and be no sign of its own.
        let odd = |c: &char| c.is_control() && !"\n\t".contains(*c);
        assert_eq!(text.chars().find(odd), None, "{path}: {text:?}");
        if path == "/devices/1" || path == "/devices" {
            assert!(text.contains(MARKUP), "{path}: {text:?}");
        }
    }
    // What turns the direction of a text ends with the name.
    window.open("/devices").await;
    let isolated = window
        .run("return [...document.querySelectorAll('#rows th a')].every(link => link.firstElementChild.tagName === 'BDI')")
        .await;
    assert_eq!(isolated, true);
    window.reads("#device-2", "drow").await;
    // The tiles and codes that come by a stream are text as well.
    window.open("/devices/3/connect").await;
    let token = window.text("code#token").await;
    let initialize = server.request(Method::POST, "/api/v1/device/initialize");
    let mut report = initialization(&json!({"initialization_token": token}));
    report["hardware_brand"] = json!(format!("{MARKUP}{CONTROLS}"));
    let answer = send(initialize.json(&report)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    window
        .reads(".notice.good", "<script>alert(2)</script>")
        .await;
    window.close().await;
}
