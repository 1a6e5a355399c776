//! The fleet page: devices are connected, one or many, and pages turn by themselves as that happens.

use std::fs;
use std::process::Command;

use gatehand::enrolment::picture;
use gatehand::server::store::TokenChange;
use reqwest::Method;
use serde_json::Value;

use crate::common::installation::ServerProcess;
use crate::common::postgres::{Postgres, name_in};
use crate::common::scanner::Scanner;
use crate::common::server::{Answer, TestServer, initialization, send};
use crate::common::skip;
use crate::common::visitor::{Visitor, hidden};

/// A form that makes one device, with what nothing is said of.
const ONE: [(&str, &str); 3] = [
    ("all_events", "true"),
    ("security_profile", "full"),
    ("gate", ""),
];

/// The mark of a form that nobody has opened.
const MARK: &str = "0123456789abcdef";

fn with<'f>(fields: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    [&ONE[..], fields].concat()
}

/// The mark of a form that was opened.
async fn mark(visitor: &Visitor<'_>, path: &str) -> String {
    let form = visitor.get(path).await;
    assert_eq!(form.status, 200, "{}", form.text);
    hidden(&form.text, "once")
}

/// Makes a device with this name; the page that is led to.
async fn connect(visitor: &Visitor<'_>, name: &str) -> String {
    let once = mark(visitor, "/connect").await;
    let fields = with(&[("name", name), ("once", &once)]);
    let made = visitor.submit("/connect", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    made.header("location").to_owned()
}

/// What stands in the element with this id.
fn text_of(page: &str, id: &str) -> String {
    let mark = format!("id=\"{id}\">");
    let (_, rest) = page
        .split_once(&mark)
        .unwrap_or_else(|| panic!("{id} in {page}"));
    rest.split('<').next().unwrap().to_owned()
}

/// Where the page's stream is.
fn stream_of(page: &str) -> String {
    let (_, rest) = page.split_once("data-hx-sse:connect=\"").unwrap();
    let path = rest.split('"').next().unwrap();
    path.replace("&#38;", "&").replace("&amp;", "&")
}

/// Gives a device a fresh code; the page that is led to.
async fn renew(visitor: &Visitor<'_>, number: u64, now: &str) -> String {
    let path = format!("/devices/{number}/reconnect");
    let form = visitor.get(&path).await.text;
    let (once, version) = (hidden(&form, "once"), hidden(&form, "version"));
    let fields = [("once", once.as_str()), ("version", &version), ("now", now)];
    let renewed = visitor.submit(&path, &fields).await;
    assert_eq!(renewed.status, 303, "{}", renewed.text);
    renewed.header("location").to_owned()
}

async fn devices(server: &TestServer) -> u64 {
    server.store.device_count(server.organizer).await.unwrap()
}

fn is_ok(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_code_turns_as_soon_as_the_real_agent_redeems_it() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let path = connect(&visitor, "Lane <1>").await;
        let page = visitor.get(&path).await;
        is_ok(&page);
        assert!(page.text.contains("Lane &#60;1&#62;"), "{}", page.text);
        let (address, token) = (text_of(&page.text, "address"), text_of(&page.text, "token"));
        assert_eq!(address, server.url);
        let mut stream = visitor.follow(&stream_of(&page.text), None).await;
        let scanner = Scanner::new();
        let (url, typed) = (address.clone(), token.clone());
        let enrolled = tokio::task::spawn_blocking(move || {
            scanner.init(&url, &typed, &[]).succeeds();
        });
        let told = stream.until("Connected: ").await;
        enrolled.await.unwrap();
        // Nothing had changed before, so that nothing was told anew.
        assert!(!told.contains(&token), "{told}");
        assert!(
            told.contains("<hx-partial hx-target=\"#handover\">"),
            "{told}"
        );
        let page = visitor.get(&path).await.text;
        assert!(
            page.contains("Connected: ") && !page.contains(&token),
            "{page}"
        );
    }
}

#[tokio::test]
async fn what_a_code_is_good_for_is_said() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let path = connect(&visitor, "Lane").await;
        let shown = visitor.get(&path).await.text;
        // One that says it had something is told all anew, and so is surely there.
        let mut stream = visitor.follow(&stream_of(&shown), Some("none")).await;
        stream.until(&text_of(&shown, "token")).await;
        // Another code takes the place of the one that is shown, as somebody else asked for it.
        assert_eq!(renew(&visitor, 1, "false").await, path);
        stream.until("This code is not valid any more").await;
        let page = visitor.get(&path).await.text;
        assert_ne!(text_of(&page, "token"), text_of(&shown, "token"));
        // A page with the old code that comes only now is told at once.
        let mut late = visitor.follow(&stream_of(&shown), None).await;
        late.until(&text_of(&page, "token")).await;
        server
            .store
            .revoke_device(server.organizer, 1)
            .await
            .unwrap();
        stream.until("was revoked").await;
        late.until("was revoked").await;
        assert!(visitor.get(&path).await.text.contains("was revoked"));
        // It has no code to print, either.
        let sheet = visitor.get("/devices/sheet?devices=1").await;
        assert_eq!(sheet.status, 404);
        assert!(sheet.text.contains("no code to print"), "{}", sheet.text);
        assert_eq!(visitor.get("/devices/9/connect").await.status, 404);
        assert_eq!(visitor.get("/devices/9/connect/stream").await.status, 404);
    }
}

#[tokio::test]
async fn a_device_that_is_set_up_anew_is_followed_in_the_same_way() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let (number, key) = server.enrol("Lane").await;
        let path = format!("/devices/{number}/connect");
        assert!(
            visitor
                .get(&path)
                .await
                .text
                .contains("Connected: \u{2068}Zebra TC25, Android 8.1.0\u{2069}")
        );
        assert_eq!(renew(&visitor, number, "true").await, path);
        let info = server.as_device(&key, Method::GET, "/api/v1/device/info");
        assert_eq!(send(info).await.status, 401, "its access has ended at once");
        let page = visitor.get(&path).await.text;
        let mut stream = visitor.follow(&stream_of(&page), None).await;
        let device = serde_json::json!({"initialization_token": text_of(&page, "token")});
        let initialize = server.request(Method::POST, "/api/v1/device/initialize");
        is_ok(&send(initialize.json(&initialization(&device))).await);
        stream
            .until("Connected: \u{2068}Zebra TC25, Android 8.1.0\u{2069}")
            .await;
    }
}

#[tokio::test]
async fn a_form_makes_its_devices_once_however_often_it_is_sent() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let once = mark(&visitor, "/connect").await;
        let fields = with(&[("name", "Lane"), ("once", &once)]);
        let (one, two) = tokio::join!(
            visitor.submit("/connect", &fields),
            visitor.submit("/connect", &fields)
        );
        let later = visitor.submit("/connect", &fields).await;
        for answer in [&one, &two, &later] {
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, "/devices/1/connect"),
                "{}",
                answer.text
            );
        }
        assert_eq!(devices(&server).await, 1);
        // Without a mark it is none of ours.
        let unmarked = visitor.submit("/connect", &with(&[("name", "Lane")])).await;
        assert_eq!(unmarked.status, 400);
        let pattern = [
            ("by", "pattern"),
            ("pattern", "Lane {}"),
            ("count", "3"),
            ("first", "1"),
        ];
        let many = with(&[&pattern[..], &[("once", MARK)]].concat());
        for _ in 0..2 {
            let made = visitor.submit("/connect/many", &many).await;
            assert_eq!(made.header("location"), "/devices/board?devices=2-4");
        }
        assert_eq!(devices(&server).await, 4);
    }
}

#[tokio::test]
async fn what_can_not_be_made_is_told_and_nothing_is_done() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let long = "x".repeat(191);
        for (fields, words) in [
            (with(&[("name", " ")]), "may not be empty"),
            (with(&[("name", &long)]), "190 characters at most"),
            (with(&[("name", "a\u{0}b")]), "null character"),
            (
                with(&[("name", "a"), ("gate", "<nowhere>")]),
                "no gate \u{2068}&#60;nowhere&#62;",
            ),
            (
                with(&[
                    ("name", "a"),
                    ("all_events", "false"),
                    ("limit_events", "none"),
                ]),
                "no event \u{2068}none",
            ),
            (
                with(&[("name", "a"), ("security_profile", "all")]),
                "\u{2068}all",
            ),
            (
                with(&[("name", "a"), ("all_events", "false")]),
                "class=\"fault\"",
            ),
        ] {
            let fields = [&fields[..], &[("once", MARK)]].concat();
            let answer = visitor.submit("/connect", &fields).await;
            assert_eq!(answer.status, 400, "{fields:?}");
            assert!(answer.text.contains(words), "{words}: {}", answer.text);
        }
        let many =
            |fields: &[(&'static str, &'static str)]| with(&[fields, &[("once", MARK)]].concat());
        for (fields, words) in [
            (
                many(&[("pattern", "Lane {x}"), ("count", "2"), ("first", "1")]),
                "place in the names",
            ),
            (
                many(&[("pattern", "Lane"), ("count", "2"), ("first", "1")]),
                "same name",
            ),
            (
                many(&[("pattern", "Lane {}"), ("count", "1001"), ("first", "1")]),
                "from 1 to 1000",
            ),
            (
                many(&[("pattern", "Lane {}"), ("count", "0"), ("first", "1")]),
                "from 1 to 1000",
            ),
            (
                many(&[("pattern", "Lane {}"), ("count", "-1"), ("first", "1")]),
                "from 1 to 1000",
            ),
            (
                many(&[("pattern", "Lane {}"), ("count", "2"), ("first", "")]),
                "first number",
            ),
            (
                many(&[
                    ("pattern", "{}"),
                    ("count", "2"),
                    ("first", "1"),
                    ("all_events", "false"),
                ]),
                "Choose the events",
            ),
            (
                many(&[("by", "list"), ("list", "name,gate\r\nA,\r\nB,none\r\n")]),
                "Line 3: There is no gate \u{2068}none",
            ),
            (
                many(&[("by", "list"), ("list", "name\r\nA\r\nA\r\n")]),
                "Lines 2 and 3",
            ),
            (
                many(&[("by", "list"), ("list", "A\r\nB")]),
                "has the column \u{2068}A",
            ),
            (
                many(&[("by", "list"), ("list", "")]),
                "lacks the column name",
            ),
            (
                many(&[
                    ("pattern", "Lane {}"),
                    ("count", "2"),
                    ("first", "1"),
                    ("list", "name\r\nA\r\n"),
                ]),
                "There is a list, too",
            ),
        ] {
            let answer = visitor.submit("/connect/many", &fields).await;
            assert_eq!(answer.status, 400, "{fields:?}");
            assert!(answer.text.contains(words), "{words}: {}", answer.text);
        }
        let names: Vec<String> = (0..1001).map(|number| format!("Lane {number}\n")).collect();
        let list = format!("name\n{}", names.concat());
        let fields = many(&[("by", "list")]);
        let file = ("file", list.as_bytes());
        let answer = visitor.submit_file("/connect/many", &fields, file).await;
        assert_eq!(answer.status, 400);
        assert!(
            answer.text.contains("more than 1000 devices"),
            "{}",
            answer.text
        );
        assert_eq!(devices(&server).await, 0);
        // The same form, put right.
        let file = (
            "file",
            &b"\xef\xbb\xbfname;security_profile\nA;\nB;pretixscan\n"[..],
        );
        let answer = visitor.submit_file("/connect/many", &fields, file).await;
        assert_eq!(
            answer.header("location"),
            "/devices/board?devices=1-2",
            "{}",
            answer.text
        );
        let made = send(server.devices(Method::GET, "2/")).await.json();
        assert_eq!(
            (&made["name"], &made["security_profile"]),
            (&"B".into(), &"pretixscan".into())
        );
    }
}

#[tokio::test]
async fn who_may_not_make_devices_sees_the_board_and_no_code() {
    for server in TestServer::on_each().await {
        let device = server.create_device("Lane").await;
        let reader = Visitor::at(&server);
        let token = server.token(&["organizer.devices:read"]).await;
        reader.sign_in(&token).await;
        for path in [
            "/connect",
            "/connect/many",
            "/devices/1/connect",
            "/devices/1/connect/stream",
            "/devices/sheet?devices=1",
            "/devices/labels?devices=1",
        ] {
            let answer = reader.get(path).await;
            assert_eq!(answer.status, 403, "{path}");
            assert!(
                !answer
                    .text
                    .contains(device["initialization_token"].as_str().unwrap())
            );
        }
        let board = reader.get("/devices/board?devices=1").await;
        is_ok(&board);
        assert!(board.text.contains("0 of 1 connected") && !board.text.contains("/devices/sheet"));
        let none = reader.get("/devices/board?devices=7").await;
        assert!(none.text.contains("None of these devices"), "{}", none.text);
    }
}

/// Makes so many devices by a pattern; the address of their board.
async fn many(visitor: &Visitor<'_>, count: &str) -> String {
    let once = mark(visitor, "/connect/many").await;
    let pattern = [
        ("by", "pattern"),
        ("pattern", "Lane {:02}"),
        ("count", count),
        ("first", "1"),
    ];
    let fields = with(&[&pattern[..], &[("once", &once)]].concat());
    let made = visitor.submit("/connect/many", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    made.header("location").to_owned()
}

async fn redeem(server: &TestServer, number: u64) -> Value {
    let device = send(server.devices(Method::GET, &format!("{number}/")))
        .await
        .json();
    let initialize = server.request(Method::POST, "/api/v1/device/initialize");
    let answer = send(initialize.json(&initialization(&device))).await;
    is_ok(&answer);
    answer.json()
}

#[tokio::test]
async fn a_board_ticks_devices_off_as_they_come_in_and_one_that_comes_back_has_missed_nothing() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let path = many(&visitor, "3").await;
        let page = visitor.get(&path).await.text;
        assert!(page.contains("0 of 3 connected"), "{page}");
        let stream_path = stream_of(&page);
        let mut stream = visitor.follow(&stream_path, None).await;
        redeem(&server, 2).await;
        stream.until("1 of 3 connected").await;
        stream.until("<hx-partial hx-target=\"#device-2\">").await;
        stream.until("Zebra TC25").await;
        let id = stream.last_event_id().await;
        drop(stream);
        redeem(&server, 1).await;
        server
            .store
            .revoke_device(server.organizer, 3)
            .await
            .unwrap();
        let mut stream = visitor.follow(&stream_path, Some(&id)).await;
        stream.until("2 of 2 connected").await;
        // One that was away for long, or at another server, begins afresh.
        for id in ["0000000000000000-0", "none"] {
            let mut stream = visitor.follow(&stream_path, Some(id)).await;
            stream.until("#tiles").await;
            stream.until("id=\"device-3\"").await;
        }
    }
}

#[tokio::test]
async fn streams_end_with_the_session_and_with_the_server() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let path = many(&visitor, "1").await;
        let path = stream_of(&visitor.get(&path).await.text);
        let ended = visitor.follow(&path, None).await;
        let token = server
            .store
            .create_team_token(server.organizer, "team 1", "other")
            .await
            .unwrap();
        let other = Visitor::at(&server);
        other.sign_in(token.token.expose()).await;
        let stays = other.follow(&path, None).await;
        visitor.submit("/sign-out", &[]).await;
        let told = ended.end().await;
        assert!(told.ends_with("event: ended\ndata: -\n\n"), "{told}");
        // A token that is deactivated ends its sessions, too.
        let by_token = other.follow(&path, None).await;
        let change = TokenChange {
            active: Some(false),
            ..TokenChange::default()
        };
        let changed = server
            .store
            .change_team_token(server.organizer, "team 1", token.id, change);
        changed.await.unwrap();
        for stream in [stays, by_token] {
            assert!(stream.end().await.ends_with("event: ended\ndata: -\n\n"));
        }
        let last = Visitor::signed_in(&server).await;
        let open = last.follow(&path, None).await;
        let stopped = tokio::spawn(server.stop());
        let told = open.end().await;
        assert!(!told.contains("event: ended"), "{told}");
        stopped.await.unwrap();
    }
}

#[tokio::test]
async fn what_becomes_visible_late_is_told_and_nothing_is_told_twice() {
    let Some(server) = TestServer::start_on_postgres().await else {
        return;
    };
    let postgres = Postgres::shared().unwrap();
    let address = fs::read_to_string(server.folder().join("address")).unwrap();
    let sql = |sql: &str| postgres.sql(name_in(&address), sql);
    let visitor = Visitor::signed_in(&server).await;
    let path = many(&visitor, "3").await;
    let page = visitor.get(&path).await.text;
    let mut stream = visitor.follow(&stream_of(&page), None).await;
    redeem(&server, 3).await;
    stream.until("1 of 3 connected").await;
    // A number is drawn, and others' later entries are there before the one with it.
    let number = sql("SELECT nextval(pg_get_serial_sequence('log_entry', 'id'))");
    redeem(&server, 2).await;
    stream.until("2 of 3 connected").await;
    stream.until("#device-2").await;
    let row = sql("SELECT id FROM device WHERE device_id = 1");
    sql(&format!(
        "INSERT INTO log_entry (id, created, device, action, actor, data)
         VALUES ({number}, 0, {row}, 'revoked', 'administrator', '{{}}')"
    ));
    let told = stream.until("2 of 2 connected").await;
    assert!(
        !told.contains("#device-2") && !told.contains("#device-3"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_one_server_turns_by_what_another_of_the_same_database_did() {
    let Some(one) = TestServer::start_on_postgres().await else {
        return;
    };
    let address = fs::read_to_string(one.folder().join("address")).unwrap();
    let secret = one.folder().join("gatehand.db.secret");
    let secret = ["--secret-file", secret.to_str().unwrap()];
    let other = ServerProcess::start_with(address.as_ref(), &secret);
    let visitor = Visitor::signed_in(&one).await;
    let path = connect(&visitor, "Lane").await;
    let page = visitor.get(&path).await.text;
    let mut stream = visitor.follow(&stream_of(&page), None).await;
    let device = serde_json::json!({"initialization_token": text_of(&page, "token")});
    let url = format!("{}/api/v1/device/initialize", other.url);
    let answer = send(one.client.post(url).json(&initialization(&device))).await;
    is_ok(&answer);
    stream.until("Connected: \u{2068}Zebra TC25").await;
}

#[tokio::test]
async fn the_sheet_and_the_labels_hold_the_codes_of_all_that_wait() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    many(&visitor, "12").await;
    redeem(&server, 5).await;
    let token = async |number: u64| {
        let device = send(server.devices(Method::GET, &format!("{number}/")))
            .await
            .json();
        device["initialization_token"].as_str().unwrap().to_owned()
    };
    let labels = visitor.get("/devices/labels?devices=1-12").await;
    is_ok(&labels);
    assert_eq!(labels.header("cache-control"), "no-store");
    assert_eq!(labels.text.matches("<svg ").count(), 11);
    assert!(!labels.text.contains(&token(1).await), "as a code only");
    let path = format!("{}/devices/sheet?devices=1-12", server.url);
    let cookies = visitor.cookies();
    let cookies: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let answer = server
        .client
        .get(path)
        .header("Cookie", cookies.join("; "))
        .send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/pdf");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let pdf = answer.bytes().await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
    if !skip::can_run("pdftoppm", &["-v"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("sheet.pdf"), &pdf).unwrap();
    let rendered = Command::new("pdftoppm")
        .args(["-r", "200", "-gray", "-png", "sheet.pdf", "page"])
        .current_dir(folder.path())
        .status();
    assert!(rendered.unwrap().success());
    let mut pages: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "png"))
        .collect();
    pages.sort();
    assert_eq!(pages.len(), 2, "ten on a page");
    // The last page has one label, whose code is read alone.
    let last = fs::read(&pages[1]).unwrap();
    let read = picture::read(&last, None).ok().unwrap().into_enrolment();
    assert_eq!(read.token().expose(), token(12).await);
    assert_eq!(read.url().to_string(), server.url);
}

/// What a process holds in memory, in bytes.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_open_boards_cost_little_memory_and_no_query_each() {
    const BOARDS: usize = 200;
    let logged = "log_min_duration_statement = 0\n";
    let Some(postgres) = Postgres::start(logged, &[]) else {
        return;
    };
    let address = postgres.database();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("address"), &address).unwrap();
    // Its own process is looked at, and this one sets it up.
    let desk = TestServer::start_in(folder, None).await;
    let secret = desk.folder().join("gatehand.db.secret");
    let server = ServerProcess::start_with(
        address.as_ref(),
        &["--secret-file", secret.to_str().unwrap()],
    );
    let visitor = Visitor::signed_in(&desk).await;
    let path = many(&visitor, "60").await;
    let page = visitor.get(&path).await.text;
    let cookies = visitor.cookies();
    let cookies: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let open = async || {
        let url = format!("{}{}", server.url, stream_of(&page));
        let request = desk.client.get(url).header("Cookie", cookies.join("; "));
        crate::common::stream::Stream::new(request.send().await.unwrap())
    };
    // One that is open already has all that one takes however many there are.
    let mut boards = vec![open().await];
    redeem(&desk, 1).await;
    boards[0].until("1 of 60 connected").await;
    let before = resident(server.id());
    for _ in 1..BOARDS {
        boards.push(open().await);
    }
    redeem(&desk, 2).await;
    for board in &mut boards {
        board.until("2 of 60 connected").await;
    }
    let taken = resident(server.id()).saturating_sub(before);
    assert!(taken <= 20_000_000, "{taken} bytes");
    let begun = fs::read(postgres.log()).unwrap().len();
    redeem(&desk, 3).await;
    for board in &mut boards {
        board.until("3 of 60 connected").await;
    }
    let log = fs::read(postgres.log()).unwrap();
    let log = String::from_utf8_lossy(&log[begun..]);
    let asked = log
        .lines()
        .filter(|line| line.contains("FROM device"))
        .count();
    assert!(
        (1..BOARDS / 4).contains(&asked),
        "{asked} statements: {log}"
    );
}
