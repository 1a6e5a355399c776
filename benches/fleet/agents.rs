//! Real agents of the library in this process, each with a vault of its own on the disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatehand::agent::{Agent, Client, ClientConfig, InitializeOptions, ThisMachine};
use gatehand::enrolment::Enrolment;
use gatehand::secret::Secret;
use gatehand::vault::Folder;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::times::Times;

/// Between two things that one does.
const EVERY: Duration = Duration::from_secs(10);
/// So many enrol at once.
const AT_ONCE: usize = 16;
const DEADLINE: Duration = Duration::from_secs(20);

/// All of them.
pub struct Agents {
    pub asked: Times,
    pub reported: Times,
    pub rolled: Times,
    pub is_over: AtomicBool,
}

/// One, and what it was told that it has done.
pub struct Enrolled {
    agent: Agent,
    pub device_id: u64,
    pub rolls: Count,
    pub reports: Count,
}

/// Operations of a kind.
#[derive(Default)]
pub struct Count {
    pub acknowledged: usize,
    pub failed: usize,
}

impl Agents {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            asked: Times::default(),
            reported: Times::default(),
            rolled: Times::default(),
            is_over: AtomicBool::new(false),
        })
    }

    /// Enrols one with each of these tokens.
    pub async fn enrol(url: &str, tokens: Vec<String>, folder: &Path) -> Vec<Enrolled> {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut enrolling = JoinSet::new();
        for (number, token) in tokens.into_iter().enumerate() {
            let folder = Folder::at(folder.join(number.to_string())).unwrap();
            let (url, places) = (url.to_owned(), Arc::clone(&places));
            enrolling.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                let config = ClientConfig {
                    deadline: DEADLINE,
                    ..ClientConfig::default()
                };
                let describe = ThisMachine {
                    folder: folder.clone(),
                };
                let client = Client::new(&config).unwrap();
                let agent = Agent::new(folder, client, Arc::new(describe)).with_memory();
                let enrolment = Enrolment::new(url.parse().unwrap(), Secret::new(token)).unwrap();
                let options = InitializeOptions::default();
                let done = agent.initialize(&enrolment, &options).await.unwrap();
                Enrolled {
                    device_id: done.identity.device_id,
                    agent,
                    rolls: Count::default(),
                    reports: Count::default(),
                }
            });
        }
        enrolling.join_all().await
    }

    /// Has them live until it is over.
    pub async fn live(self: Arc<Self>, enrolled: Vec<Enrolled>) -> Vec<Enrolled> {
        let mut living = JoinSet::new();
        for one in enrolled {
            living.spawn(Arc::clone(&self).live_one(one));
        }
        living.join_all().await
    }

    async fn live_one(self: Arc<Self>, mut one: Enrolled) -> Enrolled {
        let mut turn = fastrand::usize(..10);
        loop {
            sleep(EVERY.mul_f64(fastrand::f64() * 2.0)).await;
            if self.is_over.load(Ordering::Relaxed) {
                return one;
            }
            let begun = Instant::now();
            let (times, count, is_done) = match turn % 10 {
                0 => {
                    let done = one.agent.roll().await.is_ok();
                    (&self.rolled, Some(&mut one.rolls), done)
                }
                1 => {
                    let version = Some(turn.to_string());
                    let done = one.agent.update(|before| gatehand::facts::Overrides {
                        os_version: version,
                        ..before
                    });
                    let done = done.await.is_ok();
                    (&self.reported, Some(&mut one.reports), done)
                }
                _ => (&self.asked, None, one.agent.info().await.is_ok()),
            };
            match is_done {
                true => times.answered(begun.elapsed()),
                false => times.failed(),
            }
            if let Some(count) = count {
                match is_done {
                    true => count.acknowledged += 1,
                    false => count.failed += 1,
                }
            }
            turn += 1;
        }
    }
}

impl Enrolled {
    /// Finishes what was cut short, and sees that its key works.
    pub async fn still_works(&self) {
        self.agent.resume().await.unwrap();
        self.agent.info().await.unwrap();
    }
}
