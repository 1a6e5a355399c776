//! Who this device is, without asking the server.

use std::path::PathBuf;

use super::operation::Begun;
use super::{AgentError, Identity};
use crate::enrolment::ServerUrl;
use crate::vault::{Folder, Vault};

/// What the vault says about this device.
pub struct Status {
    /// The vault, whether there is one or not.
    pub vault: PathBuf,
    /// The state of the device.
    pub state: State,
}

/// Where a device stands.
pub enum State {
    /// It has no identity.
    NotEnrolled,
    /// It has sent an initialization token and not yet read the answer.
    Enrolling {
        /// The server the token was for.
        server: ServerUrl,
    },
    /// It has an identity and a key that can be read.
    Enrolled(Box<Identity>),
}

impl Status {
    /// Reads the vault in `folder`. Changes nothing and waits for nobody.
    pub fn read(folder: &Folder) -> Result<Self, AgentError> {
        let state = match Vault::look(folder)? {
            None => State::NotEnrolled,
            Some(vault) => match Identity::load(&vault)? {
                Some(identity) => {
                    identity.key(&vault)?;
                    State::Enrolled(Box::new(identity))
                }
                None => Begun::load(&vault)?.map_or(State::NotEnrolled, |begun| State::Enrolling {
                    server: begun.server,
                }),
            },
        };
        Ok(Self {
            vault: folder.vault_path(),
            state,
        })
    }
}
