//! `vault.recovery`: the vault's key under a passphrase, an envelope of keys as docs/KEYS.md has them.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key_envelope::{LENGTH_LIMIT, VERSION};
use crate::passphrase::{Passphrase, PassphraseError, Sealed};
use crate::seal::{KEY_LENGTH, SealingKey};

/// What the passphrase is used for.
const PURPOSE: &str = "key of a vault";

#[derive(Serialize, Deserialize)]
struct Envelope {
    version: u64,
    #[serde(flatten)]
    sealed: Sealed,
}

/// What other files under a passphrase have, as exports of devices.
#[derive(Deserialize)]
struct Formatted {
    format: Option<IgnoredAny>,
}

/// What is written of a key.
pub(super) fn write(key: &SealingKey, passphrase: &Passphrase) -> Result<Vec<u8>, PassphraseError> {
    let sealed = passphrase.seal(PURPOSE, key.expose())?;
    let envelope = Envelope {
        version: VERSION,
        sealed,
    };
    let mut text = serde_json::to_vec(&envelope).map_err(|_| PassphraseError::Form)?;
    text.push(b'\n');
    Ok(text)
}

/// What is sealed in a recovery file, which no passphrase is needed to know.
pub(super) fn read(bytes: &[u8]) -> Result<Sealed, PassphraseError> {
    if bytes.len() as u64 > LENGTH_LIMIT {
        return Err(PassphraseError::Form);
    }
    let Envelope { version, sealed } =
        serde_json::from_slice(bytes).map_err(|_| PassphraseError::Form)?;
    let Formatted { format } = serde_json::from_slice(bytes).map_err(|_| PassphraseError::Form)?;
    if version != VERSION || format.is_some() {
        return Err(PassphraseError::Form);
    }
    sealed.check()?;
    Ok(sealed)
}

pub(super) fn open(
    sealed: &Sealed,
    passphrase: &Passphrase,
) -> Result<SealingKey, PassphraseError> {
    let key: Zeroizing<Vec<u8>> = passphrase.open(PURPOSE, sealed)?;
    let key = <[u8; KEY_LENGTH]>::try_from(key.as_slice()).map_err(|_| PassphraseError::Form)?;
    Ok(SealingKey::from_bytes(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_envelope::{self, KeyFormError};

    #[test]
    fn a_kept_recovery_file_opens_with_its_passphrase_and_is_no_key_without() {
        let bytes = include_bytes!("../../../tests/data/keys/argon2id.json");
        let method = crate::passphrase::METHOD.to_owned();
        let wrapped = KeyFormError::Wrapped { method };
        assert_eq!(key_envelope::read(bytes).err(), Some(wrapped));
        let passphrase = Passphrase::new("correct horse battery").unwrap();
        let sealed = read(bytes).unwrap();
        let key = open(&sealed, &passphrase).unwrap();
        assert_eq!(key.expose(), b"a key that everyone knows: 00000");
        let other = Passphrase::new("correct horse batter").unwrap();
        let refused = open(&sealed, &other).err();
        assert!(matches!(refused, Some(PassphraseError::Mismatch)));
    }

    #[test]
    fn an_export_is_no_recovery_file_though_it_is_sealed_alike() {
        let kept = include_str!("../../../tests/data/keys/argon2id.json");
        for format in [r#""gatehand-export""#, "null", "1"] {
            let export = kept.replacen('{', &format!(r#"{{"format":{format},"#), 1);
            let refused = read(export.as_bytes()).err();
            let is_recovery = format == "null";
            assert_eq!(refused.is_none(), is_recovery, "{export}: {refused:?}");
        }
        let both = kept.replacen('{', r#"{"format":"gatehand-export","format":"","#, 1);
        assert!(read(both.as_bytes()).is_err());
    }
}
