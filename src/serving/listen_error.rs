//! Why an address can't be listened on.

use std::io;
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
