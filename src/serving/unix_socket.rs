//! The file of a Unix socket: who may connect, and whose it is.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind as bind_to, connect, listen,
    socket_with,
};

use super::listen_error::ListenError;
use crate::private_file::PRIVATE_FILE;

/// Connections that wait to be accepted; the system may allow fewer.
const BACKLOG: i32 = 1024;

/// The file of a socket that is listened on; removed when dropped, if it is still the same.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// Held as long as the socket is: whoever has it may take the file for a dead one's.
    _lock: File,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = |found: fs::Metadata| (found.dev(), found.ino()) == self.identity;
        if fs::symlink_metadata(&self.path).is_ok_and(is_ours) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a socket's file and listens on it.
pub(super) fn bind(path: &Path, mode: u32) -> Result<(UnixListener, SocketFile), ListenError> {
    let failed = |source: io::Error| ListenError::Unix {
        path: path.to_owned(),
        source,
    };
    let in_use = || ListenError::InUse {
        path: path.to_owned(),
    };
    let lock = open_lock(path).map_err(failed)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(in_use()),
        Err(error) => return Err(failed(error.into())),
    }
    let address = SocketAddrUnix::new(path).map_err(|error| failed(error.into()))?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NoSocket {
                path: path.to_owned(),
            });
        }
        Ok(_) => match connect(stream().map_err(failed)?, &address) {
            // A process that was killed left it behind.
            Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(failed)?,
            // It listens, though it may have no room at this moment.
            Ok(()) | Err(Errno::AGAIN) => return Err(in_use()),
            Err(error) => return Err(failed(error.into())),
        },
    }
    let (socket, identity) = make(path, &address, mode).map_err(failed)?;
    let file = SocketFile {
        path: path.to_owned(),
        identity,
        _lock: lock,
    };
    Ok((UnixListener::from(socket), file))
}

/// Opens the file beside a socket under whose lock the socket is made and used.
fn open_lock(path: &Path) -> io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(PRIVATE_FILE)
        .custom_flags(flags.cast_signed())
        .open(name)
}

fn stream() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        flags,
        None,
    )?)
}

fn make(path: &Path, address: &SocketAddrUnix, mode: u32) -> io::Result<(OwnedFd, (u64, u64))> {
    let socket = stream()?;
    // The file that `bind` makes has the socket's mode, less what the umask takes; that is given back.
    fchmod(socket.as_fd(), Mode::from_raw_mode(mode))?;
    bind_to(&socket, address)?;
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    listen(&socket, BACKLOG)?;
    let found = fs::symlink_metadata(path)?;
    Ok((socket, (found.dev(), found.ino())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::thread;

    use super::*;

    #[test]
    fn of_many_that_find_a_dead_socket_one_replaces_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        for _ in 0..20 {
            drop(UnixListener::bind(&path).unwrap());
            let bound: Vec<_> = thread::scope(|scope| {
                let threads = [(); 8].map(|()| scope.spawn(|| bind(&path, 0o600)));
                threads.map(|thread| thread.join().unwrap()).into()
            });
            let refused = bound.iter().filter_map(|bound| bound.as_ref().err());
            assert!(
                refused
                    .clone()
                    .all(|error| matches!(error, ListenError::InUse { .. }))
            );
            assert_eq!(refused.count(), 7);
            UnixStream::connect(&path).unwrap();
            drop(bound);
            assert!(!path.exists());
        }
    }
}
