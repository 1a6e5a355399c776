//! What the installation's secret protects: keys derived from it, each for one use.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::seal::{KEY_LENGTH, SealError, SealingKey};
use crate::secret::Secret;

/// The keys of an installation. The database alone, without the secret they come from, reveals no
/// token and no kept answer.
pub struct InstallationKeys {
    token_lookup: LookupKey,
    sealing: SealingKey,
    kept_answers: LookupKey,
    check: [u8; KEY_LENGTH],
}

/// As long as a block of the hash, which is what HMAC works with.
#[derive(Zeroize, ZeroizeOnDrop)]
struct LookupKey([u8; 64]);

/// What must be the same for a kept answer to be repeated.
pub struct RetryScope<'a> {
    /// The `Authorization` header; empty without one.
    pub authorization: &'a [u8],
    /// The initialization token in the body of a caller without `Authorization`.
    pub token: &'a [u8],
    /// The idempotency key.
    pub key: &'a [u8],
}

/// What the database knows of an API key or team token.
pub type KeyHash = [u8; 32];

/// Names a kept answer without telling who keeps it.
pub type KeptId = [u8; 32];

impl InstallationKeys {
    /// Derives the keys from the installation's secret.
    pub fn derive(secret: &[u8; KEY_LENGTH]) -> Self {
        const SALT: &[u8] = b"gatehand installation";
        Self {
            token_lookup: LookupKey(*derive(SALT, secret, "initialization token look-up")),
            sealing: SealingKey::from_bytes(*derive(SALT, secret, "sealed columns")),
            kept_answers: LookupKey(*derive(SALT, secret, "kept answers")),
            check: *derive(SALT, secret, "check value"),
        }
    }

    /// Stored in the database, so that another secret is noticed; tells nothing about the others.
    pub(super) fn check(&self) -> [u8; KEY_LENGTH] {
        self.check
    }

    /// By which the database finds an initialization token.
    pub(super) fn token_lookup(&self, token: &Secret) -> [u8; 32] {
        authenticate(&self.token_lookup, &[token.expose().as_bytes()])
    }

    /// Seals a value for one column of one row.
    pub(super) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.sealing.seal(purpose, plain)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    pub(super) fn unseal(
        &self,
        purpose: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.sealing.unseal(purpose, sealed)
    }

    /// Where the answer to a retry is kept, and the key it is sealed under: made from what only the
    /// retrying caller knows, so that even with the secret a stolen database does not tell it.
    pub(super) fn kept_answer(&self, scope: &RetryScope<'_>) -> (KeptId, SealingKey) {
        let parts = [scope.authorization, scope.token, scope.key];
        let id = authenticate(&self.kept_answers, &parts);
        let mut known = Zeroizing::new(Vec::new());
        for part in parts {
            known.extend((part.len() as u64).to_le_bytes());
            known.extend(part);
        }
        let key = derive(&self.kept_answers.0, &known, "kept answer");
        (id, SealingKey::from_bytes(*key))
    }
}

/// What the database knows of an API key or team token. These are 64 random letters: nobody finds
/// the key to a hash, and how long the look-up by hash takes tells nothing about a key.
pub(super) fn key_hash(key: &Secret) -> KeyHash {
    hash_of(key.expose())
}

/// The same of a key's text.
pub(super) fn hash_of(key: &str) -> KeyHash {
    Sha256::digest(key.as_bytes()).into()
}

fn derive<const LENGTH: usize>(salt: &[u8], secret: &[u8], label: &str) -> Zeroizing<[u8; LENGTH]> {
    const { assert!(LENGTH <= 255 * 32, "HKDF makes no more") };
    let mut key = Zeroizing::new([0; LENGTH]);
    // It fails only for more than that.
    let _ = Hkdf::<Sha256>::new(Some(salt), secret).expand(label.as_bytes(), &mut *key);
    key
}

fn authenticate(key: &LookupKey, parts: &[&[u8]]) -> [u8; 32] {
    let mut hmac = Hmac::<Sha256>::new((&key.0).into());
    for part in parts {
        hmac.update(&(part.len() as u64).to_le_bytes());
        hmac.update(part);
    }
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(authorization: &'a str, token: &'a str, key: &'a str) -> RetryScope<'a> {
        RetryScope {
            authorization: authorization.as_bytes(),
            token: token.as_bytes(),
            key: key.as_bytes(),
        }
    }

    #[test]
    fn a_kept_answer_belongs_to_one_caller_and_key() {
        let keys = InstallationKeys::derive(&[7; KEY_LENGTH]);
        let (id, key) = keys.kept_answer(&scope("Device a", "", "k"));
        let sealed = key.seal("answer", b"secret").unwrap();
        let (same, key) = keys.kept_answer(&scope("Device a", "", "k"));
        assert_eq!(id, same);
        assert_eq!(*key.unseal("answer", &sealed).unwrap(), b"secret");
        for (authorization, token, name) in [
            ("Device b", "", "k"),
            ("Device a", "", "l"),
            ("Device a", "t", "k"),
            ("Device ", "a", "k"),
            ("Device a", "k", ""),
        ] {
            let (other, key) = keys.kept_answer(&scope(authorization, token, name));
            assert_ne!(id, other);
            assert!(key.unseal("answer", &sealed).is_err());
        }
    }

    #[test]
    fn another_secret_finds_and_opens_nothing() {
        let (one, two) = ([1; KEY_LENGTH], [2; KEY_LENGTH]);
        let (one, two) = (
            InstallationKeys::derive(&one),
            InstallationKeys::derive(&two),
        );
        let token = Secret::new("abc".into());
        assert_ne!(one.check(), two.check());
        assert_ne!(one.token_lookup(&token), two.token_lookup(&token));
        let sealed = one.seal("token", b"abc").unwrap();
        assert!(two.unseal("token", &sealed).is_err());
    }
}
