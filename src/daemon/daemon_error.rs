//! Why the agent of a kiosk can't run.

use std::io;
use std::path::PathBuf;

use crate::door::DoorError;
use crate::serving::ListenError;
use crate::vault::VaultError;

/// Why the agent of a kiosk can't run.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another one does.
    #[error("another gatehand run has {}", folder.display())]
    Running {
        /// The vault's folder.
        folder: PathBuf,
    },
    /// Its lock can't be made.
    #[error("can't lock {}", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The vault's folder can't be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A door can't be opened.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// What a service manager passed is no socket for a door.
    #[error(transparent)]
    Passed(#[from] ListenError),
    /// There is no door for the socket that was passed.
    #[error("a service manager passed a socket, and no door is set up for it")]
    PassedForNothing,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[from] getrandom::Error),
}
