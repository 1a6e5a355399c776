//! What waits for the disk keeps nobody else waiting.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatehand::agent::{Agent, AgentError, ApiRequest, Client, ClientConfig, Describe, ThisMachine};
use gatehand::facts::Facts;
use gatehand::vault::Folder;
use gatehand::wire::Text;
use serde_json::Value;

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;

/// Until a test that would wait for ever fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A device whose facts are read from a disk that does not answer before it is told to.
struct Stuck {
    machine: ThisMachine,
    asked: Sender<()>,
    answers: Mutex<Receiver<()>>,
}

impl Describe for Stuck {
    fn facts(&self) -> Facts {
        self.asked.send(()).unwrap();
        let answered = self.answers.lock().unwrap().recv_timeout(PATIENCE);
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
        read_timeout: None,
    };
    Ok(agent.request(request).await?.status)
}

#[tokio::test]
async fn a_disk_that_does_not_answer_keeps_no_other_device_of_the_process_waiting() {
    let installation = Installation::start();
    let (scanner, other) = (enrolled(&installation), enrolled(&installation));
    let (asked, asks) = mpsc::channel();
    let (answer, answers) = mpsc::channel();
    let stuck = Stuck {
        machine: ThisMachine {
            folder: folder(&scanner),
        },
        asked,
        answers: Mutex::new(answers),
    };
    let stuck = agent(&scanner, PATIENCE * 2, stuck);
    let update = tokio::spawn(async move { stuck.update(|overrides| overrides).await });
    tokio::task::yield_now().await;
    asks.recv_timeout(PATIENCE).unwrap();
    let answered = call(&healthy(&other, PATIENCE)).await.unwrap();
    assert_ne!(answered, 401);
    answer.send(()).unwrap();
    assert!(update.await.unwrap().is_ok());
}
