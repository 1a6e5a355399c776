//! What waits for the disk keeps nobody else waiting, and not for longer than a call may take.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatehand::agent::{
    Agent, AgentError, ApiRequest, Client, ClientConfig, Describe, Done, ThisMachine,
};
use gatehand::facts::Facts;
use gatehand::vault::{Folder, VaultError};
use gatehand::wire::Text;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;

/// More than threads may wait for the disk at once.
const MANY: usize = 40;
/// Until a test that would wait for ever fails.
const PATIENCE: Duration = Duration::from_secs(60);

type Updating = JoinHandle<Result<Done, AgentError>>;

/// A device whose facts are read from a disk that does not answer before it is told to.
struct Stuck {
    machine: ThisMachine,
    asked: Sender<()>,
    answers: Mutex<Receiver<()>>,
}

impl Describe for Stuck {
    fn facts(&self) -> Facts {
        self.asked.send(()).unwrap();
        // Held, so that whoever asks next fails at once if this does.
        let answers = self.answers.lock().unwrap();
        let answered = answers.recv_timeout(PATIENCE);
        assert_ne!(answered, Err(RecvTimeoutError::Timeout), "all else waited");
        self.machine.facts()
    }

    fn software(&self) -> (Text, Text) {
        self.machine.software()
    }

    fn info(&self) -> Option<Value> {
        None
    }
}

fn enrolled(installation: &Installation) -> Scanner {
    let scanner = Scanner::new();
    let token = installation.create_device("Lane 1");
    scanner.init(&installation.url, &token, &[]).succeeds();
    scanner
}

fn folder(scanner: &Scanner) -> Folder {
    Folder::at(scanner.home()).unwrap().volatile_allowed()
}

fn agent(scanner: &Scanner, deadline: Duration, describe: impl Describe + 'static) -> Arc<Agent> {
    let client = Client::new(&ClientConfig {
        deadline,
        ..ClientConfig::default()
    });
    let agent = Agent::new(folder(scanner), client.unwrap(), Arc::new(describe));
    Arc::new(agent.with_memory())
}

fn healthy(scanner: &Scanner, deadline: Duration) -> Arc<Agent> {
    let folder = folder(scanner);
    agent(scanner, deadline, ThisMachine { folder })
}

/// Updates that all wait for the disk, and what lets the disk answer once.
fn stuck(scanner: &Scanner, count: usize) -> (Vec<Updating>, Sender<()>, Receiver<()>) {
    let (asked, asks) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let describe = Stuck {
        machine: ThisMachine {
            folder: folder(scanner),
        },
        asked,
        answers: Mutex::new(answers),
    };
    let agent = agent(scanner, PATIENCE * 2, describe);
    let updates = (0..count).map(|_| {
        let agent = Arc::clone(&agent);
        tokio::spawn(async move { agent.update(|overrides| overrides).await })
    });
    (updates.collect(), answer, asks)
}

async fn call(agent: &Agent) -> Result<u16, AgentError> {
    let request = ApiRequest {
        headers: Vec::new(),
        method: "GET".to_owned(),
        path: "api/v1/device/eventselection".to_owned(),
        body: Vec::new(),
        content_type: None,
        idempotency_key: None,
        once: false,
        time_limit: None,
    };
    Ok(agent.request(request).await?.status)
}

#[tokio::test]
async fn a_disk_that_does_not_answer_keeps_no_other_device_of_the_process_waiting() {
    let installation = Installation::start();
    let (scanner, other) = (enrolled(&installation), enrolled(&installation));
    let (updates, answer, asks) = stuck(&scanner, 1);
    tokio::task::yield_now().await;
    asks.recv_timeout(PATIENCE).unwrap();
    let answered = call(&healthy(&other, PATIENCE)).await.unwrap();
    assert_ne!(answered, 401);
    answer.send(()).unwrap();
    for update in updates {
        assert!(update.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn who_finds_all_threads_waiting_is_told_within_the_time_of_the_call() {
    let installation = Installation::start();
    let (scanner, other) = (enrolled(&installation), enrolled(&installation));
    let (updates, answer, asks) = stuck(&scanner, MANY);
    tokio::task::yield_now().await;
    asks.recv_timeout(PATIENCE).unwrap();
    let healthy = healthy(&other, Duration::from_millis(300));
    // Until all threads are taken, which the first call may still find otherwise.
    let told = loop {
        if let Err(error) = call(&healthy).await {
            break error;
        }
        healthy.roll().await.ok();
    };
    assert!(
        matches!(told, AgentError::Vault(VaultError::Busy { .. })),
        "{told}"
    );
    drop(answer);
    for update in updates {
        assert!(update.await.unwrap().is_ok());
    }
}
