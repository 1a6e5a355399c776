//! The way between a scanner and its server, on which anything may happen: a proxy that takes its
//! next fault from a plan, and writes down what went over the wire.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use super::installation::Installation;
use super::stranger::read_request;

/// How long anything that must happen may take, before a test fails for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happens to one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// It never arrives, and the connection breaks.
    LoseRequest,
    /// It is done, and the connection breaks before the answer.
    LoseAnswer,
    /// Half of the answer arrives.
    CutAnswer,
    /// It never arrives, and nobody tells.
    Silence,
    /// It arrives late, perhaps when nobody waits for its answer any more.
    Delay(Duration),
    /// It is done, and the answer arrives late.
    DelayAnswer(Duration),
    /// It arrives twice.
    Repeat,
    /// Something else answers in the server's place.
    Answer(String),
    /// The server is killed before it arrives, and starts again.
    KillServer,
    /// The server is killed after it was done and before it could be told, and starts again.
    KillServerAfter,
    /// The server is killed while it is busy with it, and starts again.
    KillServerMeanwhile(Duration),
    /// It is done, and the answer is held back until [`FaultyWay::release`].
    HoldAnswer,
}

/// Decides what happens to the next request.
pub type Plan = Box<dyn FnMut(&str) -> Fault + Send>;

/// One request, and what the server answered to it, whether that arrived or not.
#[derive(Clone, Debug)]
pub struct Exchange {
    number: usize,
    pub request: String,
    pub fault: String,
    pub answers: Vec<String>,
}

/// What must not be seen anywhere but on the wire and, sealed, in the vault.
#[derive(Clone, Debug, Default)]
pub struct WireSecrets {
    pub api_keys: Vec<String>,
    pub idempotency_keys: Vec<String>,
    pub tokens: Vec<String>,
}

pub struct FaultyWay {
    pub url: String,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// What is at the end of a way.
enum Server {
    /// One of ours, which can be killed.
    Ours(Arc<Installation>),
    /// Another one, by its host and port.
    Foreign(String),
}

impl Server {
    fn address(&self) -> String {
        match self {
            Self::Ours(installation) => installation.address(),
            Self::Foreign(address) => address.clone(),
        }
    }

    fn restart(&self) {
        match self {
            Self::Ours(installation) => installation.restart(),
            Self::Foreign(address) => panic!("{address} is not ours to kill"),
        }
    }
}

struct Shared {
    server: Server,
    plan: Mutex<Plan>,
    record: Mutex<Vec<Exchange>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Requests so far.
    requests: usize,
    /// Connections that are not done.
    connections: usize,
    /// Answers that are held back.
    held: usize,
    is_released: bool,
    is_closed: bool,
}

impl FaultyWay {
    /// A way to the server of `installation`, on which nothing happens yet.
    pub fn to(installation: Arc<Installation>) -> Self {
        Self::between(Server::Ours(installation))
    }

    /// A way to a server that is not ours, at this `http://` address.
    pub fn to_foreign(url: &str) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        Self::between(Server::Foreign(address.to_owned()))
    }

    fn between(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            server,
            plan: Mutex::new(Box::new(|_| Fault::Pass)),
            record: Mutex::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let serving = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.state.lock().unwrap().is_closed {
                    break;
                }
                serving.change(|state| state.connections += 1);
                let serving = Arc::clone(&serving);
                thread::spawn(move || {
                    let done = Done(Arc::clone(&serving));
                    serving.exchange(stream);
                    drop(done);
                });
            }
        });
        Self {
            url,
            shared,
            accepting: Some(accepting),
        }
    }

    /// What happens from now on.
    pub fn follow(&self, plan: impl FnMut(&str) -> Fault + Send + 'static) {
        self.shared.change(|state| state.is_released = false);
        *self.shared.plan.lock().unwrap() = Box::new(plan);
    }

    /// From now on nothing happens.
    pub fn heal(&self) {
        self.follow(|_| Fault::Pass);
    }

    /// Does `fault` to the first request whose first line has `words`, and nothing to all others.
    pub fn once(&self, words: &'static str, fault: Fault) {
        let mut fault = Some(fault);
        self.follow(move |request| match first_line(request).contains(words) {
            true => fault.take().unwrap_or(Fault::Pass),
            false => Fault::Pass,
        });
    }

    /// Does `fault` to all requests.
    pub fn always(&self, fault: Fault) {
        self.follow(move |_| fault.clone());
    }

    /// Waits until all that was sent has arrived or is lost.
    pub fn settle(&self) {
        // Connections are accepted in their order: this one after all that were made before.
        let mut last = self.connect().unwrap();
        last.shutdown(Shutdown::Write).unwrap();
        last.read_to_end(&mut Vec::new()).unwrap();
        self.wait(|state| state.connections == 0);
    }

    fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.url.trim_start_matches("http://"))
    }

    /// Waits until an answer is held back.
    pub fn wait_until_held(&self) {
        self.wait(|state| state.held > 0);
    }

    /// Lets the answers go that were held back.
    pub fn release(&self) {
        self.shared.change(|state| state.is_released = true);
    }

    fn wait(&self, until: impl Fn(&State) -> bool) {
        let state = self.shared.state.lock().unwrap();
        let waiting = |state: &mut State| !until(state);
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, waiting);
        let timed_out = waited.unwrap().1.timed_out();
        assert!(!timed_out, "waited for the way in vain");
    }

    /// All that went over the wire since the last [`FaultyWay::forget`].
    pub fn record(&self) -> Vec<Exchange> {
        self.shared.record.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.shared.record.lock().unwrap().clear();
    }

    /// The secrets among what went over the wire, each once.
    pub fn secrets(&self) -> WireSecrets {
        let mut secrets = WireSecrets::default();
        for exchange in self.record() {
            let (head, body) = parts(&exchange.request);
            let key = header(head, "authorization");
            let key = key.and_then(|value| value.strip_prefix("Device "));
            note(&mut secrets.api_keys, key);
            note(
                &mut secrets.idempotency_keys,
                header(head, "x-idempotency-key"),
            );
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            note(&mut secrets.tokens, body["token"].as_str());
            for answer in &exchange.answers {
                let body: Value = serde_json::from_str(parts(answer).1).unwrap_or_default();
                for holder in [&body, &body["device"]] {
                    note(&mut secrets.api_keys, holder["api_token"].as_str());
                }
            }
        }
        secrets
    }
}

/// A thread that still accepts would keep the server running after the test.
impl Drop for FaultyWay {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.is_closed = true;
            state.is_released = true;
        });
        if self.connect().is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}

fn note(secrets: &mut Vec<String>, secret: Option<&str>) {
    secrets.extend(
        secret
            .filter(|new| !secrets.iter().any(|known| known == new))
            .map(str::to_owned),
    );
}

/// Counts a connection as done whatever becomes of it.
struct Done(Arc<Shared>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.change(|state| state.connections -= 1);
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// Takes one request; the scanner connects anew for the next.
    fn exchange(&self, mut stream: TcpStream) {
        let request = read_request(&mut stream);
        if !is_whole(&request) {
            return;
        }
        let fault = (self.plan.lock().unwrap())(&request);
        let mut number = 0;
        self.change(|state| {
            state.requests += 1;
            number = state.requests;
        });
        self.record.lock().unwrap().push(Exchange {
            number,
            request: request.clone(),
            fault: format!("{fault:?}"),
            answers: Vec::new(),
        });
        let pass = || self.pass(number, &request);
        let answer = match fault {
            Fault::Pass => pass(),
            Fault::LoseRequest => None,
            Fault::LoseAnswer => {
                pass();
                None
            }
            Fault::CutAnswer => pass().map(|answer| {
                let half = answer.len() - parts(&answer).1.len().div_ceil(2).max(1);
                answer[..half].to_owned()
            }),
            Fault::Silence => {
                let _ = stream.read(&mut [0]);
                None
            }
            Fault::Delay(time) => {
                thread::sleep(time);
                pass()
            }
            Fault::DelayAnswer(time) => {
                let answer = pass();
                thread::sleep(time);
                answer
            }
            Fault::Repeat => {
                pass();
                pass()
            }
            Fault::Answer(answer) => Some(answer),
            Fault::KillServer => {
                self.server.restart();
                None
            }
            Fault::KillServerAfter => {
                pass();
                self.server.restart();
                None
            }
            Fault::KillServerMeanwhile(time) => thread::scope(|scope| {
                let passing = scope.spawn(pass);
                thread::sleep(time);
                self.server.restart();
                passing.join().unwrap()
            }),
            Fault::HoldAnswer => {
                let answer = pass();
                self.change(|state| state.held += 1);
                let state = self.state.lock().unwrap();
                let waiting = |state: &mut State| !state.is_released;
                drop(self.changed.wait_timeout_while(state, PATIENCE, waiting));
                self.change(|state| state.held -= 1);
                answer
            }
        };
        // The scanner may be gone.
        let _ = stream.write_all(answer.unwrap_or_default().as_bytes());
    }

    /// Hands the request on; what comes back, or nothing if the server is gone.
    fn pass(&self, number: usize, request: &str) -> Option<String> {
        let mut server = TcpStream::connect(self.server.address()).ok()?;
        let (first, rest) = request.split_once("\r\n").unwrap();
        let request = format!("{first}\r\nConnection: close\r\n{rest}");
        server.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        server.read_to_string(&mut answer).ok()?;
        if answer.is_empty() {
            return None;
        }
        // It may have been forgotten since.
        let mut record = self.record.lock().unwrap();
        let exchange = record.iter_mut().find(|exchange| exchange.number == number);
        if let Some(exchange) = exchange {
            exchange.answers.push(answer.clone());
        }
        Some(answer)
    }
}

fn is_whole(message: &str) -> bool {
    let length = header(parts(message).0, "content-length");
    let length = length.map_or(0, |length| length.parse().unwrap());
    message.contains("\r\n\r\n") && parts(message).1.len() >= length
}

fn parts(message: &str) -> (&str, &str) {
    message.split_once("\r\n\r\n").unwrap_or((message, ""))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

pub fn first_line(request: &str) -> &str {
    request.lines().next().unwrap_or_default()
}
