//! Pictures of the page for `docs/FLEET_PAGE.md`, into the folder that `GATEHAND_PICTURES` names.

use std::fs;
use std::path::PathBuf;

use crate::common::server::TestServer;
use crate::pages;
use crate::window::{Scheme, Window};

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_are_worth_a_picture() {
    let folder = std::env::var_os("GATEHAND_PICTURES").map(PathBuf::from);
    // As scanners reach it.
    let server = TestServer::start_in(
        tempfile::tempdir().unwrap(),
        Some("https://tickets.example"),
    )
    .await;
    pages::fleet(&server).await;
    let Some(window) = Window::at(&server.url).await else {
        return;
    };
    let look = async |name: &str, height: u32| {
        window.resize(1000, height).await;
        for scheme in Scheme::BOTH {
            window.prefer(scheme).await;
            let paper = window
                .run("return getComputedStyle(document.body).backgroundColor")
                .await;
            let is_light = paper == "rgb(251, 251, 249)";
            assert_eq!(is_light, matches!(scheme, Scheme::Light), "{name}: {paper}");
            let picture = window.picture().await;
            if let Some(folder) = &folder {
                fs::create_dir_all(folder).unwrap();
                fs::write(
                    folder.join(format!("{name}-{}.png", scheme.name())),
                    picture,
                )
                .unwrap();
            }
        }
    };
    window.open("/sign-in").await;
    look("sign-in", 420).await;
    window.sign_in(&server.admin).await;
    for (name, path, height) in [
        ("devices", "/devices", 640),
        ("connect", "/devices/2/connect", 900),
        ("form", "/connect", 640),
        ("many", "/connect/many", 1100),
        ("board", "/devices/board?devices=1-8", 560),
        ("boards", "/boards", 640),
        ("no-board", "/devices/board?devices=x", 420),
        ("waiting", "/devices/2", 700),
        ("device", "/devices/1", 900),
        ("edit-many", "/devices/edit?device=1&device=2", 800),
        ("revoke", "/devices/1/revoke", 560),
        ("labels", "/devices/labels?devices=1-8", 640),
        ("connected", "/devices/1/connect", 400),
    ] {
        window.open(path).await;
        window.see("main h1").await;
        look(name, height).await;
    }
    window.resize(375, 667).await;
    for (name, path) in [
        ("phone-devices", "/devices"),
        ("phone-connect", "/devices/2/connect"),
        ("phone-board", "/devices/board?devices=1-8"),
        ("phone-boards", "/boards"),
        ("phone-device", "/devices/1"),
    ] {
        window.open(path).await;
        window.see("main h1").await;
        let picture = window.picture().await;
        if let Some(folder) = &folder {
            fs::write(folder.join(format!("{name}.png")), picture).unwrap();
        }
    }
    window.complains_only_of(&["status of 404"]).await;
    window.close().await;
}
