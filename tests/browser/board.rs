//! Many devices at once: the sheet that is printed, and the board that ticks them off.

use std::fs;
use std::process::Command;

use gatehand::enrolment::picture;
use reqwest::Method;
use serde_json::json;

use crate::common::scanner::Scanner;
use crate::common::server::{TestServer, initialization, send};
use crate::common::skip;
use crate::window::Window;

/// Resolution at which a sheet is printed.
const DPI: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_are_made_printed_and_ticked_off_as_they_come() {
    for server in TestServer::on_each().await {
        let Some(window) = Window::signed_in(&server).await else {
            return;
        };
        window.open("/connect/many").await;
        window.fill("#pattern", "Lane {:02}").await;
        window.fill("#count", "60").await;
        window.click("#new button.main").await;
        window.is_at("/devices/board?devices=1-60").await;
        window.reads("#counts", "0 of 60").await;
        window.reads("#device-60", "Lane 60").await;
        window.run("window.isTheSamePage = true").await;
        window.click(".board-links a[href*='/sheet']").await;
        let sheet = window.downloaded("codes.pdf").await;
        let tokens = match skip::can_run("pdftoppm", &["-v"]) {
            true => read_back(&server, &sheet),
            false => tokens(&server).await,
        };
        assert_eq!(tokens.len(), 60);
        // The first is a real agent.
        let (site, token) = (server.url.clone(), tokens[0].clone());
        let scanner = tokio::task::spawn_blocking(move || {
            let scanner = Scanner::new();
            scanner.init(&site, &token, &[]).succeeds();
            scanner
        });
        scanner.await.unwrap();
        window.reads("#counts", "1 of 60").await;
        window.see("#device-1 .connected").await;
        for (place, token) in tokens.iter().enumerate().skip(1) {
            let device = json!({"initialization_token": token});
            let initialize = server.request(Method::POST, "/api/v1/device/initialize");
            let answer = send(initialize.json(&initialization(&device))).await;
            assert_eq!(answer.status, 200, "label {place}: {}", answer.text);
        }
        window.reads("#counts", "60 of 60").await;
        window.reads("#counts", "All are in.").await;
        assert_eq!(window.all("#tiles .connected").await.len(), 60);
        assert_eq!(window.run("return window.isTheSamePage").await, true);
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pasted_list_of_more_than_are_made_at_once_is_told_and_stays_to_be_split() {
    let server = TestServer::start().await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/connect/many").await;
    window.click("input[name=by][value=list]").await;
    // Pasted at once, as from a spreadsheet.
    let paste = "const lines = Array.from({length: 1001}, (_, n) => `Lane ${n + 1}\\tfull`);
        document.getElementById('list').value = ['name\\tsecurity_profile', ...lines].join('\\n');";
    window.run(paste).await;
    window.click("#new button.main").await;
    window.reads("[role=alert]", "more than 1000 devices").await;
    assert_eq!(
        server.store.device_count(server.organizer).await.unwrap(),
        0
    );
    let kept = "return document.getElementById('list').value.trim().split('\\n').length";
    assert_eq!(window.run(kept).await, 1002);
    // Without the last line all are made.
    window
        .run("const list = document.getElementById('list'); list.value = list.value.trim().split('\\n').slice(0, -1).join('\\n')")
        .await;
    window.click("#new button.main").await;
    window.is_at("/devices/board?devices=1-1000").await;
    window.reads("#counts", "0 of 1,000").await;
    window.complains_only_of(&["status of 400"]).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_that_was_left_is_found_again_and_another_made_of_the_table() {
    let server = TestServer::start().await;
    let Some(window) = Window::signed_in(&server).await else {
        return;
    };
    window.open("/connect/many").await;
    window.fill("#pattern", "Lane {}").await;
    window.fill("#count", "3").await;
    window.click("#new button.main").await;
    window.is_at("/devices/board?devices=1-3").await;
    window.click("nav a[href='/devices']").await;
    window.is_at("/devices").await;
    window.click("nav a[href='/boards']").await;
    window.click("main tbody a").await;
    window.is_at("/devices/board?devices=1-3").await;
    window.open("/devices").await;
    for number in [1, 3] {
        window.click(&format!("#device-{number} input")).await;
    }
    window.click("button[formaction]").await;
    window.is_at("/devices/board?devices=1,3").await;
    window
        .see(".board-links a[href*='/sheet?devices=1,3']")
        .await;
    window.close().await;
}

/// The tokens as the server has them.
async fn tokens(server: &TestServer) -> Vec<String> {
    let mut tokens = Vec::new();
    for number in 1..=60 {
        let device = send(server.devices(Method::GET, &format!("{number}/"))).await;
        let token = &device.json()["initialization_token"];
        tokens.push(token.as_str().unwrap().to_owned());
    }
    tokens
}

/// The tokens of all labels of a sheet that is printed, each read alone.
fn read_back(server: &TestServer, sheet: &std::path::Path) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let printed = Command::new("pdftoppm")
        .args(["-r", &DPI.to_string(), "-gray", "-png"])
        .arg(sheet)
        .arg("page")
        .current_dir(folder.path())
        .status();
    assert!(printed.unwrap().success());
    let mut pages: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    pages.sort();
    assert_eq!(pages.len(), 6, "ten on a page");
    let mut tokens = Vec::new();
    for page in pages {
        let page = image::open(page).unwrap();
        // Two columns of five on A4.
        let (width, height) = (page.width() / 2, page.height() / 5);
        for place in 0..10 {
            let label = page.crop_imm(place % 2 * width, place / 2 * height, width, height);
            let mut png = std::io::Cursor::new(Vec::new());
            label.write_to(&mut png, image::ImageFormat::Png).unwrap();
            let read = picture::read(png.get_ref(), None).ok().unwrap();
            let enrolment = read.into_enrolment();
            assert_eq!(enrolment.url().to_string(), server.url);
            tokens.push(enrolment.token().expose().to_owned());
        }
    }
    tokens
}
