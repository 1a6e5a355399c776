//! Sees that files have changed: the vault, which other commands write, and what may hold an enrolment.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use super::adjustable::Adjustable;
use super::wake::{News, Wake};
use super::{network, readiness, source};
use crate::vault::Folder;

/// The list of what is mounted; a change is told as an exception of the file.
const MOUNTS: &str = "/proc/self/mountinfo";

/// After files could not be watched.
const WATCH_AGAIN: Duration = Duration::from_secs(60);

/// Begins to watch files and network; what can't be watched is looked at by the clock alone.
pub(super) fn begin(
    tasks: &mut JoinSet<()>,
    wake: &Wake,
    folder: &Folder,
    settings: Receiver<Arc<Adjustable>>,
) {
    tasks.spawn(network::listen(wake.clone()));
    tasks.spawn(watch(wake.clone(), folder.path().to_owned(), settings));
}

async fn watch(wake: Wake, folder: PathBuf, mut settings: Receiver<Arc<Adjustable>>) {
    let mounts = mounts();
    loop {
        let mut paths = vec![folder.clone()];
        paths.extend(settings.borrow_and_update().sources.iter().cloned());
        // Anew each time: what is watched may be another folder of the same name by now.
        let seen = match folders(&paths) {
            Ok(files) => tokio::select! {
                changed = changed(&files, &paths) => changed,
                mounted = mounted(mounts.as_ref()) => mounted,
                Ok(()) = settings.changed() => Ok(()),
            },
            Err(error) => Err(error),
        };
        if let Err(error) = seen {
            tracing::info!(%error, "files are not watched for a while: they are looked at by the clock");
            tokio::time::sleep(WATCH_AGAIN).await;
        }
        wake.tell(News::Files);
    }
}

/// Watches the folders that are there now. Where one is not, the one that it will be in: it may be made, or mounted.
fn folders(paths: &[PathBuf]) -> io::Result<AsyncFd<OwnedFd>> {
    let files = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let news = WatchFlags::MODIFY
        | WatchFlags::ATTRIB
        | WatchFlags::MOVED_TO
        | WatchFlags::CREATE
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF;
    for path in paths {
        let folder = path.ancestors().find(|path| path.is_dir());
        if let Some(folder) = folder {
            let _ = inotify::add_watch(&files, folder, news);
        }
    }
    readiness::to_read(files)
}

async fn changed(files: &AsyncFd<OwnedFd>, paths: &[PathBuf]) -> io::Result<()> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    loop {
        let mut ready = files.readable().await?;
        let read = ready.try_io(|files| {
            let mut reader = inotify::Reader::new(files, &mut buffer);
            loop {
                let event = reader.next()?;
                let name = event.file_name().map(|name| name.to_string_lossy());
                if is_news(name.as_deref(), event.events(), paths) {
                    return Ok(());
                }
            }
        });
        if let Ok(read) = read {
            return read;
        }
    }
}

/// Whether it may matter: of files the vault and what may be an enrolment, of folders that one comes or goes.
/// Whoever looks into a vault makes files beside it, which would have us look again.
fn is_news(name: Option<&str>, events: ReadFlags, paths: &[PathBuf]) -> bool {
    let Some(name) = name else {
        return !events.contains(ReadFlags::ATTRIB);
    };
    let is_named = |path: &PathBuf| path.components().any(|part| part.as_os_str() == name);
    match name {
        "vault.db" | "vault.db-wal" => events.intersects(ReadFlags::MODIFY | ReadFlags::MOVED_TO),
        name => source::is_usual_name(name) || paths.iter().any(is_named),
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
