//! Keys for NFC media: the device's RSA key, made when it is first needed, and what the server
//! encrypts to it.

use base64::prelude::{BASE64_STANDARD, Engine};
use rsa::PrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use zeroize::Zeroizing;

use super::{AgentError, Identity};
use crate::vault::{Change, Vault};
use crate::wire::MediumKeySet;

const PRIVATE: &str = "rsa key";
const PUBLIC: &str = "rsa public key";
/// Length of the modulus. Servers take any; every NFC library reads what was encrypted to this one.
const BITS: usize = 2048;

/// A pair of keys for NFC media, decrypted. The keys have neither `Debug` nor `Serialize`.
pub struct MediaKeys {
    /// Number of the set on the medium.
    pub public_id: i64,
    /// Slug of the organizer.
    pub organizer: String,
    /// Whether new media are written with it.
    pub active: bool,
    /// Kind of medium.
    pub media_type: String,
    /// Key that reads a medium's number.
    pub uid_key: Zeroizing<Vec<u8>>,
    /// Key from which each medium's own is derived.
    pub diversification_key: Zeroizing<Vec<u8>>,
}

/// Why media keys can't be had.
#[derive(Debug, thiserror::Error)]
pub enum MediaKeyError {
    /// No RSA key pair could be made or written.
    #[error("can't make an RSA key pair for this device")]
    Make(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The RSA key in the vault can't be read.
    #[error("the RSA key in the vault can't be read")]
    Read(#[source] rsa::pkcs8::Error),
    /// A key of the server is no Base64.
    #[error("media key set {set} of the server is not coded as Base64")]
    Coding {
        /// Number of the set.
        set: i64,
        /// Why.
        #[source]
        source: base64::DecodeError,
    },
    /// A key of the server does not decrypt.
    #[error("media key set {set} of the server was not encrypted to this device's RSA key")]
    Decrypt {
        /// Number of the set.
        set: i64,
        /// Why.
        #[source]
        source: rsa::Error,
    },
}

/// The device's RSA key, opened.
pub(super) struct MediaKey(PrivateKey);

impl MediaKey {
    /// The public half in PEM, if there is a key.
    pub(super) fn public(vault: &Vault) -> Result<Option<String>, AgentError> {
        Ok(vault.plain(PUBLIC)?)
    }

    pub(super) fn load(vault: &Vault, identity: &Identity) -> Result<Option<Self>, AgentError> {
        let Some(der) = vault.sealed(PRIVATE, &identity.context())? else {
            return Ok(None);
        };
        let key = PrivateKey::from_pkcs8_der(&der).map_err(MediaKeyError::Read)?;
        Ok(Some(Self(key)))
    }

    /// Makes a key. Takes a second or more of a handheld's processor.
    pub(super) fn make() -> Result<Self, AgentError> {
        let key = PrivateKey::new(&mut rsa::rand_core::UnwrapErr(getrandom::SysRng), BITS);
        Ok(Self(
            key.map_err(|error| MediaKeyError::Make(error.into()))?,
        ))
    }

    pub(super) fn store(&self, change: &Change<'_>, identity: &Identity) -> Result<(), AgentError> {
        let private = self.0.to_pkcs8_der();
        let private = private.map_err(|error| MediaKeyError::Make(error.into()))?;
        let public = self.0.to_public_key().to_public_key_pem(LineEnding::LF);
        let public = public.map_err(|error| MediaKeyError::Make(error.into()))?;
        change.put_sealed(PRIVATE, &identity.context(), private.as_bytes())?;
        Self::store_public(change, &public)
    }

    /// Stores the public half of a pair whose private half is held elsewhere.
    pub(super) fn store_public(change: &Change<'_>, public: &str) -> Result<(), AgentError> {
        Ok(change.put(PUBLIC, public)?)
    }

    pub(super) fn remove(change: &Change<'_>) -> Result<(), AgentError> {
        change.remove(PRIVATE)?;
        Ok(change.remove(PUBLIC)?)
    }

    /// Decrypts a pair of keys. What was encrypted to another key may come out as random bytes: the
    /// padding is checked without telling, so that no one can ask the device to decrypt for him.
    pub(super) fn decrypt(&self, set: MediumKeySet) -> Result<MediaKeys, MediaKeyError> {
        let decrypt = |coded: &str| {
            let bytes = BASE64_STANDARD
                .decode(coded)
                .map_err(|source| MediaKeyError::Coding {
                    set: set.public_id,
                    source,
                })?;
            let plain = self.0.pkcs1v15_decrypt(&bytes);
            plain
                .map(Zeroizing::new)
                .map_err(|source| MediaKeyError::Decrypt {
                    set: set.public_id,
                    source,
                })
        };
        Ok(MediaKeys {
            uid_key: decrypt(&set.uid_key)?,
            diversification_key: decrypt(&set.diversification_key)?,
            public_id: set.public_id,
            organizer: set.organizer.clone(),
            active: set.active,
            media_type: set.media_type.clone(),
        })
    }
}
