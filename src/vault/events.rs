//! What happens in the folders of a vault's files, as the kernel tells it: whoever has written, replaced or removed one
//! has it told before going on.

use std::collections::BTreeSet;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// What happens from its beginning on.
pub(super) struct Events {
    inotify: OwnedFd,
    /// How the names of files begin in which changes are prepared.
    prepared_in: String,
}

/// What has happened since it was last asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Nothing,
    /// Something that was done with one step, as a file that took another's place.
    Done,
    /// Something that may be a change which is not done yet.
    UnderWay,
}

impl Events {
    /// What happens to these files; changes to that of this name, and to those beside it, take more than one step.
    pub(super) fn of(files: &[&Path], name: &str) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let wanted = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let folders: BTreeSet<_> = files.iter().filter_map(|file| file.parent()).collect();
        for folder in folders {
            inotify::add_watch(&inotify, folder, wanted)?;
        }
        Ok(Self {
            inotify,
            prepared_in: name.to_owned(),
        })
    }

    /// Takes what has happened.
    pub(super) fn take(&self) -> News {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut news = News::Nothing;
        loop {
            match reader.next() {
                Ok(event) => {
                    let is_prepared = event.file_name().is_some_and(|name| {
                        let name = name.to_bytes();
                        name.starts_with(self.prepared_in.as_bytes())
                    });
                    let is_written = event.events().contains(ReadFlags::MODIFY) && is_prepared;
                    let is_lost = event.events().contains(ReadFlags::QUEUE_OVERFLOW);
                    if is_written || is_lost {
                        news = News::UnderWay;
                    } else if news == News::Nothing {
                        news = News::Done;
                    }
                }
                Err(Errno::AGAIN) => return news,
                Err(Errno::INTR) => {}
                Err(_) => return News::UnderWay,
            }
        }
    }
}
