//! Keys for NFC media on their way to a device: encrypted to its RSA key.

use base64::prelude::{BASE64_STANDARD, Engine};
use rsa::PublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;

use super::store::MediumKeys;
use crate::wire::MediumKeySet;

/// Whether this is an RSA public key in PEM that keys can be encrypted to.
pub(super) fn is_public_key(pem: &str) -> bool {
    read(pem).is_some()
}

/// The two usual ways to write one: as of X.509, and as of PKCS#1.
fn read(pem: &str) -> Option<PublicKey> {
    let x509 = PublicKey::from_public_key_pem(pem).ok();
    x509.or_else(|| PublicKey::from_pkcs1_pem(pem).ok())
}

/// Encrypts each pair of keys of an organizer to a device's public key. A device whose key can't be
/// used gets none.
pub(super) fn encrypt(
    pem: &str,
    organizer: &str,
    keys: &[MediumKeys],
) -> Result<Vec<MediumKeySet>, rsa::Error> {
    let Some(device) = read(pem) else {
        return Ok(Vec::new());
    };
    let encrypt = |key: &[u8]| {
        let encrypted = device.pkcs1v15_encrypt(key)?;
        Ok::<_, rsa::Error>(BASE64_STANDARD.encode(encrypted))
    };
    let sets = keys.iter().map(|keys| {
        Ok(MediumKeySet {
            public_id: keys.public_id,
            organizer: organizer.to_owned(),
            active: keys.active,
            media_type: keys.media_type.clone(),
            uid_key: encrypt(&keys.uid_key)?,
            diversification_key: encrypt(&keys.diversification_key)?,
        })
    });
    sets.collect()
}
