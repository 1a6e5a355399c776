//! Descriptors that the runtime waits for.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor that is ready when there is something to read.
pub(super) fn to_read(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    #[allow(
        unsafe_code,
        reason = "tokio has no safe way for types that it does not know"
    )]
    // SAFETY: an owned descriptor is the same until it is dropped.
    let registered = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(registered?)
}

/// A file that is ready when the kernel has something exceptional to tell of it.
pub(super) fn to_except(file: File) -> io::Result<AsyncFd<File>> {
    #[allow(
        unsafe_code,
        reason = "tokio has no safe way for types that it does not know"
    )]
    // SAFETY: a file's descriptor is the same until it is dropped.
    let registered = unsafe { AsyncFd::register_with_interest(file, Interest::PRIORITY) };
    Ok(registered?)
}
