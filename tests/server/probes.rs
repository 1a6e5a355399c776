//! What proxies and orchestrators ask to know how a server is doing.

use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::Method;

use crate::common::callers::until;
use crate::common::installation::ServerProcess;
use crate::common::postgres::Postgres;
use crate::common::scanner::Scanner;
use crate::common::server::{Answer, TestServer, send};

async fn asked(server: &TestServer, path: &str) -> Answer {
    send(server.request(Method::GET, path)).await
}

fn said(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.text.trim_end())
}

#[tokio::test]
async fn both_are_answered_at_the_root_and_below_the_public_path_to_any_host_without_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(folder, Some("https://tickets.example/shop")).await;
    for path in ["/healthz", "/readyz", "/shop/healthz", "/shop/readyz?x"] {
        let foreign = server.request(Method::GET, path).header("Host", "10.1.2.3");
        let answer = send(foreign).await;
        assert_eq!(said(&answer), (200, "ok"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        let head = send(server.request(Method::HEAD, path)).await;
        assert_eq!(said(&head), (200, ""), "{path}");
        let sent = send(server.request(Method::POST, path)).await;
        assert_eq!((sent.status, sent.header("allow")), (405, "GET, HEAD"));
    }
    for path in [
        "/healthz/",
        "/shop/shop/healthz",
        "/api/healthz",
        "//readyz",
    ] {
        assert_eq!(asked(&server, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_server_whose_database_is_gone_lives_but_is_not_ready_until_it_is_back() {
    let Some(postgres) = Postgres::start("", &[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("address"), postgres.database()).unwrap();
    let server = TestServer::start_in(folder, None).await;
    assert_eq!(said(&asked(&server, "/readyz").await), (200, "ok"));
    postgres.tell("stop");
    let not_ready = (503, "the database does not answer");
    while said(&asked(&server, "/readyz").await) != not_ready {}
    assert_eq!(said(&asked(&server, "/healthz").await), (200, "ok"));
    postgres.tell("start");
    while said(&asked(&server, "/readyz").await) != (200, "ok") {}
}

#[tokio::test]
async fn a_server_whose_file_was_moved_away_is_not_ready() {
    let server = TestServer::start().await;
    assert_eq!(said(&asked(&server, "/readyz").await), (200, "ok"));
    let elsewhere = server.folder().join("elsewhere.db");
    std::fs::rename(server.database(), &elsewhere).unwrap();
    let not_ready = (503, "the database does not answer");
    while said(&asked(&server, "/readyz").await) != not_ready {}
    std::fs::rename(&elsewhere, server.database()).unwrap();
    while said(&asked(&server, "/readyz").await) != (200, "ok") {}
}

#[tokio::test]
async fn what_waits_to_be_confirmed_is_not_ready() {
    for server in TestServer::on_each().await {
        let mark = "INSERT INTO backup (id, taken, restored) VALUES (1, 1, 2)";
        match std::fs::read_to_string(server.folder().join("address")) {
            Ok(address) => {
                let database = crate::common::postgres::name_in(&address);
                Postgres::shared().unwrap().sql(database, mark);
            }
            Err(_) => {
                let database = rusqlite::Connection::open(server.database()).unwrap();
                database.execute(mark, []).unwrap();
            }
        }
        let waits = (503, "a restored backup waits to be confirmed");
        while said(&asked(&server, "/readyz").await) != waits {}
        assert!(server.store.confirm_restoration().await.unwrap());
        while said(&asked(&server, "/readyz").await) != (200, "ok") {}
    }
}

#[test]
fn a_server_that_was_told_to_stop_sends_callers_elsewhere_while_it_finishes() {
    let desk = Scanner::new();
    let server = ServerProcess::start(&desk.scratch().join("server.db"));
    let mut asking = TcpStream::connect(server.address()).unwrap();
    asking.write_all(b"GET /readyz HTTP/1.1\r\n").unwrap();
    // Another connection is accepted behind it.
    let mut other = TcpStream::connect(server.address()).unwrap();
    other
        .write_all(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).unwrap();
    server.tell_to_stop();
    until("nobody is let in any more", || {
        TcpStream::connect(server.address()).is_err()
    });
    asking.write_all(b"\r\n").unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.ends_with("shutting down\n"), "{answer}");
}

#[tokio::test]
async fn strangers_who_ask_much_have_the_database_asked_little() {
    let Some(postgres) = Postgres::start("log_statement = all", &[]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("address"), postgres.database()).unwrap();
    let server = TestServer::start_in(folder, None).await;
    let looks = || {
        let log = std::fs::read_to_string(postgres.log()).unwrap();
        log.matches("SELECT id FROM backup").count()
    };
    let (before, begun) = (looks(), std::time::Instant::now());
    for _ in 0..300 {
        assert_eq!(asked(&server, "/readyz").await.status, 200);
    }
    let most = usize::try_from(begun.elapsed().as_secs()).unwrap() + 2;
    let after = looks() - before;
    assert!((1..=most).contains(&after), "{after} looks");
}
