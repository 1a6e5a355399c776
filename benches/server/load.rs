//! A lean load generator: callers that each keep a connection, and ask again once they are answered.
//! One thread, a write and a read for each request, and no more of HTTP than it takes to find an answer's end.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::processes::processor_time;

/// How long callers ask before it counts.
const WARM_UP: Duration = Duration::from_millis(100);
/// Room for an answer.
const ROOM: usize = 256 * 1024;

/// Callers of a server.
#[derive(Clone, Copy)]
pub struct Load {
    pub address: SocketAddr,
    /// The process that answers.
    pub process: u32,
    pub connections: usize,
    pub time: Duration,
}

/// What a load came to.
pub struct Outcome {
    /// Answers a second.
    pub rate: f64,
    /// How long each answer took, in order of length.
    pub times: Vec<Duration>,
    /// Processor time that the server took for each answer.
    pub processor_time: Duration,
    /// The share of its one processor that the load generator took.
    pub generator: f64,
}

/// What the callers share.
struct Callers<N> {
    /// Writes the next request, if there is one.
    next: N,
    times: Vec<Duration>,
    is_over: bool,
}

impl Load {
    /// Asks for as long as it is to, or until `next` has no more requests. Every answer has to be 200.
    pub fn run(self, next: impl FnMut(&mut Vec<u8>) -> bool + 'static) -> Outcome {
        let callers = Rc::new(RefCell::new(Callers {
            next,
            times: Vec::new(),
            is_over: false,
        }));
        let runtime = runtime();
        let tasks = tokio::task::LocalSet::new();
        let (took, [server, generator]) = tasks.block_on(&runtime, async {
            let mut conversations = JoinSet::new();
            for _ in 0..self.connections {
                let stream = TcpStream::connect(self.address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                conversations.spawn_local(converse(stream, Rc::clone(&callers)));
            }
            tokio::time::sleep(WARM_UP).await;
            callers.borrow_mut().times.clear();
            let processes = [self.process, std::process::id()];
            let (begun, before) = (Instant::now(), processes.map(processor_time));
            let all = async { while conversations.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(self.time, all).await;
            let (took, after) = (begun.elapsed(), processes.map(processor_time));
            let answered = callers.borrow().times.len();
            callers.borrow_mut().is_over = true;
            while let Some(ended) = conversations.join_next().await {
                ended.unwrap();
            }
            callers.borrow_mut().times.truncate(answered);
            (took, [0, 1].map(|process| after[process] - before[process]))
        });
        let mut times = std::mem::take(&mut callers.borrow_mut().times);
        times.sort();
        assert!(!times.is_empty(), "nothing was answered");
        Outcome {
            rate: times.len() as f64 / took.as_secs_f64(),
            processor_time: server.div_f64(times.len() as f64),
            generator: generator.as_secs_f64() / took.as_secs_f64(),
            times,
        }
    }
}

impl Outcome {
    /// How long an answer took at most, for this share of all.
    pub fn quantile(&self, share: f64) -> Duration {
        self.times[((self.times.len() - 1) as f64 * share) as usize]
    }
}

/// One request on a connection of its own; the answer as it came.
pub fn ask(address: SocketAddr, request: &str) -> Vec<u8> {
    runtime().block_on(async {
        let mut answer = vec![0; ROOM];
        let stream = TcpStream::connect(address).await.unwrap();
        let length = exchange(&stream, request.as_bytes(), &mut answer).await;
        answer.truncate(length);
        answer
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn converse<N: FnMut(&mut Vec<u8>) -> bool>(
    stream: TcpStream,
    callers: Rc<RefCell<Callers<N>>>,
) {
    let (mut request, mut answer) = (Vec::new(), vec![0; ROOM]);
    loop {
        request.clear();
        {
            let mut callers = callers.borrow_mut();
            if callers.is_over || !(callers.next)(&mut request) {
                return;
            }
        }
        let begun = Instant::now();
        exchange(&stream, &request, &mut answer).await;
        callers.borrow_mut().times.push(begun.elapsed());
    }
}

/// Sends a request and reads the answer; its length.
async fn exchange(stream: &TcpStream, mut request: &[u8], answer: &mut [u8]) -> usize {
    while !request.is_empty() {
        match stream.try_write(request) {
            Ok(written) => request = &request[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await.unwrap(),
            Err(error) => panic!("the request can't be sent: {error}"),
        }
    }
    let (mut filled, mut length) = (0, None);
    while length.is_none_or(|length| filled < length) {
        stream.readable().await.unwrap();
        match stream.try_read(&mut answer[filled..]) {
            Ok(0) => panic!("the connection ended early"),
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
            Err(error) => panic!("the answer can't be read: {error}"),
        }
        length = length.or_else(|| whole_length(&answer[..filled]));
    }
    filled
}

/// Length of an answer, once its head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = memmem::find(answer, b"\r\n\r\n")? + 4;
    let text = || String::from_utf8_lossy(answer);
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", text());
    let name = b"\r\ncontent-length: ";
    let begin = memmem::find(&answer[..head], name).unwrap() + name.len();
    let digits = answer[begin..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    Some(head + digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0')))
}
