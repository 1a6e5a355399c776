//! How long a call may take: silence is given up, and what comes is waited for until the call's time is over.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gatehand::agent::{
    Agent, AgentError, ApiRequest, ApiResponse, Client, ClientConfig, SendError, ThisMachine,
    streamed_body,
};
use gatehand::vault::Folder;
use rusqlite::Connection;

use crate::common::scanner::Scanner;
use crate::common::stranger::{Stranger, identity, info, read_request};

const PAGE: &str = "/api/v1/organizers/bigevents/events/";
const BODY: &str = r#"{"results": ["a", "b", "c"]}"#;
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";

/// Enrols the device, and answers for the page as `serve` does.
fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> (Stranger, Scanner) {
    let server = Stranger::serving("http", move |mut stream, requests| {
        let request = read_request(&mut stream);
        requests.lock().unwrap().push(request.clone());
        if request.contains(PAGE) {
            serve(stream);
        } else {
            let _ = stream.write_all(identity("k3y").as_bytes());
        }
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    (server, scanner)
}

fn agent(scanner: &Scanner, config: &ClientConfig) -> Agent {
    let folder = Folder::at(scanner.home()).unwrap().volatile_allowed();
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    let client = Client::new(config).unwrap();
    Agent::new(folder, client, Arc::new(describe)).with_memory()
}

fn call(method: &str, body: Vec<u8>) -> ApiRequest {
    ApiRequest {
        method: method.to_owned(),
        path: PAGE.to_owned(),
        body,
        content_type: None,
        headers: Vec::new(),
        idempotency_key: None,
        once: false,
        time_limit: None,
        read_timeout: None,
    }
}

fn get() -> ApiRequest {
    call("GET", Vec::new())
}

fn silent_for_at_most(read_timeout: Duration) -> ClientConfig {
    ClientConfig {
        read_timeout,
        ..ClientConfig::default()
    }
}

fn calls(server: &Stranger) -> usize {
    let requests = server.requests();
    let calls = requests.iter().filter(|request| request.contains(PAGE));
    calls.count()
}

fn is_timed_out(result: Result<ApiResponse, AgentError>) -> bool {
    let source = match result {
        Err(AgentError::Unanswered { source, .. }) => source,
        Ok(_) | Err(_) => return false,
    };
    matches!(
        source,
        SendError::TimedOut {
            connecting: false,
            ..
        }
    )
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_read_whole_however_long_that_takes() {
    let pause = Duration::from_millis(300);
    let (server, scanner) = server(move |mut stream| {
        write!(stream, "{HEAD}Content-Length: {}\r\n\r\n", BODY.len()).unwrap();
        for piece in BODY.as_bytes().chunks(2) {
            thread::sleep(pause);
            stream.write_all(piece).unwrap();
        }
    });
    let silence = Duration::from_secs(2);
    let began = Instant::now();
    let agent = agent(&scanner, &silent_for_at_most(silence));
    assert_eq!(agent.request(get()).await.unwrap().body, BODY.as_bytes());
    assert!(began.elapsed() > silence * 2);
    assert_eq!(calls(&server), 1);
}

#[tokio::test]
async fn a_body_that_falls_silent_is_given_up_and_asked_for_again() {
    let is_first = AtomicBool::new(true);
    let (server, scanner) = server(move |mut stream| {
        write!(stream, "{HEAD}Content-Length: {}\r\n\r\n", BODY.len()).unwrap();
        let (half, rest) = BODY.as_bytes().split_at(BODY.len() / 2);
        stream.write_all(half).unwrap();
        if is_first.swap(false, Ordering::SeqCst) {
            thread::park();
        }
        stream.write_all(rest).unwrap();
    });
    let agent = agent(&scanner, &silent_for_at_most(Duration::from_secs(1)));
    assert_eq!(agent.request(get()).await.unwrap().body, BODY.as_bytes());
    assert_eq!(calls(&server), 2);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_long_before_the_calls_time_is_over() {
    let (server, scanner) = server(|_stream| thread::park());
    let agent = agent(&scanner, &silent_for_at_most(Duration::from_secs(1)));
    let began = Instant::now();
    let once = ApiRequest {
        once: true,
        time_limit: Some(Duration::from_secs(50)),
        ..call("POST", b"{}".to_vec())
    };
    assert!(is_timed_out(agent.request(once).await));
    assert!(began.elapsed() < Duration::from_secs(25));
    assert_eq!(calls(&server), 1);
}

#[tokio::test]
async fn a_streamed_answer_that_does_not_begin_is_given_up_as_soon() {
    let (server, scanner) = server(|_stream| thread::park());
    let agent = agent(&scanner, &silent_for_at_most(Duration::from_secs(1)));
    let began = Instant::now();
    let patient = ApiRequest {
        once: true,
        time_limit: Some(Duration::from_secs(50)),
        ..call("POST", b"{}".to_vec())
    };
    let Err(error) = agent.stream(patient, None).await else {
        panic!("it was answered");
    };
    assert!(is_timed_out(Err(error)));
    assert!(began.elapsed() < Duration::from_secs(25));
    assert_eq!(calls(&server), 1);
}

#[tokio::test]
async fn a_streamed_body_that_was_sent_is_answered_as_soon_or_given_up() {
    let (server, scanner) = server(|_stream| thread::park());
    let agent = agent(&scanner, &silent_for_at_most(Duration::from_secs(1)));
    let began = Instant::now();
    for length in [None, Some(2)] {
        let (mut writer, body) = streamed_body(length);
        let write = async {
            assert!(writer.write(b"{}".to_vec()).await);
            drop(writer);
        };
        let patient = call("POST", Vec::new());
        let (result, ()) = tokio::join!(agent.stream(patient, Some(body)), write);
        let Err(error) = result else {
            panic!("it was answered");
        };
        assert!(is_timed_out(Err(error)));
    }
    assert!(began.elapsed() < Duration::from_secs(25));
    assert_eq!(calls(&server), 2);
}

#[tokio::test]
async fn whoever_writes_a_body_may_take_their_time_and_a_call_more_than_others_have() {
    let (server, scanner) = server(|mut stream| {
        let _ = stream.write_all(identity("k3y").as_bytes());
    });
    let silence = Duration::from_millis(500);
    let config = ClientConfig {
        deadline: Duration::from_secs(1),
        ..silent_for_at_most(silence)
    };
    let agent = agent(&scanner, &config);
    let (mut writer, body) = streamed_body(Some(4));
    let write = async {
        for _ in 0..2 {
            tokio::time::sleep(silence * 3).await;
            assert!(writer.write(b"{}".to_vec()).await);
        }
        drop(writer);
    };
    let patient = ApiRequest {
        time_limit: Some(Duration::from_secs(50)),
        ..call("POST", Vec::new())
    };
    let (result, ()) = tokio::join!(agent.stream(patient, Some(body)), write);
    assert_eq!(result.ok().map(|answer| answer.status), Some(200));
    assert_eq!(calls(&server), 1);
}

#[tokio::test]
async fn a_call_may_bear_more_or_less_silence_than_others() {
    let pause = Duration::from_secs(2);
    let (server, scanner) = server(move |mut stream| {
        thread::sleep(pause);
        let _ = stream.write_all(identity("k3y").as_bytes());
    });
    let agent = agent(&scanner, &silent_for_at_most(pause / 4));
    let patient = || ApiRequest {
        read_timeout: Some(pause * 10),
        ..get()
    };
    assert_eq!(agent.request(patient()).await.unwrap().status, 200);
    let streamed = agent.stream(patient(), None).await;
    assert_eq!(streamed.ok().map(|answer| answer.status), Some(200));
    assert_eq!(calls(&server), 2);

    let agent = self::agent(&scanner, &ClientConfig::default());
    let hasty = ApiRequest {
        once: true,
        read_timeout: Some(pause / 4),
        ..call("POST", b"{}".to_vec())
    };
    assert!(is_timed_out(agent.request(hasty).await));
}

#[tokio::test]
async fn a_body_without_end_ends_with_the_calls_time() {
    let (_server, scanner) = server(|mut stream| {
        let _ = stream.write_all(format!("{HEAD}\r\n").as_bytes());
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let agent = agent(&scanner, &ClientConfig::default());
    let limit = Duration::from_secs(2);
    let began = Instant::now();
    let limited = ApiRequest {
        time_limit: Some(limit),
        ..get()
    };
    assert!(is_timed_out(agent.request(limited).await));
    assert!(began.elapsed() >= limit && began.elapsed() < limit * 3);
}

/// The head of a request, byte by byte, so that nothing of its body is taken.
fn read_head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.extend_from_slice(&byte);
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_large_body_that_is_taken_slowly_is_sent_whole() {
    // More than twice what the kernels on both sides hold.
    const LENGTH: usize = 96 * 1024 * 1024;
    let server = Stranger::serving("http", |mut stream, requests| {
        let head = read_head(&mut stream);
        requests.lock().unwrap().push(head.clone());
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        let mut piece = vec![0; 2 * 1024 * 1024];
        let mut read = 0;
        while read < length {
            let wanted = piece.len().min(length - read);
            if stream.read_exact(&mut piece[..wanted]).is_err() {
                return;
            }
            read += wanted;
            if length == LENGTH {
                thread::sleep(Duration::from_millis(80));
            }
        }
        let _ = stream.write_all(identity("k3y").as_bytes());
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    let silence = Duration::from_secs(3);
    let began = Instant::now();
    let once = ApiRequest {
        once: true,
        ..call("POST", vec![b'x'; LENGTH])
    };
    let agent = agent(&scanner, &silent_for_at_most(silence));
    assert_eq!(agent.request(once).await.unwrap().status, 200);
    assert!(began.elapsed() > silence);
    assert_eq!(calls(&server), 1);
}

#[tokio::test]
async fn a_report_that_is_due_takes_of_the_calls_own_time() {
    let server = Stranger::serving("http", |mut stream, requests| {
        let request = read_request(&mut stream);
        requests.lock().unwrap().push(request.clone());
        if request.contains("/device/update ") {
            thread::park();
        }
        let is_info = request.starts_with("GET");
        let answer = if is_info {
            info("k3y")
        } else {
            identity("k3y")
        };
        let _ = stream.write_all(answer.as_bytes());
    });
    let scanner = Scanner::new();
    scanner.init(&server.url, "token", &[]).succeeds();
    let vault = Connection::open(scanner.home().join("vault.db")).unwrap();
    let changed = vault.execute(
        "UPDATE entry SET plain = json_set(plain, '$.reported.software_version', '0.0.1')
         WHERE name = 'identity'",
        [],
    );
    assert_eq!(changed.unwrap(), 1);
    drop(vault);
    let agent = agent(&scanner, &ClientConfig::default());
    let limit = Duration::from_secs(4);
    let began = Instant::now();
    let limited = ApiRequest {
        path: "/api/v1/device/info".to_owned(),
        time_limit: Some(limit),
        ..get()
    };
    assert_eq!(agent.request(limited).await.unwrap().status, 200);
    // Alone it would be waited for as long as five seconds.
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
    let requests = server.requests();
    let updates = requests
        .iter()
        .filter(|request| request.contains("/device/update "));
    assert_eq!(updates.count(), 1);
}
