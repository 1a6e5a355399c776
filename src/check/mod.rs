//! What a kiosk needs, looked at one thing after the other, for the person at it and for monitoring. Nothing is
//! changed: no lock is taken, no mode mended, nothing finished that was begun.
//!
//! ```text
//!   disk ──▶ vault ──▶ daemon ──▶ network ──▶ server
//!   room,    opens,    runs,      proxy, dns, clock, key, profile,
//!   rights   is whole  hears      route, tls  gate, event
//! ```

mod daemon;
mod disk;
mod door_status;
mod finding;
mod hardware;
mod network;
mod server;
mod surroundings;
mod vault;

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::agent::{Agent, Client, ClientError, OwnHardware, Status};
use crate::enrolment::ServerUrl;
use crate::vault::Folder;
use finding::Findings;

pub use finding::{Finding, Help, Id, Verdict};
pub use surroundings::{FileReport, MountReport, files_of, mounts_of};

/// What is looked at, and how long.
pub struct Subject {
    /// The vault's folder.
    pub folder: Folder,
    /// Makes an agent of a client.
    pub agent: Box<dyn FnOnce(Client) -> Agent + Send>,
    /// How the server is reached, or why that can't be.
    pub client: Result<Client, ClientError>,
    /// The server that is asked where the vault names none.
    pub server: Option<ServerUrl>,
    /// What tells this machine from others.
    pub hardware: OwnHardware,
    /// The sockets of the daemon's doors.
    pub doors: Vec<PathBuf>,
    /// Whether a daemon is to run here.
    pub needs_daemon: bool,
    /// After what time without an answer of the server somebody should look; where a daemon runs, there is one
    /// without being given.
    pub longest_silence: Option<Duration>,
    /// The time for all of it.
    pub time: Duration,
}

/// What was found, and what else is of use to who looks into it.
pub struct Report {
    /// Each check, in their order.
    pub findings: Vec<Finding>,
    /// What the vault says, if it can be read.
    pub status: Option<Status>,
    /// What the daemon's door says of the device, if one could be asked.
    pub door: Option<serde_json::Value>,
}

/// Looks at everything, in the time that it has.
pub async fn run(subject: Subject) -> Report {
    let until = Instant::now() + subject.time;
    let time = subject.time;
    let mut seen = Seen::default();
    if tokio::time::timeout_at(until, look(subject, until, &mut seen))
        .await
        .is_err()
    {
        seen.end(time);
    }
    Report {
        findings: seen.findings.into_all(),
        status: seen.status,
        door: seen.door,
    }
}

#[derive(Default)]
struct Seen {
    findings: Findings,
    status: Option<Status>,
    door: Option<serde_json::Value>,
}

impl Seen {
    /// The time is up: the first check that has not ended is what took too long.
    fn end(&mut self, time: Duration) {
        let missing = Id::ALL.into_iter().find(|id| !self.findings.has(*id));
        let Some(slow) = missing else { return };
        let words = format!("it did not end within {} s", time.as_secs());
        self.findings.add(
            Finding::failed(slow, words)
                .advising("look at what stands before it, or give --timeout more seconds"),
        );
        self.findings.skip(&Id::ALL, slow);
    }
}

async fn look(subject: Subject, until: Instant, seen: &mut Seen) {
    let folder = subject.folder.left_alone();
    let looked_at = folder.clone();
    let (listener, mut told) = mpsc::unbounded_channel();
    let local = tokio::task::spawn_blocking(move || {
        let mut findings = Findings::telling(listener);
        disk::look(&looked_at, &mut findings);
        vault::look(&looked_at, &mut findings)
    });
    while let Some(finding) = told.recv().await {
        seen.findings.add(finding);
    }
    seen.status = local.await.unwrap_or_default();
    let status = seen.status.as_ref();
    match status {
        Some(status) => hardware::look(status, &subject.hardware, &mut seen.findings),
        None => {
            let because = match seen.findings.has_failed(Id::KeyHome) {
                true => Id::KeyHome,
                false => Id::Vault,
            };
            seen.findings.skip(&[Id::Hardware], because);
        }
    }
    let process = crate::daemon::process_of(&folder);
    // Whoever answers there while no daemon runs is somebody else.
    let reach = process.and_then(|_| crate::daemon::Reach::of(&folder));
    let asked = match (process, &reach) {
        (None, _) => door_status::Asked::default(),
        (Some(_), Some(reach)) => door_status::ask(&reach.doors).await,
        (Some(_), None) => door_status::ask(&subject.doors).await,
    };
    seen.door = asked.status;
    let metrics = reach
        .as_ref()
        .and_then(|reach| reach.metrics_file.as_deref());
    let daemon = daemon::Seen {
        process,
        is_needed: subject.needs_daemon,
        has_told: reach.is_some(),
        door: seen.door.as_ref(),
        silent: &asked.silent,
        in_metrics: metrics.and_then(daemon::contact_in),
        reported_at: status.and_then(|status| status.identity.as_ref()?.reported_at),
        longest_silence: subject.longest_silence,
    };
    daemon.look(&mut seen.findings);
    let known = status.and_then(|status| {
        let enrolled = status.identity.as_ref().map(|identity| &identity.server);
        let begun = status.unfinished.as_ref().map(|begun| &begun.server);
        enrolled.or(begun).cloned()
    });
    let Some(server) = known.or(subject.server) else {
        let because = match seen.findings.has_failed(Id::KeyHome) {
            true => Id::KeyHome,
            false => Id::Vault,
        };
        match status {
            Some(status) => server::without(status, &mut seen.findings),
            None => seen.findings.skip(&Id::ALL, because),
        }
        return;
    };
    if let Some(status) = status {
        server::tell_of_begun(status, &mut seen.findings);
    }
    let client = match subject.client {
        Ok(client) => client,
        Err(error) => return network::without_client(error, &mut seen.findings),
    };
    let way = network::Way {
        named: client.proxy(),
        proxy: client.proxy_to(&server.endpoint("")),
        server: &server,
        until,
    };
    let agent = (subject.agent)(client);
    if way.look(&agent, &mut seen.findings).await {
        server::look(&agent, status, &mut seen.findings).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_that_did_not_end_is_the_one_that_is_named() {
        let (listener, mut told) = mpsc::unbounded_channel();
        let mut findings = Findings::telling(listener);
        findings.add(Finding::ok(Id::FileSystem, "much"));
        findings.add(Finding::warning(Id::Permissions, "few"));
        // The next would look at the key's home, and does not come back.
        let mut seen = Seen::default();
        while let Ok(finding) = told.try_recv() {
            seen.findings.add(finding);
        }
        seen.end(Duration::from_secs(20));
        let all = seen.findings.into_all();
        let words = |id: Id| all.iter().find(|finding| finding.id == id).unwrap();
        assert_eq!(words(Id::FileSystem).words, "much");
        assert_eq!(words(Id::Permissions).verdict, Verdict::Warning);
        assert_eq!(words(Id::KeyHome).words, "it did not end within 20 s");
        assert_eq!(words(Id::Vault).because, Some(Id::KeyHome));
    }
}
