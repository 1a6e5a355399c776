//! A way to a server on which answers get lost, or what a server without idempotency keys would not
//! look at.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use super::stranger::read_request;

/// A listener before a server, which takes one request a connection.
pub struct Way {
    pub url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    loses_requests: AtomicBool,
    loses_answers: AtomicBool,
    forgets_keys: AtomicBool,
    requests: Mutex<Vec<String>>,
    held: Mutex<Held>,
    changed: Condvar,
}

/// A request that waits on its way.
#[derive(Default, PartialEq)]
enum Held {
    #[default]
    Nothing,
    /// The next that begins with this.
    Next(String),
    Waiting,
}

impl Way {
    pub fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, state) = (server.clone(), Arc::clone(&shared));
                thread::spawn(move || state.carry(client, &server));
            }
        });
        Self { url, state }
    }

    /// From now on the server gets requests, and its answers never arrive.
    pub fn lose_answers(&self) {
        self.state.loses_answers.store(true, Ordering::SeqCst);
    }

    /// From now on nothing arrives.
    pub fn lose_requests(&self) {
        self.state.loses_requests.store(true, Ordering::SeqCst);
    }

    pub fn lose_nothing(&self) {
        self.state.loses_answers.store(false, Ordering::SeqCst);
        self.state.loses_requests.store(false, Ordering::SeqCst);
    }

    /// From now on the server sees no idempotency key, as if it knew none.
    pub fn forget_idempotency_keys(&self) {
        self.state.forgets_keys.store(true, Ordering::SeqCst);
    }

    /// The next request that begins with this waits on its way.
    pub fn hold_next(&self, begin: &str) {
        *self.state.held.lock().unwrap() = Held::Next(begin.to_owned());
    }

    pub fn wait_until_held(&self) {
        let held = self.state.held.lock().unwrap();
        let waiting = |held: &mut Held| *held != Held::Waiting;
        drop(self.state.changed.wait_while(held, waiting).unwrap());
    }

    pub fn let_go(&self) {
        *self.state.held.lock().unwrap() = Held::Nothing;
        self.state.changed.notify_all();
    }

    /// The requests so far, as the device sent them.
    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }
}

impl State {
    fn carry(&self, mut client: TcpStream, server: &str) {
        let request = read_request(&mut client);
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            return; // the device hung up
        };
        self.requests.lock().unwrap().push(request.clone());
        self.wait_if_held(&request);
        if self.loses_requests.load(Ordering::SeqCst) {
            return;
        }
        let is_left_out = |line: &str| {
            let line = line.to_lowercase();
            line.starts_with("connection:")
                || self.forgets_keys.load(Ordering::SeqCst)
                    && line.starts_with("x-idempotency-key:")
        };
        let head: Vec<&str> = head.lines().filter(|line| !is_left_out(line)).collect();
        let head = head.join("\r\n");
        let mut to_server = TcpStream::connect(server).unwrap();
        write!(to_server, "{head}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let mut answer = Vec::new();
        to_server.read_to_end(&mut answer).unwrap();
        if !self.loses_answers.load(Ordering::SeqCst) {
            // The device may have hung up meanwhile.
            let _ = client.write_all(&answer);
        }
    }

    fn wait_if_held(&self, request: &str) {
        let mut held = self.held.lock().unwrap();
        if matches!(&*held, Held::Next(begin) if request.starts_with(begin)) {
            *held = Held::Waiting;
            self.changed.notify_all();
            let waiting = |held: &mut Held| *held == Held::Waiting;
            drop(self.changed.wait_while(held, waiting).unwrap());
        }
    }
}

/// The value of a header of a request; empty if it has none.
pub fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let (head, _) = request.split_once("\r\n\r\n").unwrap();
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value)
}
