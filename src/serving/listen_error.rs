//! Why an address can't be listened on.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The IP address or port can't be had.
    #[error("can't listen on {address}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// What failed.
        source: io::Error,
    },
    /// The Unix socket can't be made.
    #[error("can't listen on unix:{}", path.display())]
    Unix {
        /// The socket's path.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// Another process listens there.
    #[error("can't listen on unix:{}: another process does", path.display())]
    InUse {
        /// The socket's path.
        path: PathBuf,
    },
    /// There is something else.
    #[error(
        "can't listen on unix:{}: there is a file that is no socket; name another path, or remove it",
        path.display()
    )]
    NoSocket {
        /// The socket's path.
        path: PathBuf,
    },
    /// What was passed is no socket that can be served.
    #[error(
        "the socket that the service manager passed can't be used: it must be a listening stream"
    )]
    Passed(#[source] io::Error),
    /// More than one was passed.
    #[error("{0} sockets were passed by the service manager, and one is served: pass one")]
    Several(usize),
}

impl ListenError {
    /// What to do about it, where the words don't say it.
    pub fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Tcp { source, .. } => match source.kind() {
                ErrorKind::AddrInUse => Some(
                    "end the program that has this port, or give another address with --listen",
                ),
                ErrorKind::AddrNotAvailable => Some(
                    "give an address of this machine with --listen, or 0.0.0.0 for all of them",
                ),
                ErrorKind::PermissionDenied => Some(
                    "give a port above 1023 with --listen, or have the service manager pass the socket",
                ),
                _ => None,
            },
            Self::Unix { source, .. } => match source.kind() {
                ErrorKind::NotFound => Some("make the socket's folder first"),
                ErrorKind::PermissionDenied => {
                    Some("have the socket's folder belong to whoever runs the server")
                }
                _ => None,
            },
            Self::InUse { .. } => Some("end that process, or give another path with --listen"),
            Self::NoSocket { .. } | Self::Passed(_) | Self::Several(_) => None,
        }
    }
}
