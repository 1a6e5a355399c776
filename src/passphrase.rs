//! What a passphrase seals, in files that may lie about for years: with Argon2id, whose cost is written in the
//! file, and the cipher of all else.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::{KEY_LENGTH, SealError, SealingKey};

/// How it is sealed, as files name it.
pub(crate) const METHOD: &str = "Argon2id/XChaCha20-Poly1305";

/// Fewest characters of a passphrase that something is sealed with.
pub(crate) const SHORTEST: usize = 12;
/// Longest passphrase, in bytes.
pub(crate) const LONGEST: usize = 1024;

const SALT_LENGTH: usize = 16;
/// What is written: about half a second on a small machine.
const COST: Cost = Cost {
    memory_kib: 64 * 1024,
    passes: 3,
    lanes: 1,
};
/// What is read at most, so that no file takes a machine's memory or hours of it.
const LIMIT: Cost = Cost {
    memory_kib: 256 * 1024,
    passes: 16,
    lanes: 4,
};

/// Why a passphrase opens or seals nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassphraseError {
    /// Another passphrase, or changed bytes: the cipher can't tell which.
    #[error("the passphrase is not the right one, or the file was changed")]
    Mismatch,
    /// No form that is known, or damaged.
    #[error("the file is damaged, or none of these")]
    Form,
    /// A newer gatehand wrote it.
    #[error("the file was sealed by {0:?}, which this gatehand does not know")]
    Method(String),
    /// It would cost more than is spent on any.
    #[error(
        "to open the file would take {memory_kib} KiB of memory and {passes} passes, more than a file of gatehand does"
    )]
    TooCostly { memory_kib: u32, passes: u32 },
    #[error("a passphrase needs {SHORTEST} characters or more")]
    TooShort,
    #[error("a passphrase has {LONGEST} bytes at most")]
    TooLong,
    #[error("a passphrase is one line, and this is more")]
    Lines,
    #[error("there are control characters in the passphrase, as a tab, which nobody can type")]
    Control,
    #[error("it can't be sealed")]
    Seal(#[source] SealError),
    #[error("the memory to do so is not there: {0}")]
    Memory(argon2::Error),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// What is sealed, as a file has it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Sealed {
    method: String,
    #[serde(flatten)]
    cost: Cost,
    salt: String,
    /// Nonce, ciphertext and tag.
    wrapped: String,
}

/// A passphrase, as one text however it was typed.
pub(crate) struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// One that is to open something.
    pub(crate) fn new(text: &str) -> Result<Self, PassphraseError> {
        if text.len() > LONGEST {
            return Err(PassphraseError::TooLong);
        }
        // The same letter may be one character or two, as keyboards have it.
        let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
        Ok(Self(Zeroizing::new(composed.into_owned())))
    }

    /// One that is to seal something.
    pub(crate) fn to_seal(text: &str) -> Result<Self, PassphraseError> {
        let passphrase = Self::new(text)?;
        if passphrase.0.contains(['\n', '\r']) {
            return Err(PassphraseError::Lines);
        }
        if passphrase.0.chars().any(char::is_control) {
            return Err(PassphraseError::Control);
        }
        match passphrase.0.chars().count() < SHORTEST {
            true => Err(PassphraseError::TooShort),
            false => Ok(passphrase),
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    /// Seals for `purpose`, which it is bound to as to what it costs.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Sealed, PassphraseError> {
        let mut salt = [0; SALT_LENGTH];
        getrandom::fill(&mut salt)
            .map_err(|error| PassphraseError::Seal(SealError::Random(error)))?;
        let key = self.key(COST, &salt)?;
        let salt = STANDARD.encode(salt);
        let wrapped = key
            .seal(&bound(purpose, COST, &salt), plain)
            .map_err(PassphraseError::Seal)?;
        Ok(Sealed {
            method: METHOD.to_owned(),
            cost: COST,
            salt,
            wrapped: STANDARD.encode(wrapped),
        })
    }

    /// Opens what was sealed for the same purpose.
    pub(crate) fn open(
        &self,
        purpose: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, PassphraseError> {
        let (salt, wrapped) = sealed.checked()?;
        let key = self.key(sealed.cost, &salt)?;
        key.unseal(&bound(purpose, sealed.cost, &sealed.salt), &wrapped)
            .map_err(|_| PassphraseError::Mismatch)
    }

    fn key(&self, cost: Cost, salt: &[u8]) -> Result<SealingKey, PassphraseError> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LENGTH))
            .map_err(|_| PassphraseError::Form)?;
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(self.0.as_bytes(), salt, &mut *key)
            .map_err(PassphraseError::Memory)?;
        Ok(SealingKey::from_bytes(*key))
    }
}

impl Sealed {
    /// Refuses what no passphrase opens, before one is asked for.
    pub(crate) fn check(&self) -> Result<(), PassphraseError> {
        self.checked().map(drop)
    }

    /// Whether opening it takes next to nothing, as of no file that is written.
    #[cfg(fuzzing)]
    pub(crate) fn is_cheap(&self) -> bool {
        self.cost.memory_kib <= 64 && self.cost.passes <= 2
    }

    fn checked(&self) -> Result<(Vec<u8>, Vec<u8>), PassphraseError> {
        if self.method != METHOD {
            let known = self.method.chars().filter(char::is_ascii_graphic);
            return Err(PassphraseError::Method(known.take(64).collect()));
        }
        let Cost {
            memory_kib,
            passes,
            lanes,
        } = self.cost;
        if memory_kib > LIMIT.memory_kib || passes > LIMIT.passes || lanes > LIMIT.lanes {
            return Err(PassphraseError::TooCostly { memory_kib, passes });
        }
        let decoded = |text: &str| STANDARD.decode(text).map_err(|_| PassphraseError::Form);
        let salt = decoded(&self.salt)?;
        if salt.len() != SALT_LENGTH {
            return Err(PassphraseError::Form);
        }
        Ok((salt, decoded(&self.wrapped)?))
    }
}

/// What a key is used for, with all that stands in the file beside what is sealed.
fn bound(purpose: &str, cost: Cost, salt: &str) -> String {
    let Cost {
        memory_kib,
        passes,
        lanes,
    } = cost;
    format!("gatehand passphrase\0{purpose}\0{METHOD}\0{memory_kib}\0{passes}\0{lanes}\0{salt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "correct horse battery";

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::to_seal(text).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_passphrase_for_its_purpose_only() {
        let sealed = passphrase(TEXT).seal("a", b"secret").unwrap();
        let opened = passphrase(TEXT).open("a", &sealed).unwrap();
        assert_eq!(*opened, b"secret");
        for (text, purpose) in [("correct horse batterz", "a"), (TEXT, "b")] {
            let error = passphrase(text).open(purpose, &sealed).unwrap_err();
            assert!(matches!(error, PassphraseError::Mismatch), "{error}");
        }
    }

    #[test]
    fn what_a_file_says_of_its_cost_is_bound_and_bounded() {
        let mut sealed = passphrase(TEXT).seal("a", b"secret").unwrap();
        let cost = sealed.cost;
        sealed.cost.passes += 1;
        let changed = passphrase(TEXT).open("a", &sealed).unwrap_err();
        assert!(matches!(changed, PassphraseError::Mismatch), "{changed}");
        for memory_kib in [LIMIT.memory_kib + 1, u32::MAX] {
            sealed.cost = Cost { memory_kib, ..cost };
            let error = sealed.check().unwrap_err();
            assert!(matches!(error, PassphraseError::TooCostly { .. }));
        }
        for nothing in [
            Cost {
                memory_kib: 0,
                ..cost
            },
            Cost { passes: 0, ..cost },
            Cost { lanes: 0, ..cost },
        ] {
            sealed.cost = nothing;
            let error = passphrase(TEXT).open("a", &sealed).unwrap_err();
            assert!(matches!(error, PassphraseError::Form), "{error}");
        }
    }

    #[test]
    fn a_passphrase_is_the_same_from_every_keyboard_and_has_a_length() {
        assert!(passphrase("Schlüssel am Tor").is(&passphrase("Schlu\u{308}ssel am Tor")));
        let short = Passphrase::to_seal("11 letters!").err().unwrap();
        assert!(matches!(short, PassphraseError::TooShort));
        let long = Passphrase::new(&"x".repeat(LONGEST + 1)).err().unwrap();
        assert!(matches!(long, PassphraseError::TooLong));
    }
}
