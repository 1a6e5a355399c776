//! Where this device's vault is, and its key if a service manager gives that.

use std::env;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, TypedValueParser};

use super::error::CliError;
use crate::vault::{CREDENTIAL, Folder};

/// Where systemd has the credentials of the packaged service while that runs, for its user and for root.
const OF_THE_SERVICE: &str = "/run/credentials/gatehand.service";

/// The folder of this process' vault, with the credential that it was given, or the one that the service has of
/// a vault whose key is nowhere else.
pub(super) fn locate() -> Result<Folder, CliError> {
    is_switch(VOLATILE)?;
    let folder = Folder::locate()?;
    let given = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let services = || {
        let credentials = PathBuf::from(OF_THE_SERVICE);
        let is_its = folder.vault_path().exists()
            && !folder.key_path().exists()
            && credentials.join(CREDENTIAL).exists();
        is_its.then_some(credentials)
    };
    let given = given.filter(|path| path.is_absolute());
    Ok(match given.or_else(services) {
        Some(credentials) => folder.with_credential(credentials.join(CREDENTIAL)),
        None => folder,
    })
}

/// Said of a vault in memory, to the commands that keep something; one that can't be read is told by all.
const VOLATILE: &str = "GATEHAND_VOLATILE";

fn is_switch(variable: &'static str) -> Result<(), CliError> {
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(());
    };
    let command = clap::Command::new("gatehand");
    match BoolishValueParser::new().parse_ref(&command, None, &value) {
        Ok(_) => Ok(()),
        Err(_) => Err(CliError::Switch { variable }),
    }
}
