//! Who this device is, without asking the server.

use std::path::PathBuf;

use jiff::Timestamp;

#[cfg(feature = "cli")]
use super::binding::{Bound, Kinship, OwnHardware};
use super::client::Trust;
use super::error::AgentError;
use super::record::{Device, Identity, Lost, Revoker, ToRevoke};
use super::state::{Operation, State};
use crate::enrolment::ServerUrl;
use crate::vault::{Folder, Vault};

/// What the vault says about this device.
pub struct Status {
    /// The vault, whether there is one or not.
    pub vault: PathBuf,
    /// How the device stands with its server.
    pub state: State,
    /// Since when, if that is not since the enrolment.
    pub since: Option<Timestamp>,
    /// Who the device is or was.
    pub identity: Option<Identity>,
    /// Whom the device trusts at its server.
    pub trust: Trust,
    /// The operation that was begun and not finished.
    pub pending: Option<Operation>,
    /// The enrolment whose token was sent and whose answer was not read yet.
    pub unfinished: Option<UnfinishedEnrolment>,
    /// The operation whose answer was lost.
    pub lost: Option<Lost>,
    /// Who ended the device's access, if it has ended.
    pub revoked_by: Option<Revoker>,
    /// Devices that were here before and are still to be revoked.
    pub to_revoke: Vec<Identity>,
    /// The hardware that the vault is bound to.
    #[cfg(feature = "cli")]
    pub(crate) hardware: Option<Bound>,
    /// Whether a move of the vault to another key was cut short.
    #[cfg(feature = "cli")]
    pub has_unfinished_move: bool,
    /// Why the device can make no calls, if it can't.
    pub hindrance: Option<AgentError>,
}

/// An enrolment that was begun and not finished.
pub struct UnfinishedEnrolment {
    /// The server to which the initialization token was sent.
    pub server: ServerUrl,
    /// Whom the device trusts there.
    pub trust: Trust,
}

impl Status {
    /// The same of a device that its server has just told to be this one, with a key that works.
    pub fn confirmed(self, identity: Identity) -> Self {
        let is_news = self.state != State::Enrolled;
        Self {
            state: State::Enrolled,
            since: self.since.filter(|_| !is_news),
            lost: None,
            revoked_by: None,
            hindrance: None,
            identity: Some(identity),
            ..self
        }
    }

    /// How the vault stands to the hardware that this is.
    #[cfg(feature = "cli")]
    pub fn kinship(&self, own: &OwnHardware) -> Kinship {
        own.kinship(self.hardware.as_ref())
    }

    /// Reads the vault in `folder`. Changes nothing and waits for nobody.
    pub fn read(folder: &Folder) -> Result<Self, AgentError> {
        let open = Vault::look(folder)?;
        let device = match &open {
            Some(vault) => Device::load(vault)?,
            None => Device::none(),
        };
        // An identity whose key does not open is none.
        if let (Some(vault), Some(identity), true) = (&open, &device.identity, device.has_key()) {
            identity.key(vault)?;
        }
        let situation = device.situation();
        let is_usable = matches!(situation.state(), State::Enrolled | State::Rejected);
        Ok(Self {
            vault: folder.vault_path(),
            state: situation.state(),
            hindrance: (!is_usable).then(|| AgentError::unusable(&device)),
            since: device.standing.since,
            pending: situation.unfinished(),
            unfinished: device.enrolment.map(|begun| UnfinishedEnrolment {
                server: begun.server.clone(),
                trust: begun.trust.clone(),
            }),
            lost: device.standing.lost,
            revoked_by: device.standing.revoked_by,
            to_revoke: match &open {
                Some(vault) => {
                    let all = ToRevoke::all(vault)?;
                    all.into_iter().map(|old| old.identity).collect()
                }
                None => Vec::new(),
            },
            trust: device.trust,
            #[cfg(feature = "cli")]
            hardware: device.hardware,
            #[cfg(feature = "cli")]
            has_unfinished_move: match &open {
                Some(vault) => crate::vault::has_unfinished_move(vault)?,
                None => false,
            },
            identity: device.identity,
        })
    }
}
