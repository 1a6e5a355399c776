//! Whom a device trusts, kept with its identity.

use super::entry;
use super::error::RecordError;
use super::identity::Identity;
use crate::agent::client::Trust;
use crate::vault::{Change, Vault, VaultError};

pub(super) const ENTRY: &str = "trust";

/// What is kept with this identity. An entry that does not open is that of another one, which an
/// older version has left: without it less is trusted, never more.
pub(super) fn load(vault: &Vault, identity: &Identity) -> Result<Trust, RecordError> {
    match entry::sealed(vault, ENTRY, &identity.context()) {
        Err(RecordError::Vault(VaultError::Seal { .. })) => Ok(Trust::default()),
        trust => Ok(trust?.unwrap_or_default()),
    }
}

/// Sealed like the key, so that whoever can write into the file adds nobody who is trusted.
pub(in crate::agent) fn store(
    trust: &Trust,
    change: &Change<'_>,
    identity: &Identity,
) -> Result<(), RecordError> {
    match trust.is_built_in_only() {
        true => Ok(change.remove(ENTRY)?),
        false => entry::seal(change, ENTRY, &identity.context(), trust),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Folder;
    use crate::wire::DeviceIdentity;

    fn identity(serial: &str) -> Identity {
        let device = serde_json::json!({
            "organizer": "bigevents", "device_id": 7, "unique_serial": serial, "api_token": "k",
            "name": "Lane 7", "security_profile": "full", "gate": null,
        });
        let device: DeviceIdentity = serde_json::from_value(device).unwrap();
        Identity::new("https://tickets.example".parse().unwrap(), device)
    }

    #[test]
    fn an_entry_of_another_identity_or_none_means_the_built_in_ones() {
        let scratch = tempfile::tempdir().unwrap();
        let mut vault = Vault::open(&Folder::at(scratch.path().join("vault")).unwrap()).unwrap();
        let (this, other) = (identity("ABCDEFGH12345678"), identity("OTHERONE12345678"));
        assert_eq!(load(&vault, &this).unwrap(), Trust::default());
        let trust = serde_json::json!({"certificates": ["AAH+/w=="], "system": true});
        let trust: Trust = serde_json::from_value(trust).unwrap();
        assert_eq!(trust.own_authorities().len(), 1);
        vault.change(|change| store(&trust, change, &this)).unwrap();
        assert_eq!(load(&vault, &this).unwrap(), trust);
        assert_eq!(load(&vault, &other).unwrap(), Trust::default());
        let nothing = Trust::default();
        vault
            .change(|change| store(&nothing, change, &this))
            .unwrap();
        assert!(!vault.has_sealed(ENTRY).unwrap());
    }
}
