//! Keys for NFC media: the device's RSA key, made when it is first needed or given by who had it before,
//! and what the server encrypts to it.

use base64::prelude::{BASE64_STANDARD, Engine};
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding,
    SecretDocument,
};
use rsa::{PrivateKey, PublicKey};
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

/// An RSA key that another app had for this device's NFC media, and has reported: the server takes no other.
#[derive(Clone)]
pub struct GivenMediaKey {
    /// In DER.
    public: Vec<u8>,
    pub(super) private: PrivateHalf,
}

/// Where the private half of a key is.
#[derive(Clone)]
pub(super) enum PrivateHalf {
    /// Here, in DER.
    Here(SecretDocument),
    /// In a store of keys, as Android's Keystore, under this name.
    Held(String),
}

/// Why media keys can't be had.
#[derive(Debug, thiserror::Error)]
pub enum MediaKeyError {
    /// What was given is no private key.
    #[error("this is no RSA private key of 1024 to 8192 bits in PEM form")]
    GivenPrivate,
    /// A private key was given that only its passphrase opens.
    #[error("this RSA private key is encrypted with a passphrase: decrypt it first")]
    GivenEncrypted,
    /// What was given is no public key.
    #[error("this is no RSA public key of 1024 to 8192 bits in PEM form")]
    GivenPublic,
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

impl GivenMediaKey {
    /// A private key in PEM, of PKCS#8 or PKCS#1, whatever stands around it and however its lines are broken.
    pub fn from_pem(pem: &str) -> Result<Self, MediaKeyError> {
        if pem.contains("ENCRYPTED") {
            return Err(MediaKeyError::GivenEncrypted);
        }
        let pkcs8 = der(pem, "PRIVATE KEY").map(Zeroizing::new);
        let pkcs1 = der(pem, "RSA PRIVATE KEY").map(Zeroizing::new);
        let key = pkcs8
            .and_then(|der| PrivateKey::from_pkcs8_der(&der).ok())
            .or_else(|| pkcs1.and_then(|der| PrivateKey::from_pkcs1_der(&der).ok()))
            .ok_or(MediaKeyError::GivenPrivate)?;
        let Encoded { private, public } = MediaKey(key).encode()?;
        Ok(Self {
            public: usable(&public).ok_or(MediaKeyError::GivenPrivate)?,
            private: PrivateHalf::Here(private),
        })
    }

    /// A pair in a store of keys that knows it by `name`; its public half in PEM.
    pub fn held(name: String, public: &str) -> Result<Self, MediaKeyError> {
        Ok(Self {
            public: usable(public).ok_or(MediaKeyError::GivenPublic)?,
            private: PrivateHalf::Held(name),
        })
    }

    /// The public half in PEM, in every form in which apps are known to write it. A server that compares
    /// texts takes none but the one that was reported.
    pub(super) fn texts(&self) -> [String; 3] {
        let coded = BASE64_STANDARD.encode(&self.public);
        // As Android's Base64 breaks lines, as others do, and not at all.
        [76, 64, coded.len()].map(|width| {
            let mut text = "-----BEGIN PUBLIC KEY-----\n".to_owned();
            for (index, letter) in coded.chars().enumerate() {
                if index > 0 && index % width == 0 {
                    text.push('\n');
                }
                text.push(letter);
            }
            text + "\n-----END PUBLIC KEY-----\n"
        })
    }
}

/// Whether two texts in PEM are the same public key, however their lines are broken.
pub(super) fn is_same_key(one: &str, other: &str) -> bool {
    one == other || public(one).is_some_and(|one| Some(one) == public(other))
}

/// The key in DER, if it is of a length that servers take.
fn usable(pem: &str) -> Option<Vec<u8>> {
    public(pem).filter(|der| PublicKey::from_public_key_der(der).is_ok())
}

fn public(pem: &str) -> Option<Vec<u8>> {
    der(pem, "PUBLIC KEY")
}

/// What a block of PEM holds.
fn der(pem: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    BASE64_STANDARD.decode(body.as_bytes()).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_key_is_read_however_an_app_has_written_it() {
        let made = MediaKey::make().unwrap().encode().unwrap();
        let body = BASE64_STANDARD.encode(made.private.as_bytes());
        let block =
            |body: &str| format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----");
        let as_android = body
            .as_bytes()
            .chunks(76)
            .map(|line| str::from_utf8(line).unwrap())
            .collect::<Vec<_>>()
            .join("\r\n");
        for pem in [
            block(&body),
            block(&as_android),
            format!("\u{feff}{}", block(&body)),
            format!("{}{}\n", made.public, block(&body)),
        ] {
            let given = GivenMediaKey::from_pem(&pem).ok().unwrap();
            assert!(
                given
                    .texts()
                    .iter()
                    .all(|text| is_same_key(text, &made.public))
            );
        }
        let cut = &body[..body.len() / 2];
        for none in [block(cut), made.public, String::new()] {
            assert!(matches!(
                GivenMediaKey::from_pem(&none),
                Err(MediaKeyError::GivenPrivate)
            ));
        }
    }
}
