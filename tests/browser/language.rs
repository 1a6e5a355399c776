//! The page in the visitor's language.

use crate::common::server::TestServer;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn a_german_browser_gets_german_until_another_language_is_chosen() {
    let server = TestServer::start().await;
    server.create_device("Lane").await;
    let Some(window) = Window::of(&server.url, "de").await else {
        return;
    };
    window.open("/").await;
    window.reads("h1", "Anmelden").await;
    window.sign_in(&server.admin).await;
    window.reads("h1", "Geräte").await;
    window.open("/devices/1/connect").await;
    window.see(".code svg").await;
    assert_eq!(
        window.run("return document.documentElement.lang").await,
        "de"
    );
    // What comes by the stream is German as well.
    server
        .store
        .revoke_device(server.organizer, 1)
        .await
        .unwrap();
    window.reads(".notice.bad", "gesperrt").await;
    window.click(".language button[value=en]").await;
    window.reads(".notice.bad", "was revoked").await;
    window.open("/devices").await;
    window.reads("h1", "Devices of").await;
    window.close().await;
}
