//! A server that goes away while pages are open, and comes back.

use serde_json::json;

use crate::common::installation::Installation;
use crate::common::server::{ORGANIZER, ask, initialization};
use crate::window::Window;

/// What the browser and htmx say of a server that is not there.
const GONE: [&str; 2] = ["net::ERR_", "htmx:sse:error: network error"];

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_say_that_the_server_is_away_and_come_back_by_themselves() {
    let installation = Installation::start();
    let everything = ["--permission", "all"];
    installation.admin(&[&["team", "create", ORGANIZER, "desk"], &everything[..]].concat());
    let made = installation.admin(&["token", "create", ORGANIZER, "desk"]);
    let token = installation.create_device("Lane");
    let Some(window) = Window::at(&installation.url).await else {
        return;
    };
    window.sign_in(made["token"].as_str().unwrap()).await;
    window.open("/devices/1/connect").await;
    window.see(".code svg").await;
    window.run("window.isTheSamePage = true").await;
    installation.kill();
    window.reads("#away", "does not answer").await;
    installation.start_again();
    // The device comes while the page is still asking for the server.
    let url = format!("{}/api/v1/device/initialize", installation.url);
    let report = initialization(&json!({"initialization_token": token}));
    let asked = tokio::task::spawn_blocking(move || ask(|client| client.post(url).json(&report)));
    assert_eq!(asked.await.unwrap().status, 200);
    window.reads(".notice.good", "Zebra TC25").await;
    assert_eq!(window.run("return window.isTheSamePage").await, true);
    let away = window.run("return document.getElementById('away').hidden");
    assert_eq!(away.await, true);
    window.complains_only_of(&GONE).await;
    window.close().await;
}
