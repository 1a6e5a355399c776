//! Who sees little, uses the keyboard alone, or has a phone.

use fantoccini::key::Key;

use crate::axe;
use crate::common::server::TestServer;
use crate::pages;
use crate::window::{Scheme, Window};

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_serious_on_any_page_light_or_dark() {
    let Some(source) = axe::source() else {
        return;
    };
    let server = TestServer::start().await;
    pages::fleet(&server).await;
    let Some(window) = Window::at(&server.url).await else {
        return;
    };
    let mut found = Vec::new();
    let mut look = async |path: &str| {
        for scheme in Scheme::BOTH {
            window.prefer(scheme).await;
            for finding in axe::findings(&window, &source).await {
                found.push(format!("{path} {}: {finding}", scheme.name()));
            }
        }
    };
    window.open("/sign-in").await;
    look("/sign-in").await;
    window.sign_in(&server.admin).await;
    for path in pages::ALL {
        window.open(path).await;
        window.see("main").await;
        look(path).await;
    }
    // What is told of a form that was refused, and what would change.
    window.open("/connect/many").await;
    window.fill("#count", "0").await;
    window.click("main button.main").await;
    window.see("[role=alert]").await;
    look("/connect/many, refused").await;
    window.open("/devices/edit?device=1&device=5").await;
    window.click("input[name=set][value=gate]").await;
    window.click("main button.main").await;
    window.see("table").await;
    look("/devices/edit, the preview").await;
    assert!(found.is_empty(), "{}", found.join("\n"));
    window.complains_only_of(&["status of 40"]).await;
    window.close().await;
}

/// Presses Tab until the focus is on this, and sees that the focus is seen.
async fn tab_to(window: &Window, css: &str) {
    for _ in 0..60 {
        window.press(Key::Tab).await;
        let script = format!(
            "const focused = document.activeElement;\
             return focused.matches({css:?}) && getComputedStyle(focused).outlineStyle"
        );
        let outline = window.run(&script).await;
        if outline != false {
            assert_ne!(outline, "none", "{css}");
            return;
        }
    }
    panic!("Tab does not lead to {css}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keyboard_alone_signs_in_and_connects_a_device() {
    let server = TestServer::start().await;
    let Some(window) = Window::at(&server.url).await else {
        return;
    };
    window.open("/").await;
    window.see("#token:focus").await;
    window.types(&server.admin).await;
    window.press(Key::Enter).await;
    window.is_at("/devices").await;
    // The first stop leads past the bar.
    tab_to(&window, ".skip").await;
    window.press(Key::Enter).await;
    window.see("main:focus").await;
    window.open("/devices").await;
    tab_to(&window, "nav a[href='/connect']").await;
    window.press(Key::Enter).await;
    window.is_at("/connect").await;
    tab_to(&window, "#name").await;
    window.types("Lane").await;
    tab_to(&window, "main button.main").await;
    window.press(Key::Enter).await;
    window.is_at("/devices/1/connect").await;
    tab_to(&window, "[data-copy=token]").await;
    window.press(Key::Enter).await;
    window.see("#copied").await;
    tab_to(&window, ".menu summary").await;
    window.press(Key::Enter).await;
    tab_to(&window, ".menu button").await;
    window.press(Key::Enter).await;
    window.is_at("/sign-in").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_wider_than_a_phone() {
    let server = TestServer::start().await;
    pages::fleet(&server).await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.resize(375, 667).await;
    let mut wide = Vec::new();
    for path in pages::ALL {
        window.open(path).await;
        window.see("main").await;
        let width = window
            .run("return document.documentElement.scrollWidth")
            .await;
        if width.as_u64().unwrap() > 375 {
            wide.push(format!("{path}: {width}"));
        }
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
    window.complains_only_of(&["status of 404"]).await;
    window.close().await;
}
