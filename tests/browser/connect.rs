//! Connecting devices: the real agent reads a code from the screen.

use std::fs;

use fantoccini::key::Key;
use reqwest::Method;
use serde_json::json;

use crate::common::scanner::Scanner;
use crate::common::server::{TestServer, initialization, send};
use crate::window::Window;

/// Enrols a real agent by what is seen on the screen.
async fn scan(window: &Window) -> Scanner {
    let scanner = Scanner::new();
    let picture = scanner.scratch().join("screen.png");
    fs::write(&picture, window.picture().await).unwrap();
    tokio::task::spawn_blocking(move || {
        let picture = picture.to_str().unwrap();
        scanner.run(&["init", "--qr-image", picture]).succeeds();
        scanner
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_agent_reads_the_code_from_the_screen_and_the_page_turns() {
    for server in TestServer::on_each().await {
        let Some(window) = Window::signed_in(&server).await else {
            return;
        };
        window.click("nav a[href='/connect']").await;
        window.fill("#name", "Lane 1").await;
        window.click("main button.main").await;
        window.is_at("/devices/1/connect").await;
        window.run("window.isTheSamePage = true").await;
        let scanner = scan(&window).await;
        window.reads(".notice.good", "Connected: ").await;
        assert_eq!(window.run("return window.isTheSamePage").await, true);
        assert!(!window.has(".code").await, "a used code is not shown");
        // The table shows it, on the line of the device.
        let status = scanner.status();
        window.open("/devices").await;
        window.reads("#device-1", "Lane 1").await;
        assert_eq!(status["device_id"], 1, "{status}");
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_makes_one_device() {
    let server = TestServer::start().await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/connect").await;
    window.fill("#name", "Lane").await;
    window.double_click("main button.main").await;
    window.is_at("/devices/1/connect").await;
    // Who goes back and sends the form again is told that the device is there.
    window.driver.back().await.unwrap();
    window.is_at("/connect").await;
    window.fill("#name", "Lane").await;
    window.click("#new button.main").await;
    window
        .reads("[role=alert]", "a device of this name already")
        .await;
    let made = server.store.device_count(server.organizer).await.unwrap();
    assert_eq!(made, 1);
    window.click("[role=alert] button").await;
    window.is_at("/devices/2/connect").await;
    window.complains_only_of(&["status of 409"]).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_instead_of_scanned_is_copied() {
    let server = TestServer::start().await;
    let device = server.create_device("Lane").await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/devices/1/connect").await;
    window.click("[data-copy=token]").await;
    window.see("#copied").await;
    window.open("/devices").await;
    let field = window.see("#search").await;
    field.send_keys(&(Key::Control + "v")).await.unwrap();
    let pasted = field.prop("value").await.unwrap().unwrap();
    assert_eq!(device["initialization_token"], *pasted);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnected_device_gets_a_code_and_the_page_turns_again() {
    let server = TestServer::start().await;
    let (_, key) = server.enrol("Lane").await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/devices/1").await;
    window.click("main .actions a[href$='/reconnect']").await;
    window.click("input[name=now][value=true]").await;
    window.click("main button.main").await;
    window.is_at("/devices/1/connect").await;
    let token = window.text("code#token").await;
    let info = server.as_device(&key, Method::GET, "/api/v1/device/info");
    assert_eq!(send(info).await.status, 401, "its access has ended");
    let device = json!({"initialization_token": token});
    let initialize = server.request(Method::POST, "/api/v1/device/initialize");
    let answer = send(initialize.json(&initialization(&device))).await;
    assert_eq!(answer.status, 200);
    window
        .reads(".notice.good", "Zebra TC25, Android 8.1.0")
        .await;
    // A page whose code was replaced meanwhile says so, or shows the new one.
    window.open("/devices/1/reconnect").await;
    window.click("main button.main").await;
    let replaced = window.text("code#token").await;
    let shown = window.driver.window().await.unwrap();
    let other = window.driver.new_window(true).await.unwrap();
    window.driver.switch_to_window(other.handle).await.unwrap();
    window.open("/devices/1/reconnect").await;
    window.click("main button.main").await;
    window.see(".code svg").await;
    window.driver.switch_to_window(shown).await.unwrap();
    window
        .wait("end of the old code", async || {
            let text = window.text("main").await;
            (!text.contains(&replaced)).then_some(())
        })
        .await;
    window.close().await;
}
