//! A device that moves to other hardware: what its vault holds of it, as one document.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::device::{Device, Newcomer};
use super::error::RecordError;
use super::identity::Identity;
use super::key_sets::KeySets;
use super::media_key;
use super::replaced::ToRevoke;
use crate::agent::client::Trust;
use crate::secret::{self, Secret};
use crate::vault::{Change, Vault};

/// A device, with all that another machine needs to be it. Whoever has it in the clear has the device.
#[derive(Serialize, Deserialize)]
pub struct MovedDevice {
    /// Who it is.
    identity: Identity,
    #[serde(serialize_with = "secret::expose")]
    key: Secret,
    #[serde(default)]
    trust: Trust,
    #[serde(default)]
    media_key: Option<MovedMediaKey>,
    #[serde(default)]
    media_key_sets: Option<KeySets>,
    /// Devices that are to be revoked by this one.
    #[serde(default)]
    to_revoke: Vec<ToRevoke>,
}

#[derive(Serialize, Deserialize)]
struct MovedMediaKey {
    /// In PEM.
    public: String,
    /// Base64 of its DER form, if it is not held elsewhere.
    #[serde(serialize_with = "secret::expose_option")]
    private: Option<Secret>,
    /// The name under which it is held elsewhere.
    held_as: Option<String>,
}

impl MovedDevice {
    /// The device that is in the vault.
    pub(in crate::agent) fn of(
        vault: &Vault,
        device: &Device,
        identity: &Identity,
    ) -> Result<Self, RecordError> {
        let media_key = match media_key::public(vault)? {
            Some(public) => Some(MovedMediaKey {
                public,
                private: media_key::private(vault, identity)?
                    .map(|der| Secret::new(STANDARD.encode(&*der))),
                held_as: media_key::held_as(vault, identity)?,
            }),
            None => None,
        };
        Ok(Self {
            key: identity.key(vault)?,
            trust: device.trust.clone(),
            media_key,
            media_key_sets: KeySets::load(vault, identity)?,
            to_revoke: ToRevoke::all(vault)?,
            identity: identity.clone(),
        })
    }

    /// The document of it.
    pub fn document(&self) -> serde_json::Result<Zeroizing<Vec<u8>>> {
        serde_json::to_vec(self).map(Zeroizing::new)
    }

    /// The device of a document; nothing if it is none.
    pub fn read(document: &[u8]) -> Option<Self> {
        serde_json::from_slice(document).ok()
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(in crate::agent) fn key(&self) -> &Secret {
        &self.key
    }

    pub(in crate::agent) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Devices that are to be revoked by this one, and are not it.
    pub(in crate::agent) fn take_to_revoke(&mut self) -> Vec<ToRevoke> {
        std::mem::take(&mut self.to_revoke)
    }

    /// As it is on the machine that it comes to, which has not reported what it is.
    pub(in crate::agent) fn arrived(&self) -> Identity {
        Identity {
            reported: None,
            reported_at: None,
            refused_report: None,
            ..self.identity.clone()
        }
    }

    /// Stores the rest of what belongs to the identity, which is in the vault by now.
    pub(in crate::agent) fn store_rest(
        &self,
        change: &Change<'_>,
        new: Newcomer<'_>,
    ) -> Result<(), RecordError> {
        if let Some(MovedMediaKey {
            public,
            private,
            held_as,
        }) = &self.media_key
        {
            let private = private
                .as_ref()
                .and_then(|private| STANDARD.decode(private.expose()).ok().map(Zeroizing::new));
            match (private, held_as) {
                (Some(private), _) => media_key::store(change, new.identity, &private, public)?,
                (None, Some(name)) => media_key::store_held(change, new.identity, name, public)?,
                (None, None) => media_key::store_public(change, public)?,
            }
        }
        match &self.media_key_sets {
            Some(sets) => sets.store(change, new.identity),
            None => Ok(()),
        }
    }
}
