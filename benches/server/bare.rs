//! The least that answers over HTTP: routes of axum that have their answers ready.

use std::io::{Read, Write};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// What a route answers.
#[derive(Serialize, Deserialize)]
pub struct Recorded {
    /// As axum writes it.
    pub route: String,
    /// Without those that hyper adds.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Recorded {
    /// What a server answered, to be answered again.
    pub fn of(route: &str, answer: &[u8]) -> Self {
        let answer = std::str::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let headers = head
            .lines()
            .skip(1)
            .map(|line| line.split_once(": ").unwrap());
        let headers = headers.filter(|(name, _)| !["content-length", "date"].contains(name));
        Self {
            route: route.to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }
}

/// The lines of an answer's head that do not change with the time, in order of letters, and its body.
pub fn sent(answer: &[u8]) -> (Vec<&str>, &str) {
    let answer = std::str::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head
        .lines()
        .filter(|line| !line.starts_with("date: "))
        .collect();
    lines.sort_unstable();
    (lines, body)
}

/// Serves what standard input tells, on a port that standard output is told, until the process is ended.
/// The runtime is as that of `gatehand serve`.
pub fn serve() {
    let mut told = String::new();
    std::io::stdin().read_to_string(&mut told).unwrap();
    let recorded: Vec<Recorded> = serde_json::from_str(&told).unwrap();
    let router = recorded
        .into_iter()
        .fold(Router::new(), |router, recorded| {
            let headers = recorded.headers.iter().map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            });
            let (headers, body) = (headers.collect::<HeaderMap>(), Bytes::from(recorded.body));
            let answer = async move || {
                let mut response = Response::new(Body::from(body.clone()));
                *response.headers_mut() = headers.clone();
                response
            };
            router.route(&recorded.route, get(answer))
        });
    // As the server's own.
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors + 1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let router = TowerToHyperService::new(router.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), router));
        }
    });
}
