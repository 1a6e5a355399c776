//! Why a door can't be opened.

use std::io;
use std::path::PathBuf;

use crate::serving::ListenError;

/// Why a door can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Its socket can't be made.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Whoever reaches the port could come in.
    #[error(
        "the socket that was passed is {0}: a door takes a Unix socket only, and a port of its own with secret_file"
    )]
    PassedPort(String),
    /// There is no group of this name.
    #[error("there is no group {0}, whose programs may come through the door")]
    NoGroup(String),
    /// The groups can't be read.
    #[error("can't look up the group {group}")]
    Groups {
        /// The group.
        group: String,
        /// Why not.
        source: io::Error,
    },
    /// The socket's file can't be given to a group.
    #[error("can't give {} to the group {group}: the user that gatehand runs as has to be one of it", path.display())]
    Give {
        /// The socket.
        path: PathBuf,
        /// The group.
        group: String,
        /// Why not.
        source: io::Error,
    },
    /// Others could put another socket in its place.
    #[error("{} is in a folder that anyone may write to: programs could be led to another door", path.display())]
    Folder {
        /// The socket.
        path: PathBuf,
    },
}
