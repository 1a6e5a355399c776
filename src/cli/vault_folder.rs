//! Where this device's vault is, and its key if a service manager gives that.

use std::env;
use std::path::PathBuf;

use super::error::CliError;
use crate::vault::{CREDENTIAL, Folder};

/// The folder of this process' vault, with the credential that it was given.
pub(super) fn locate() -> Result<Folder, CliError> {
    let folder = Folder::locate()?;
    let credentials = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    Ok(match credentials.filter(|path| path.is_absolute()) {
        Some(credentials) => folder.with_credential(credentials.join(CREDENTIAL)),
        None => folder,
    })
}
