//! The key sets for NFC media that the server told last, encrypted to the device's RSA key as they came,
//! and sealed besides: for a gate whose server is away.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::error::RecordError;
use super::identity::Identity;
use super::{entry, media_key};
use crate::vault::{Change, Vault, VaultError};
use crate::wire::MediumKeySet;

pub(super) const ENTRY: &str = "media key sets";

/// How much older than they are kept sets may seem: to say that they are still the same is worth no write each time.
const PRECISION: SignedDuration = SignedDuration::from_mins(1);

#[derive(Serialize, Deserialize)]
pub(in crate::agent) struct KeySets {
    /// When the server told them, by this device's clock.
    pub(in crate::agent) as_of: Timestamp,
    /// The public key that they are encrypted to, in PEM.
    pub(in crate::agent) rsa_pubkey: String,
    pub(in crate::agent) sets: Vec<MediumKeySet>,
}

impl KeySets {
    /// What is kept of this identity. An entry that does not open is that of another one, and one of another form
    /// a later version's: neither is worth an error, as the server has it all.
    pub(in crate::agent) fn load(
        vault: &Vault,
        identity: &Identity,
    ) -> Result<Option<Self>, RecordError> {
        match entry::sealed(vault, ENTRY, &identity.context()) {
            Err(RecordError::Vault(VaultError::Seal { .. }) | RecordError::Entry { .. }) => {
                Ok(None)
            }
            sets => sets,
        }
    }

    /// Whether `kept` says the same, within the precision that matters.
    pub(in crate::agent) fn is_kept_as(&self, kept: &Self) -> bool {
        self.sets == kept.sets
            && self.rsa_pubkey == kept.rsa_pubkey
            && self.as_of.duration_since(kept.as_of).abs() < PRECISION
    }

    /// Seals them in place of those that were kept, unless the device or its RSA key is another one by now.
    pub(in crate::agent) fn store(
        &self,
        change: &Change<'_>,
        identity: &Identity,
    ) -> Result<(), RecordError> {
        let is_current = identity.is_in(change)?
            && media_key::public_now(change)?.as_deref() == Some(self.rsa_pubkey.as_str());
        match is_current {
            true => entry::seal(change, ENTRY, &identity.context(), self),
            false => Ok(()),
        }
    }
}

pub(in crate::agent) fn remove(change: &Change<'_>) -> Result<(), RecordError> {
    Ok(change.remove(ENTRY)?)
}
