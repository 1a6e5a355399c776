//! The vault gets a new key, in another home or in the same.

use std::path::Path;

use crate::agent::error::AgentError;
use crate::agent::record::{Device, Identity, MAY_BE_LEFT};
use crate::vault::{self, Folder, KeyStore, NewHome, Recovery, Rekey, Vault, lock};

/// Where a vault's new key is to live.
pub struct NewKey<'a> {
    /// The home.
    pub to: NewHome,
    /// The file of the credential, and who makes and opens it.
    pub credential: (&'a Path, &'a dyn KeyStore),
    /// Whether a credential that can't be opened any more gives way.
    pub replaces_unreadable: bool,
    /// Whether the home was asked for by name.
    pub is_home_named: bool,
    /// What becomes of the recovery file.
    pub recovery: Recovery<'a>,
}

/// Gives the vault in `folder` a new key. If it fails, the vault opens as before.
pub fn rekey(folder: &Folder, new: NewKey<'_>) -> Result<(), AgentError> {
    let lock = lock(folder)?;
    let mut vault = Vault::open(folder)?;
    let device = Device::load(&vault)?;
    let identities = device.identity.iter();
    let contexts: Vec<String> = identities.map(Identity::context).collect();
    vault::rekey(
        &mut vault,
        &lock,
        &Rekey {
            to: new.to,
            credential: Some(new.credential),
            replaces_unreadable: new.replaces_unreadable,
            is_home_named: new.is_home_named,
            recovery: new.recovery,
            contexts: &contexts,
            may_be_left: &MAY_BE_LEFT,
        },
    )?;
    Ok(())
}
