//! What monitoring watches, in a file for node_exporter's textfile collector.
//!
//! Written when something has changed, and at each heartbeat, so that the file's age tells whether this program still
//! runs. It goes with a clean end: what it says is not so any more then.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::sync::{Notify, watch};

use super::told_once::ToldOnce;
use crate::door::{Feed, metrics_text};

/// Others read it: the collector runs as another user.
const MODE: u32 = 0o644;

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
        match tokio::task::spawn_blocking(move || write(&file, &text)).await {
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

/// Whoever reads it finds it whole. It is not synced: after a power cut nobody needs it.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    // Collectors read what ends with .prom.
    let draft = path.with_file_name(format!(".{}.new", name.to_string_lossy()));
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&draft)?;
    let written = file
        .set_permissions(Permissions::from_mode(MODE)) // whatever the umask is
        .and_then(|()| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gatehand.prom");
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "kept").unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join(".gatehand.prom.new")).unwrap();
        for text in ["one\n", "two\n"] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, MODE);
        }
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let folder_there = folder.path().join("folder.prom");
        fs::create_dir(&folder_there).unwrap();
        assert!(write(&folder_there, "one\n").is_err());
        assert!(write(&folder.path().join("none/a.prom"), "one\n").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
        remove(&path);
        remove(&path);
        assert!(!path.exists());
    }
}
