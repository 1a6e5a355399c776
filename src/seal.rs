//! Sealing of small values at rest: XChaCha20-Poly1305 with a random nonce and a bound purpose.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Length of a [`SealingKey`] in bytes.
pub const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;

/// Why a value could not be sealed or unsealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(getrandom::Error),
    /// The value is larger than the cipher takes.
    #[error("the value is too large to be sealed")]
    TooLarge,
    /// Another key or purpose, or changed bytes: the cipher cannot tell which.
    #[error("the sealed value was made with another key or for another purpose, or was changed")]
    Mismatch,
}

/// A 256-bit key that seals values; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SealingKey([u8; KEY_LENGTH]);

impl SealingKey {
    /// A new key from the operating system's randomness.
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = [0; KEY_LENGTH];
        getrandom::fill(&mut bytes).map_err(SealError::Random)?;
        Ok(Self(bytes))
    }

    /// A key read from where it is kept.
    pub fn from_bytes(bytes: [u8; KEY_LENGTH]) -> Self {
        Self(bytes)
    }

    /// The key's bytes, for the one place that stores them.
    pub fn expose(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// Seals `plain` for `purpose`: nonce, then ciphertext and tag.
    ///
    /// The purpose is bound in as associated data: a value moved to another place does not open.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).map_err(SealError::Random)?;
        let sealed = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: purpose.as_bytes(),
                },
            )
            .map_err(|_| SealError::TooLarge)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LENGTH>()
            .ok_or(SealError::Mismatch)?;
        self.cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: purpose.as_bytes(),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| SealError::Mismatch)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_for_its_purpose_only() {
        let key = SealingKey::random().unwrap();
        let sealed = key.seal("api key", b"abc").unwrap();
        assert_eq!(*key.unseal("api key", &sealed).unwrap(), b"abc");
        assert!(matches!(
            key.unseal("other", &sealed),
            Err(SealError::Mismatch)
        ));
        let other = SealingKey::random().unwrap();
        assert!(matches!(
            other.unseal("api key", &sealed),
            Err(SealError::Mismatch)
        ));
    }

    #[test]
    fn any_changed_or_missing_byte_is_noticed() {
        let key = SealingKey::random().unwrap();
        let sealed = key.seal("p", b"value").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.unseal("p", &changed).is_err(), "byte {at}");
            assert!(key.unseal("p", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let key = SealingKey::random().unwrap();
        assert_ne!(
            key.seal("p", b"value").unwrap(),
            key.seal("p", b"value").unwrap()
        );
    }
}
