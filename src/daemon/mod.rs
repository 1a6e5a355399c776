//! The agent of a kiosk, as long as it runs: enrols from where nobody watches, keeps the device's report and what
//! it knows of itself true, and opens the doors for its other programs.
//!
//! ```text
//!   enrolment.json, a picture        a timer, the network, the vault
//!            │                                  │
//!            ▼                                  ▼
//!         sources ──▶ enrol ──▶ life ◀── wake, schedule
//!                                │
//!                  service manager, feed ──▶ doors
//! ```

mod adjustable;
mod clock;
mod daemon_error;
mod enrol;
mod instance;
mod life;
mod manager;
mod metrics_file;
mod network;
mod readiness;
mod schedule;
mod settings;
mod source;
mod told;
mod told_once;
mod wake;
mod watch;
mod wipe;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use crate::agent::Agent;
use crate::door::{Door, Feed};
use crate::serving::Address;
use crate::vault::Folder;
use life::Life;
use wake::Wake;

pub use adjustable::{Adjustable, AllowedEnrolments};
pub use daemon_error::DaemonError;
pub use instance::{Instance, Reach, process_of};
pub use metrics_file::{MetricsFile, MetricsFileError};
pub use settings::Settings;
pub use told::Told;

/// How long the end waits for the last that is done to the metrics' file.
const METRICS_PATIENCE: Duration = Duration::from_secs(2);

/// Runs until it is told to stop.
pub async fn run(
    folder: &Folder,
    agent: Agent,
    mut settings: Settings,
    told: Told,
) -> Result<(), DaemonError> {
    let instance = Instance::only(folder)?;
    if let Err(error) = agent.bind_hardware() {
        error.warn();
    }
    let (agent, feed) = (Arc::new(agent), Arc::new(Feed::new()?));
    let status = agent.status();
    feed.change(|standing| standing.look(&status, agent.warning_of(&status)));
    let mut doors = JoinSet::new();
    let mut passed = settings.passed.take();
    if passed.is_some() && settings.doors.is_empty() {
        return Err(DaemonError::PassedForNothing);
    }
    Door::make_room(settings.doors.len());
    let metrics_file = settings.metrics_file.as_ref();
    let mut reach = Reach {
        metrics_file: metrics_file.map(|file| file.path().to_owned()),
        ..Reach::default()
    };
    let mut by_socket = Vec::new();
    for settings in &settings.doors {
        let door = Arc::new(Door::new(Arc::clone(&agent), Arc::clone(&feed), settings));
        by_socket.push((settings.socket.clone(), Arc::clone(&door)));
        for listener in Door::listen(settings, passed.take()).await? {
            let mut stop = told.stop.clone();
            let stopped = async move {
                let _ = stop.wait_for(|stop| *stop).await;
            };
            tracing::info!("a door is open at {}", listener.address());
            if let Address::Unix(path) = listener.address() {
                reach.doors.extend(std::path::absolute(path));
            }
            doors.spawn(Arc::clone(&door).serve(listener, stopped));
        }
    }
    instance.tell(&reach);
    let wake = Wake::default();
    let mut watching = JoinSet::new();
    watch::begin(&mut watching, &wake, folder, told.settings.clone());
    watching.spawn(adjust(by_socket, told.settings.clone()));
    let looked = metrics_file::Looked::default();
    let metrics = settings.metrics_file.take().map(|file| {
        let (feed, looked, stop) = (Arc::clone(&feed), Arc::clone(&looked), told.stop.clone());
        let adjustable = told.settings.clone();
        tokio::spawn(metrics_file::keep(file, feed, adjustable, looked, stop))
    });
    let life = Life {
        looked: &looked,
        agent: &agent,
        feed: &feed,
        settings: &settings,
        wake: &wake,
    };
    life.lead(told).await;
    manager::stopping();
    feed.end();
    while doors.join_next().await.is_some() {}
    if let Some(metrics) = metrics {
        // A disk that does not answer must not keep this from ending.
        let _ = tokio::time::timeout(METRICS_PATIENCE, metrics).await;
    }
    Ok(())
}

/// Has each door let through what it is to by now.
async fn adjust(doors: Vec<(PathBuf, Arc<Door>)>, mut told: Receiver<Arc<Adjustable>>) {
    while told.changed().await.is_ok() {
        let now = Arc::clone(&told.borrow_and_update());
        for (socket, allowed) in &now.doors {
            let mut named = doors.iter().filter(|(named, _)| named == socket);
            if let Some((_, door)) = named.next() {
                door.allow(allowed.clone());
            }
        }
    }
}
