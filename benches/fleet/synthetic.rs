//! Devices that are no more than a key: each asks who it is every five minutes, and reports once an hour. They ask
//! when it is time, however long others take; what is not answered is asked again once that may help.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::times::Times;

/// How often each asks.
const EVERY: Duration = Duration::from_secs(300);
/// So many of them report, of those that ask.
const REPORTS: usize = 12;
/// Connections of all of them together.
const CONNECTIONS: usize = 256;
const PATIENCE: Duration = Duration::from_secs(5);

/// All of them.
pub struct Synthetic {
    server: SocketAddr,
    keys: Vec<String>,
    idle: Mutex<Vec<TcpStream>>,
    places: Semaphore,
    missed: Mutex<Vec<usize>>,
    pub asked: Times,
    pub reported: Times,
    pub answers: AtomicUsize,
    is_over: AtomicBool,
}

impl Synthetic {
    pub fn at(server: SocketAddr, keys: Vec<String>) -> Arc<Self> {
        Arc::new(Self {
            server,
            keys,
            idle: Mutex::default(),
            places: Semaphore::new(CONNECTIONS),
            missed: Mutex::default(),
            asked: Times::default(),
            reported: Times::default(),
            answers: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        })
    }

    /// Asks as often as they all do, until it is over.
    pub async fn ask(self: Arc<Self>) {
        let pause = EVERY.div_f64(self.keys.len() as f64);
        let (begun, mut asking) = (Instant::now(), JoinSet::new());
        for turn in 0_u32.. {
            let due = begun + pause * turn;
            tokio::time::sleep_until(due).await;
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let all = Arc::clone(&self);
            asking.spawn(async move { all.one(turn as usize, due).await });
            while asking.try_join_next().is_some() {}
        }
        asking.join_all().await;
    }

    /// All that were not answered ask again at once; how many those are, and how long it takes until they are.
    pub async fn burst(self: &Arc<Self>) -> (usize, Duration) {
        let missed = std::mem::take(&mut *self.missed.lock().unwrap());
        let (begun, mut asking) = (Instant::now(), JoinSet::new());
        for &turn in &missed {
            let all = Arc::clone(self);
            asking.spawn(async move { all.one(turn, begun).await });
        }
        asking.join_all().await;
        (missed.len(), begun.elapsed())
    }

    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    async fn one(&self, turn: usize, due: Instant) {
        let key = &self.keys[turn % self.keys.len()];
        let (times, request) = match turn % REPORTS {
            0 => (&self.reported, report(key)),
            _ => (&self.asked, info(key)),
        };
        match timeout(PATIENCE, self.exchange(&request)).await {
            Ok(Ok(())) => {
                times.answered(due.elapsed());
                self.answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok(Err(())) | Err(_) => {
                times.failed();
                self.missed.lock().unwrap().push(turn);
            }
        }
    }

    async fn exchange(&self, request: &str) -> Result<(), ()> {
        let _place = self.places.acquire().await.unwrap();
        let idle = self.idle.lock().unwrap().pop();
        let mut stream = match idle {
            Some(stream) => stream,
            None => TcpStream::connect(self.server).await.map_err(drop)?,
        };
        stream.write_all(request.as_bytes()).await.map_err(drop)?;
        let mut answer = Vec::new();
        while !is_whole(&answer) {
            match stream.read_buf(&mut answer).await {
                Ok(0) | Err(_) => return Err(()),
                Ok(_) => {}
            }
        }
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err(());
        }
        self.idle.lock().unwrap().push(stream);
        Ok(())
    }
}

fn info(key: &str) -> String {
    format!(
        "GET /api/v1/device/info HTTP/1.1\r\nhost: localhost\r\nauthorization: Device {key}\r\n\r\n"
    )
}

fn report(key: &str) -> String {
    let body = r#"{"hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android", "os_version": "8.1.0",
        "software_brand": "pretixSCAN", "software_version": "1.5.1"}"#;
    format!(
        "POST /api/v1/device/update HTTP/1.1\r\nhost: localhost\r\nauthorization: Device {key}\r\n\
        content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Whether an answer is there to its end.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse::<usize>().unwrap());
    answer.len() >= end + 4 + length
}
