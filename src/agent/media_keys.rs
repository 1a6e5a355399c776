//! Keys for NFC media: the device's RSA key, made when it is first needed, and what the server
//! encrypts to it.

use base64::prelude::{BASE64_STANDARD, Engine};
use rsa::PrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding, SecretDocument};
use zeroize::Zeroizing;

use crate::wire::MediumKeySet;

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

/// A key as it is kept.
pub(super) struct Encoded {
    /// In DER.
    pub(super) private: SecretDocument,
    /// In PEM.
    pub(super) public: String,
}

impl MediaKey {
    pub(super) fn decode(private: &[u8]) -> Result<Self, MediaKeyError> {
        let key = PrivateKey::from_pkcs8_der(private).map_err(MediaKeyError::Read)?;
        Ok(Self(key))
    }

    /// Makes a key. Takes a second or more of a handheld's processor.
    pub(super) fn make() -> Result<Self, MediaKeyError> {
        let key = PrivateKey::new(&mut rsa::rand_core::UnwrapErr(getrandom::SysRng), BITS);
        Ok(Self(
            key.map_err(|error| MediaKeyError::Make(error.into()))?,
        ))
    }

    pub(super) fn encode(&self) -> Result<Encoded, MediaKeyError> {
        let private = self.0.to_pkcs8_der();
        let public = self.0.to_public_key().to_public_key_pem(LineEnding::LF);
        Ok(Encoded {
            private: private.map_err(|error| MediaKeyError::Make(error.into()))?,
            public: public.map_err(|error| MediaKeyError::Make(error.into()))?,
        })
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
