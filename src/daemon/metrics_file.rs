//! What monitoring watches, in a file for node_exporter's textfile collector.
//!
//! Written when something has changed, and at each heartbeat, so that the file's age tells whether this program still
//! runs. It goes with a clean end: what it says is not so any more then. What others wrote is neither replaced nor
//! removed.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Notify, watch};

use rustix::fs::OFlags;

use super::adjustable::Adjustable;
use super::told_once::ToldOnce;
use crate::door::{Feed, metrics_text};
use crate::public_file::{self, FileNumber};
use crate::regular_file;
use crate::vault::Folder;

/// The ending that node_exporter reads.
const ENDING: &str = "prom";
/// How all that is written here begins.
const BEGINNING: &[u8] = b"# HELP gatehand";

/// Why a file can't be the one for the metrics.
#[derive(Debug, thiserror::Error)]
pub enum MetricsFileError {
    /// Nobody would read it there.
    #[error("the file for metrics can't be {}: its name has to end with .prom", .0.display())]
    Name(PathBuf),
    /// The vault's files are there.
    #[error("the file for metrics can't be {}: it is in the vault's folder", .0.display())]
    InVault(PathBuf),
    /// A folder, a link, a pipe or a device.
    #[error("the file for metrics can't be {}: what is there is no regular file", .0.display())]
    NotRegular(PathBuf),
    /// It is somebody else's.
    #[error("the file for metrics can't be {}: what is there was not written by gatehand", .0.display())]
    NotOurs(PathBuf),
    /// What is there can't be looked at.
    #[error("the file for metrics, {}, can't be looked at", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The file for the metrics, which is ours to replace.
#[derive(Clone, Debug)]
pub struct MetricsFile(PathBuf);

impl MetricsFile {
    /// This one, with nothing there or with what was written for the same.
    pub fn new(path: &Path, folder: &Folder) -> Result<Self, MetricsFileError> {
        let unreadable = |source| MetricsFileError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let path = std::path::absolute(path).map_err(unreadable)?;
        if path.extension().is_none_or(|ending| ending != ENDING) {
            return Err(MetricsFileError::Name(path));
        }
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let vault = std::path::absolute(folder.path()).map_err(unreadable)?;
        let is_in = |place: &Path| place.starts_with(&vault) || place.starts_with(real(&vault));
        if is_in(&path) || path.parent().is_some_and(|place| is_in(&real(place))) {
            return Err(MetricsFileError::InVault(path));
        }
        is_ours(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// Sees to it that nothing is replaced that others wrote.
fn is_ours(path: &Path) -> Result<(), MetricsFileError> {
    let unreadable = |source| MetricsFileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err(MetricsFileError::NotRegular(path.to_owned())),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    }
    let file = regular_file::open_with(path, OFlags::NOFOLLOW).map_err(unreadable)?;
    let mut begins = Vec::new();
    file.take(BEGINNING.len() as u64)
        .read_to_end(&mut begins)
        .map_err(unreadable)?;
    // It is not synced, so that a power cut may have left it empty.
    let is_empty = begins.iter().all(|byte| *byte == 0);
    match is_empty || begins == BEGINNING {
        true => Ok(()),
        false => Err(MetricsFileError::NotOurs(path.to_owned())),
    }
}

/// Tells that the device was looked at.
pub(super) type Looked = Arc<Notify>;

/// Keeps the file as the feed is, until all is to stop, and removes it then.
pub(super) async fn keep(
    file: MetricsFile,
    feed: Arc<Feed>,
    settings: watch::Receiver<Arc<Adjustable>>,
    looked: Looked,
    mut stop: watch::Receiver<bool>,
) {
    let MetricsFile(path) = file;
    let mut ours = None;
    let mut told = ToldOnce::default();
    let mut changed = feed.watch();
    let mut written = None;
    loop {
        let standing = feed.standing();
        let (text, file) = (metrics_text(&standing), path.clone());
        match tokio::task::spawn_blocking(move || write(&file, &text)).await {
            Ok(Ok(written)) => {
                ours = Some(written);
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
        let next = tokio::time::sleep(settings.borrow().heartbeat);
        tokio::pin!(next);
        loop {
            tokio::select! {
                () = &mut next => break,
                Ok(()) = changed.changed() => break,
                _ = stop.wait_for(|stop| *stop) => return remove(&path, ours),
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

fn write(path: &Path, text: &str) -> io::Result<FileNumber> {
    is_ours(path).map_err(io::Error::other)?;
    public_file::write(path, text)
}

/// Removes what this process wrote, as what it says is over.
fn remove(path: &Path, ours: Option<FileNumber>) {
    let Some(ours) = ours else { return };
    if let Err(error) = public_file::remove(path, ours) {
        tracing::warn!(
            "the metrics in {} can't be removed: {error}",
            path.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    #[test]
    fn only_a_file_that_is_new_or_was_written_for_the_same_is_taken() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::at(scratch.path().join("vault")).unwrap();
        fs::create_dir(folder.path()).unwrap();
        let at = |name: &str| scratch.path().join(name);
        let looked = |name: &str| MetricsFile::new(&at(name), &folder).map(drop);
        looked("new.prom").unwrap();
        looked("none/new.prom").unwrap();
        for (name, text) in [
            ("ours.prom", "# HELP gatehand_info The"),
            ("cut.prom", ""),
            ("zeros.prom", "\0\0\0"),
        ] {
            fs::write(at(name), text).unwrap();
            looked(name).unwrap();
        }
        assert!(matches!(looked("a.txt"), Err(MetricsFileError::Name(_))));
        assert!(matches!(looked(".prom"), Err(MetricsFileError::Name(_))));
        symlink(folder.path(), at("link")).unwrap();
        for inside in ["vault/a.prom", "vault/none/a.prom", "link/a.prom"] {
            let ended = looked(inside);
            assert!(
                matches!(ended, Err(MetricsFileError::InVault(_))),
                "{inside}"
            );
        }
        symlink(at("ours.prom"), at("link.prom")).unwrap();
        fs::create_dir(at("folder.prom")).unwrap();
        mknodat(CWD, at("pipe.prom"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        for other in ["link.prom", "folder.prom", "pipe.prom"] {
            let ended = looked(other);
            assert!(
                matches!(ended, Err(MetricsFileError::NotRegular(_))),
                "{other}"
            );
        }
        fs::write(at("theirs.prom"), "# HELP node_load1").unwrap();
        assert!(matches!(
            looked("theirs.prom"),
            Err(MetricsFileError::NotOurs(_))
        ));
        assert!(write(&at("theirs.prom"), "# HELP gatehand").is_err());
    }
}
