//! What monitoring watches, in a file for node_exporter's textfile collector.
//!
//! Written when something has changed, and at each heartbeat, so that the file's age tells whether this program still
//! runs. It goes with a clean end: what it says is not so any more then.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::told_once::ToldOnce;
use crate::door::{Feed, metrics_text};
use crate::public_file;

/// Tells that the device was looked at.
pub(super) type Looked = Arc<Notify>;

/// Keeps the file as the feed is, until all is to stop, and removes it then.
pub(super) async fn keep(
    path: PathBuf,
    feed: Arc<Feed>,
    every: Duration,
    looked: Looked,
    mut stop: watch::Receiver<bool>,
) {
    let mut told = ToldOnce::default();
    let mut changed = feed.watch();
    let mut written = None;
    loop {
        let standing = feed.standing();
        let (text, file) = (metrics_text(&standing), path.clone());
        match tokio::task::spawn_blocking(move || public_file::write(&file, &text)).await {
            Ok(Ok(())) => {
                if told.end() {
                    tracing::info!("the metrics are in {} again", path.display());
                }
            }
            Ok(Err(error)) => told.tell(&format!(
                "the metrics can't be written to {}, which is tried again: {error}",
                path.display()
            )),
            Err(_) => return,
        }
        let state = (standing.state(), standing.is_pending(), standing.online());
        written.replace(state);
        let next = tokio::time::sleep(every);
        tokio::pin!(next);
        loop {
            tokio::select! {
                () = &mut next => break,
                Ok(()) = changed.changed() => break,
                _ = stop.wait_for(|stop| *stop) => return remove(&path),
                // A call that says nothing new but its time waits for the next heartbeat.
                () = looked.notified() => {
                    let now = feed.standing();
                    if written != Some((now.state(), now.is_pending(), now.online())) {
                        break;
                    }
                }
            }
        }
    }
}

/// Removes it, as what it says is over.
fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            tracing::warn!(
                "the metrics in {} can't be removed: {error}",
                path.display()
            );
        }
        _ => {}
    }
}
