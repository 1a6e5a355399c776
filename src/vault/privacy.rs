//! The files of a vault are their owner's alone, and what is said where they were not.

use std::fs::File;
use std::io;
use std::path::Path;

use super::VaultError;
use crate::private_file;

/// Makes a file private that other users could read, and says so; whether they could. Refuses one that
/// is not ours to make private: its owner could read it at any time.
pub(super) fn make_private(path: &Path) -> Result<bool, VaultError> {
    told(path, private_file::make_private(path))
}

/// The same of one that is open, whatever its path leads to by now.
pub(super) fn make_open_private(file: &File, path: &Path) -> Result<bool, VaultError> {
    told(path, private_file::make_open_private(file))
}

fn told(path: &Path, made_private: io::Result<bool>) -> Result<bool, VaultError> {
    let shown = path.display();
    match made_private {
        Ok(was_open) => {
            if was_open {
                tracing::warn!(
                    "other users could read {shown}; only its owner can now. What is in it may be known to them: unless all of them are to be trusted, replace this device's key"
                );
            }
            Ok(was_open)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(
            VaultError::no_permissions(path).unwrap_or_else(|| VaultError::OpenFile {
                path: path.to_owned(),
            }),
        ),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(
                "other users can read {shown}, since its file system keeps no permissions: the vault belongs on another one"
            );
            Ok(false)
        }
        // As on a disk that can't be written, where it may be needed all the same.
        Err(error) => {
            tracing::warn!("other users can read {shown}, and that can't be changed: {error}");
            Ok(false)
        }
    }
}
