//! What the fuzz targets reach of the files that are under a passphrase; compiled for them only.

use super::{export_file, recovery_file};
use crate::agent::MovedDevice;
use crate::passphrase::{Passphrase, Sealed};

/// Reads an export and, where that is cheap, tries to open it. Whether it was read.
pub fn export(bytes: &[u8]) -> bool {
    read(export_file::read(bytes).ok(), export_file::open)
}

/// The same of a recovery file.
pub fn recovery(bytes: &[u8]) -> bool {
    read(recovery_file::read(bytes).ok(), recovery_file::open)
}

/// Reads what is sealed in an export, and writes it again. Whether it is a device.
pub fn moved_device(document: &[u8]) -> bool {
    let Some(moved) = MovedDevice::read(document) else {
        return false;
    };
    let again = moved.document().unwrap_or_default();
    MovedDevice::read(&again).is_some_and(|again| again.identity() == moved.identity())
}

fn read<T, E>(sealed: Option<Sealed>, open: impl Fn(&Sealed, &Passphrase) -> Result<T, E>) -> bool {
    let Some(sealed) = sealed else { return false };
    if let (true, Ok(passphrase)) = (sealed.is_cheap(), Passphrase::new("correct horse battery")) {
        let _ = open(&sealed, &passphrase);
    }
    true
}
