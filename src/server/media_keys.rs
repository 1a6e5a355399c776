//! Keys for NFC media on their way to a device: encrypted to its RSA key.

use base64::prelude::{BASE64_STANDARD, Engine};
use rsa::PublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;

use crate::server::model::MediumKeys;
use crate::wire::MediumKeySet;

/// Whether this is an RSA public key in PEM that keys can be encrypted to.
pub(super) fn is_public_key(pem: &str) -> bool {
    read(pem).is_some()
}

/// The two usual ways to write one: as of X.509, and as of PKCS#1. Lines may have any length, since
/// Android wraps at 76 characters and others not at all.
fn read(pem: &str) -> Option<PublicKey> {
    let body = |label: &str| {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        let body: String = body.split_ascii_whitespace().collect();
        BASE64_STANDARD.decode(body).ok()
    };
    match body("PUBLIC KEY") {
        Some(der) => PublicKey::from_public_key_der(&der).ok(),
        None => PublicKey::from_pkcs1_der(&body("RSA PUBLIC KEY")?).ok(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_are_read() {
        use rsa::pkcs8::{EncodePublicKey, LineEnding};
        let private = rsa::PrivateKey::new(&mut rsa::rand_core::UnwrapErr(getrandom::SysRng), 2048);
        let pem = private
            .unwrap()
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for width in [64, 76, body.len()] {
            for end in ["\n", "\r\n"] {
                let lines: Vec<&str> = body
                    .as_bytes()
                    .chunks(width)
                    .map(|line| std::str::from_utf8(line).unwrap())
                    .collect();
                let body = lines.join(end);
                let pem =
                    format!("-----BEGIN PUBLIC KEY-----{end}{body}{end}-----END PUBLIC KEY-----");
                assert!(is_public_key(&pem), "{width} {end:?}");
            }
        }
        assert!(!is_public_key("nope") && !is_public_key(&body));
    }
}
