//! The fleet page: boards, how they are found, and how a device stands wherever it is shown.

use reqwest::Method;
use serde_json::json;

use crate::common::server::{TestServer, send};
use crate::common::visitor::{Visitor, hidden};

/// The row of a device in the table.
fn row(page: &str, number: u64) -> Option<&str> {
    let (_, rest) = page.split_once(&format!("<tr id=\"device-{number}\">"))?;
    rest.split("</tr>").next()
}

/// Makes so many devices by a pattern.
async fn make(visitor: &Visitor<'_>, count: &str) {
    let once = hidden(&visitor.get("/connect/many").await.text, "once");
    let fields = [
        ("by", "pattern"),
        ("pattern", "Lane {:02}"),
        ("count", count),
        ("first", "1"),
        ("all_events", "true"),
        ("security_profile", "full"),
        ("gate", ""),
        ("once", once.as_str()),
    ];
    let made = visitor.submit("/connect/many", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
}

#[tokio::test]
async fn a_device_that_is_set_up_anew_waits_wherever_it_is_shown() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        server.enrol("Lane 1").await;
        server.enrol("Lane 2").await;
        for (now, words) in [
            (false, "goes on until that is redeemed"),
            (true, "that it had has ended"),
        ] {
            let renewed = server.devices(Method::POST, "1/reconnect/");
            assert_eq!(send(renewed.json(&json!({"now": now}))).await.status, 200);
            let table = visitor.get("/devices").await.text;
            for (number, standing) in [(1, "waiting"), (2, "online")] {
                let class = format!("class=\"standing {standing}\"");
                assert!(row(&table, number).unwrap().contains(&class), "{table}");
                let page = visitor.get(&format!("/devices/{number}")).await.text;
                assert!(page.contains(&class), "{page}");
                let shows_code = page.contains(&format!("/devices/{number}/connect"));
                assert_eq!(shows_code, number == 1, "{page}");
            }
            assert!(visitor.get("/devices/1").await.text.contains(words));
            for (state, found) in [("waiting", [true, false]), ("active", [false, true])] {
                let path = format!("/devices?state={state}");
                let table = visitor.get(&path).await.text;
                let shown = [1, 2].map(|number| row(&table, number).is_some());
                assert_eq!(shown, found, "{state}");
                let list = visitor
                    .get(&format!("/devices.csv?state={state}"))
                    .await
                    .text;
                let named = ["1,Lane 1,waiting,", "2,Lane 2,online,"];
                assert_eq!(named.map(|row| list.contains(row)), found, "{list}");
            }
            let board = visitor.get("/devices/board?devices=1-2").await.text;
            assert!(board.contains("1 of 2 connected"), "{board}");
            assert!(board.contains("class=\"tile waiting\""));
            // The API tells by its filter whether a token was ever redeemed, as it says.
            for (state, count) in [("waiting", 0), ("active", 2)] {
                let page = send(server.devices(Method::GET, &format!("?state={state}"))).await;
                assert_eq!(page.json()["count"], count, "{state}");
            }
        }
    }
}

#[tokio::test]
async fn boards_are_found_again_and_made_of_what_the_table_shows() {
    for server in TestServer::on_each().await {
        let visitor = Visitor::signed_in(&server).await;
        let none = visitor.get("/boards").await;
        assert!(
            none.text.contains("No devices were made together"),
            "{}",
            none.text
        );
        make(&visitor, "3").await;
        server.create_device("Door").await;
        server.enrol("Gate").await;
        let boards = visitor.get("/boards").await.text;
        assert!(
            boards.contains("href=\"/devices/board?devices=1-3\""),
            "{boards}"
        );
        assert!(boards.contains("3 wait"), "{boards}");
        assert_eq!(boards.matches("/devices/board?devices=").count(), 1);
        assert_eq!(
            visitor.get("/devices/board").await.header("location"),
            "/boards"
        );
        let table = visitor.get("/devices?search=lane&state=waiting").await.text;
        let path = "/devices/board/found?search=lane&#38;state=waiting";
        assert!(table.contains(path), "{table}");
        for (query, board) in [
            ("search=lane&state=waiting", "1-3"),
            ("state=waiting", "1-4"),
            ("state=active", "5"),
            ("chosen=1&device=2&device=5&device=2&state=waiting", "2,5"),
        ] {
            let led = visitor.get(&format!("/devices/board/found?{query}")).await;
            let expected = format!("/devices/board?devices={board}");
            assert_eq!(
                (led.status, led.header("location")),
                (303, expected.as_str()),
                "{query}"
            );
        }
        for query in ["chosen=1", "search=nothing", "state=revoked"] {
            let led = visitor.get(&format!("/devices/board/found?{query}")).await;
            assert_eq!(led.status, 404, "{query}");
            assert!(
                led.text.contains("No device was chosen or found"),
                "{}",
                led.text
            );
        }
    }
}

#[tokio::test]
async fn an_address_of_a_board_that_is_wrong_says_what_is_wrong_with_it() {
    let server = TestServer::start().await;
    let visitor = Visitor::signed_in(&server).await;
    make(&visitor, "1000").await;
    server.create_device("One more").await;
    for (path, words) in [
        ("board?devices=x", "are written as 3-62,70"),
        ("board?devices=5-3", "are written as 3-62,70"),
        ("board?devices=1-1001", "more than 1000 devices"),
        ("board?devices=", "No device was chosen"),
        ("board/found", "more than 1000 devices"),
        ("sheet?devices=x", "are written as 3-62,70"),
        ("labels", "No device was chosen"),
    ] {
        let answer = visitor.get(&format!("/devices/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text.contains(words), "{path}: {}", answer.text);
    }
    let some = visitor.get("/devices/board?devices=1000-1003,2000").await;
    assert_eq!(some.status, 200);
    assert!(
        some.text.contains("There are no devices 1002-1003,2000"),
        "{}",
        some.text
    );
    assert_eq!(some.text.matches("class=\"tile ").count(), 2);
    let none = visitor.get("/devices/board?devices=3000").await.text;
    assert!(none.contains("None of these devices is there."), "{none}");
}
