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
    /// Who the device is, if it is enrolled and its key can be read.
    pub identity: Option<Identity>,
    /// The server to which an initialization token was sent whose answer was not read yet.
    pub unfinished: Option<ServerUrl>,
}

impl Status {
    /// Reads the vault in `folder`. Changes nothing and waits for nobody.
    pub fn read(folder: &Folder) -> Result<Self, AgentError> {
        let vault = folder.vault_path();
        let Some(open) = Vault::look(folder)? else {
            return Ok(Self {
                vault,
                identity: None,
                unfinished: None,
            });
        };
        let identity = Identity::load(&open)?;
        if let Some(identity) = &identity {
            identity.key(&open)?;
        }
        let unfinished = Begun::load(&open)?.map(|begun| begun.server);
        Ok(Self {
            vault,
            identity,
            unfinished,
        })
    }
}
