//! Signing in and out, and a session that ends while a page is open.

use crate::common::installation::Installation;
use crate::common::server::{ORGANIZER, TestServer};
use crate::common::visitor::Visitor;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_the_command_signs_in_once() {
    let installation = Installation::start();
    let everything = ["--permission", "all"];
    installation.admin(&[&["team", "create", ORGANIZER, "desk"], &everything[..]].concat());
    let site = installation.url.clone();
    let Some(window) = Window::at(&site).await else {
        return;
    };
    let made = installation.admin(&["login-link", ORGANIZER, "--public-url", &site]);
    let link = made["link"].as_str().unwrap();
    let path = link.strip_prefix(&site).unwrap();
    window.open(path).await;
    // Who only looks ahead, as programs that read mail do, spends nothing.
    window.open(path).await;
    window.click("main button").await;
    window.is_at("/devices").await;
    window.reads("h1", "Big Events").await;
    window.click(".menu summary").await;
    window.click(".menu button").await;
    window.is_at("/sign-in").await;
    window.open("/devices").await;
    window.is_at("/sign-in?next=%2Fdevices").await;
    window.open(path).await;
    window.reads("[role=alert]", "was used before").await;
    window
        .complains_only_of(&["the server responded with a status of 4"])
        .await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_token_signs_in_and_a_wrong_one_is_told() {
    let server = TestServer::start().await;
    let Some(window) = Window::at(&server.url).await else {
        return;
    };
    window.open("/").await;
    window.fill("#token", "none").await;
    window.click("main button").await;
    window.reads("[role=alert]", "Nobody has this token").await;
    window.complains_only_of(&["status of 403"]).await;
    // With the blanks around it that come with a paste.
    window.fill("#token", &format!(" {} ", server.admin)).await;
    window.click("main button").await;
    window.is_at("/devices").await;
    window.click(".menu summary").await;
    window.click(".menu button").await;
    window.is_at("/sign-in").await;
    // What the history keeps is not shown to who comes next.
    window.driver.back().await.unwrap();
    window.see("#token").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_returns_to_where_it_was() {
    let server = TestServer::start().await;
    server.create_device("Lane 1").await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    let end_all = async || {
        let elsewhere = Visitor::signed_in(&server).await;
        let ended = elsewhere.submit("/sign-out", &[("everywhere", "1")]).await;
        assert_eq!(ended.status, 303);
    };
    window.open("/devices?search=lane").await;
    window.see("#device-1").await;
    end_all().await;
    window.click("thead a").await;
    window.reads("#ended", "Your session has ended").await;
    window.fill("#token", &server.admin).await;
    window.click("main button").await;
    window
        .is_at("/devices?search=lane&ordering=device_id")
        .await;
    // A page that turns by itself hears of it.
    window.open("/devices/1/connect").await;
    window.see("#token").await;
    end_all().await;
    window.is_at("/sign-in?next=%2Fdevices%2F1%2Fconnect").await;
    window.reads("#ended", "Your session has ended").await;
    window.fill("input#token", &server.admin).await;
    window.click("main button").await;
    window.is_at("/devices/1/connect").await;
    window.see(".code svg").await;
    // Nor is a form that was filled in meanwhile taken for done.
    window.open("/connect").await;
    window.fill("#name", "Lane 2").await;
    end_all().await;
    window.click("main button.main").await;
    window.reads("#ended", "nothing was done").await;
    window.fill("#token", &server.admin).await;
    window.click("main button").await;
    window.is_at("/connect").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_is_told_and_shown_no_empty_page() {
    let server = TestServer::start().await;
    server.create_device("Lane 1").await;
    let Some(window) = Window::at(&server.url).await else {
        return;
    };
    let nothing = server.token(&[]).await;
    window.open("/sign-in").await;
    window.fill("#token", &nothing).await;
    window.click("main button").await;
    window.is_at("/devices").await;
    window.reads("main", "organizer.devices:read").await;
    window.reads(".who", "Big Events").await;
    for path in [
        "/boards",
        "/devices/1",
        "/connect",
        "/devices/board?devices=1",
    ] {
        window.open(path).await;
        window.reads("main", "Your team may not do this").await;
        window.reads("main", "organizer.devices:read").await;
    }
    window.click(".menu summary").await;
    window.click(".menu button").await;
    window.is_at("/sign-in").await;
    // Who may look is told where more is asked for.
    let reader = server.token(&["organizer.devices:read"]).await;
    window.fill("#token", &reader).await;
    window.click("main button").await;
    window.see("#device-1").await;
    window.open("/connect").await;
    window.reads("main", "organizer.devices:write").await;
    window.complains_only_of(&["status of 403"]).await;
    window.close().await;
}
