//! An agent that stays and makes many calls remembers what its vault holds, and notices when another
//! process changes that.

use std::fs;
use std::sync::Arc;

use gatehand::agent::{Agent, AgentError, ApiRequest, Client, ClientConfig, ThisMachine};
use gatehand::vault::Folder;

use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::way::{Way, header};

/// The agent of a scanner's vault, beside the commands that use it too.
struct Staying {
    agent: Agent,
    way: Way,
}

impl Staying {
    fn beside(scanner: &Scanner, way: Way) -> Self {
        let folder = Folder::at(scanner.home()).unwrap().volatile_allowed();
        let describe = ThisMachine {
            folder: folder.clone(),
        };
        let client = Client::new(&ClientConfig::default()).unwrap();
        let agent = Agent::new(folder, client, Arc::new(describe)).with_memory();
        Self { agent, way }
    }

    /// Makes a call; the keys of all requests that this took.
    async fn call(&self) -> Result<Vec<String>, AgentError> {
        let before = self.way.requests().len();
        let answer = self
            .agent
            .request(ApiRequest {
                headers: Vec::new(),
                method: "GET".to_owned(),
                path: "api/v1/device/eventselection".to_owned(),
                body: Vec::new(),
                content_type: None,
                idempotency_key: None,
                once: false,
                time_limit: None,
                read_timeout: None,
            })
            .await?;
        assert_ne!(answer.status, 401);
        let requests = self.way.requests().split_off(before);
        let keys = requests
            .iter()
            .map(|request| header(request, "authorization").to_owned());
        Ok(keys.collect())
    }
}

fn enrolled() -> (Installation, Scanner, Staying) {
    let (installation, scanner) = (Installation::start(), Scanner::new());
    let way = Way::to(&installation.url);
    let token = installation.create_device("Lane 1");
    scanner.init(&way.url, &token, &[]).succeeds();
    let staying = Staying::beside(&scanner, way);
    (installation, scanner, staying)
}

#[tokio::test]
async fn a_key_that_another_process_replaced_is_used_from_the_next_call_on() {
    let (_installation, scanner, staying) = enrolled();
    let first = staying.call().await.unwrap();
    assert_eq!(staying.call().await.unwrap(), first);
    assert_eq!(first.len(), 1);
    scanner.run(&["roll"]).succeeds();
    let second = staying.call().await.unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(second, first);
}

#[tokio::test]
async fn a_key_that_the_agent_replaced_itself_is_used_too() {
    let (_installation, _scanner, staying) = enrolled();
    let first = staying.call().await.unwrap();
    staying.agent.roll().await.unwrap();
    let second = staying.call().await.unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(second, first);
}

#[tokio::test]
async fn a_device_that_another_process_gave_up_makes_no_more_calls() {
    let (_installation, scanner, staying) = enrolled();
    staying.call().await.unwrap();
    scanner.run(&["revoke", "--yes"]).succeeds();
    let requests = staying.way.requests().len();
    let refused = staying.call().await;
    assert!(matches!(refused, Err(AgentError::RevokedHere(_))));
    assert_eq!(staying.way.requests().len(), requests);
}

#[tokio::test]
async fn a_device_that_another_process_enrolled_anew_is_who_calls_from_then_on() {
    let (installation, scanner, staying) = enrolled();
    let first = staying.call().await.unwrap();
    let token = installation.create_device("Lane 2");
    scanner
        .init(&staying.way.url, &token, &["--replace"])
        .succeeds();
    let second = staying.call().await.unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(second, first);
}

#[tokio::test]
async fn a_vault_that_was_put_in_the_place_of_another_is_read() {
    let (installation, scanner, staying) = enrolled();
    let first = staying.call().await.unwrap();
    let other = Scanner::new();
    let token = installation.create_device("Lane 2");
    other.init(&staying.way.url, &token, &[]).succeeds();
    fs::rename(scanner.home(), scanner.scratch().join("before")).unwrap();
    fs::rename(other.home(), scanner.home()).unwrap();
    let second = staying.call().await.unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(second, first);

    fs::remove_dir_all(scanner.home()).unwrap();
    let gone = staying.call().await;
    assert!(matches!(gone, Err(AgentError::NotEnrolled)));
}
