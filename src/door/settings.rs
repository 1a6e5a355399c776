//! How a door is set up.

use std::path::PathBuf;

use super::allowed::Allowed;
use super::caller::Caller;

/// How a door is set up.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// The file of its Unix socket.
    pub socket: PathBuf,
    /// The mode of that file.
    pub mode: u32,
    /// Whose group may connect besides the owner, by name; the process' own without.
    pub group: Option<String>,
    /// What may pass.
    pub allowed: Allowed,
    /// Who may come over TCP, if anyone may.
    pub caller: Option<Caller>,
}
