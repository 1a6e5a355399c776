//! Sees that files have changed: the vault, which other commands write, and what may hold an enrolment.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinSet;

use super::wake::{News, Wake};
use super::{network, readiness};
use crate::vault::Folder;

/// The list of what is mounted; a change is told as an exception of the file.
const MOUNTS: &str = "/proc/self/mountinfo";

/// Begins to watch files and network; what can't be watched is looked at by the clock alone.
pub(super) fn begin(tasks: &mut JoinSet<()>, wake: &Wake, folder: &Folder, sources: &[PathBuf]) {
    tasks.spawn(network::listen(wake.clone()));
    let mut paths = vec![folder.path().to_owned()];
    paths.extend(sources.iter().cloned());
    tasks.spawn(watch(wake.clone(), paths));
}

async fn watch(wake: Wake, paths: Vec<PathBuf>) {
    let mounts = mounts();
    loop {
        let ended = match folders(&paths) {
            Ok(files) => tokio::select! {
                changed = changed(&files) => changed,
                mounted = mounted(mounts.as_ref()) => mounted,
            },
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::info!(%error, "files are not watched: they are looked at by the clock alone");
            return;
        }
        wake.tell(News::Files);
    }
}

/// Watches the folders that are there now: a stick that is put in brings others.
fn folders(paths: &[PathBuf]) -> io::Result<AsyncFd<OwnedFd>> {
    let files = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let news = WatchFlags::MODIFY | WatchFlags::MOVED_TO | WatchFlags::CREATE;
    for path in paths {
        let folder = match path.is_dir() {
            true => Some(path.as_path()),
            false => path.parent().filter(|folder| *folder != Path::new("")),
        };
        if let Some(folder) = folder {
            // What is not there yet is seen when it is mounted or made, or by the clock.
            let _ = inotify::add_watch(&files, folder, news);
        }
    }
    readiness::to_read(files)
}

async fn changed(files: &AsyncFd<OwnedFd>) -> io::Result<()> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    loop {
        let mut ready = files.readable().await?;
        let read = ready.try_io(|files| {
            let mut reader = inotify::Reader::new(files, &mut buffer);
            loop {
                let event = reader.next()?;
                let name = event.file_name().map(|name| name.to_string_lossy());
                if is_news(name.as_deref(), event.events()) {
                    return Ok(());
                }
            }
        });
        if let Ok(read) = read {
            return read;
        }
    }
}

/// Whether it may matter. Whoever looks into a vault makes files beside it, which would have us look again.
fn is_news(name: Option<&str>, events: ReadFlags) -> bool {
    match name {
        Some("vault.db" | "vault.db-wal") => events.contains(ReadFlags::MODIFY),
        Some(name) => !name.starts_with("vault.") && !name.ends_with(".lock"),
        None => false,
    }
}

fn mounts() -> Option<AsyncFd<std::fs::File>> {
    let file = std::fs::File::open(MOUNTS).ok()?;
    readiness::to_except(file).ok()
}

async fn mounted(mounts: Option<&AsyncFd<std::fs::File>>) -> io::Result<()> {
    let Some(mounts) = mounts else {
        return std::future::pending().await;
    };
    mounts.ready(Interest::PRIORITY).await?.clear_ready();
    Ok(())
}
