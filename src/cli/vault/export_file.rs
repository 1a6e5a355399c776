//! The file in which a device moves to other hardware, under a passphrase.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::agent::MovedDevice;
use crate::passphrase::{Passphrase, PassphraseError, Sealed};

/// Longest file that is read, in bytes.
pub(super) const LIMIT: u64 = 1024 * 1024;

const FORMAT: &str = "gatehand-export";
const VERSION: u64 = 1;
/// What the passphrase is used for.
const PURPOSE: &str = "export of a device, version 1";

#[derive(Serialize, Deserialize)]
struct Export {
    format: String,
    version: u64,
    #[serde(flatten)]
    sealed: Sealed,
}

/// What is told of any version.
#[derive(Deserialize)]
struct Versioned {
    format: String,
    version: u64,
}

pub(super) fn write(
    device: &MovedDevice,
    passphrase: &Passphrase,
) -> Result<Vec<u8>, PassphraseError> {
    let document: Zeroizing<Vec<u8>> = device.document().map_err(|_| PassphraseError::Form)?;
    let export = Export {
        format: FORMAT.to_owned(),
        version: VERSION,
        sealed: passphrase.seal(PURPOSE, &document)?,
    };
    let mut text = serde_json::to_vec_pretty(&export).map_err(|_| PassphraseError::Form)?;
    text.push(b'\n');
    Ok(text)
}

/// What is sealed in an export, which no passphrase is needed to know.
pub(super) fn read(bytes: &[u8]) -> Result<Sealed, PassphraseError> {
    let known: Versioned = serde_json::from_slice(bytes).map_err(|_| PassphraseError::Form)?;
    if known.format != FORMAT {
        return Err(PassphraseError::Form);
    }
    if known.version != VERSION {
        return Err(PassphraseError::Method(format!(
            "version {}",
            known.version
        )));
    }
    let export: Export = serde_json::from_slice(bytes).map_err(|_| PassphraseError::Form)?;
    export.sealed.check()?;
    Ok(export.sealed)
}

pub(super) fn open(
    sealed: &Sealed,
    passphrase: &Passphrase,
) -> Result<MovedDevice, PassphraseError> {
    let document = passphrase.open(PURPOSE, sealed)?;
    MovedDevice::read(&document).ok_or(PassphraseError::Form)
}
