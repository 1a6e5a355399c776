//! One device and many: edited, moved, revoked, by more than one person.

use gatehand::server::model::DeviceChange;

use crate::common::server::TestServer;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_tabs_is_told_what_the_first_has_changed() {
    let server = TestServer::start().await;
    server.create_device("Lane").await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    let first = window.driver.window().await.unwrap();
    window.open("/devices/1/edit").await;
    window.fill("#name", "First").await;
    let second = window.driver.new_window(true).await.unwrap();
    window.driver.switch_to_window(second.handle).await.unwrap();
    window.open("/devices/1/edit").await;
    window.fill("#name", "Second").await;
    window.click("main button.main").await;
    window.is_at("/devices/1").await;
    window.driver.switch_to_window(first).await.unwrap();
    window.click("main button.main").await;
    window
        .reads("[role=alert]", "Somebody else has changed")
        .await;
    window.reads("[role=alert]", "Second").await;
    let field = window.see("#name").await;
    assert_eq!(field.prop("value").await.unwrap().unwrap(), "First");
    // Whoever has seen that may insist.
    window.click("main button.main").await;
    window.is_at("/devices/1").await;
    window.reads("h1", "First").await;
    window.complains_only_of(&["status of 4"]).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_names_the_device_and_the_back_button_brings_nothing_back() {
    let server = TestServer::start().await;
    server.enrol("Lane 7").await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/devices").await;
    window.click("#device-1 a").await;
    window.click("main a.danger").await;
    window.reads("h1", "Lane 7").await;
    window.click("main button.danger").await;
    window.is_at("/devices/1").await;
    window.reads("h1", "revoked").await;
    window.driver.back().await.unwrap();
    window.is_at("/devices/1/revoke").await;
    window.click("main button.danger, main .notice").await;
    window.reads("main", "Lane 7").await;
    window.open("/devices").await;
    window.reads("main", "There are no devices here.").await;
    window.choose("#state", "revoked").await;
    window.click(".filters button").await;
    window.reads("#device-1", "revoked").await;
    window.complains_only_of(&["status of 4"]).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chosen_devices_are_changed_as_the_preview_says() {
    let server = TestServer::start().await;
    let gate = server
        .store
        .create_gate(server.organizer, "NORTH", "North door");
    gate.await.unwrap();
    for number in 1..=4 {
        server.create_device(&format!("Lane {number}")).await;
    }
    // One of them is there already.
    let change = DeviceChange {
        gate: Some(Some("NORTH".to_owned())),
        ..DeviceChange::default()
    };
    let changed = server.store.edit_device(server.organizer, 3, change);
    changed.await.unwrap();
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/devices").await;
    for number in [1, 2, 3] {
        window.click(&format!("#device-{number} input")).await;
    }
    window.click("button[form=chosen]:not([formaction])").await;
    window.click("input[name=set][value=gate]").await;
    window.choose("select[name=gate]", "NORTH").await;
    window.click("main button.main").await;
    window.reads("h1", "2 of 3").await;
    window.reads("table", "none North door").await;
    window.click("main button.main").await;
    window.reads(".notice.good", "2 devices were changed").await;
    window.open("/devices?gate=NORTH").await;
    window.see("#device-3").await;
    assert_eq!(window.all("#rows tr").await.len(), 3);
    window.close().await;
}
