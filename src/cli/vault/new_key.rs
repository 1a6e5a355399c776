//! What `rekey` and `recover` share: the vault gets its new key, and is told where that lives.

use std::path::Path;

use serde::Serialize;

use super::key_arguments::KeyArguments;
use super::recovery_file;
use crate::agent::{self, NewKey};
use crate::cli::error::CliError;
use crate::cli::output;
use crate::daemon::{DaemonError, Instance};
use crate::passphrase::{Passphrase, PassphraseError};
use crate::seal::{SealError, SealingKey};
use crate::vault::{CREDENTIAL, Folder, NewHome, Recovery};

/// What `--json` prints.
#[derive(Serialize)]
struct KeyDocument<'a> {
    vault: String,
    /// Where its key lives from now on.
    key_home: &'static str,
    /// The file that a unit has to load.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_file: Option<String>,
    /// The file that opens with the passphrase.
    recovery_file: Option<String>,
    #[serde(skip)]
    folder: &'a Folder,
    #[serde(skip)]
    has_moved: bool,
    #[serde(skip)]
    has_lost_recovery: bool,
}

/// That no daemon runs, as long as this is kept.
pub(super) fn without_daemon(folder: &Folder) -> Result<Option<Instance>, CliError> {
    Instance::none(folder).map_err(|error| match error {
        DaemonError::Running { folder } => CliError::DaemonRuns { folder },
        error => error.into(),
    })
}

/// How the vault comes to its new key.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// Whether a credential that can't be opened any more gives way.
    pub(super) is_recovery: bool,
    /// Whether the home was asked for by name.
    pub(super) is_home_named: bool,
}

/// Gives the vault its new key.
pub(super) fn give(
    folder: &Folder,
    to: NewHome,
    arguments: &KeyArguments,
    passphrase: Option<&Passphrase>,
    how: How,
) -> Result<(), CliError> {
    let make = |key: &SealingKey| match passphrase {
        Some(passphrase) => recovery_file::write(key, passphrase).map_err(|error| match error {
            PassphraseError::Seal(error) => error,
            _ => SealError::TooLarge,
        }),
        None => Err(SealError::Mismatch),
    };
    let recovery = match passphrase {
        Some(_) => Recovery::Write(&make),
        None => Recovery::None,
    };
    agent::rekey(
        folder,
        NewKey {
            to,
            credential: (&arguments.credential_file, &arguments.store()),
            replaces_unreadable: how.is_recovery,
            is_home_named: how.is_home_named,
            recovery,
        },
    )?;
    Ok(())
}

/// Tells where the key lives now. `had_recovery`: whether there was a recovery file before; `has_moved`: whether the
/// key was in another home.
pub(super) fn tell(
    folder: &Folder,
    to: NewHome,
    has_moved: bool,
    had_recovery: bool,
    arguments: &KeyArguments,
    json: bool,
) -> Result<(), CliError> {
    let is_credential = to == NewHome::Credential;
    let recovery = folder.recovery_path();
    let shown = |path: &Path| path.display().to_string();
    let document = KeyDocument {
        vault: shown(&folder.vault_path()),
        key_home: match to {
            NewHome::File => "file",
            NewHome::Credential => "credential",
        },
        credential_file: is_credential.then(|| shown(&arguments.credential_file)),
        recovery_file: recovery.exists().then(|| shown(&recovery)),
        folder,
        has_moved,
        has_lost_recovery: had_recovery && is_credential && !recovery.exists(),
    };
    let heading = "The vault has a new key.";
    let told = match json {
        true => output::print_json(&document),
        false => print(&document, heading),
    };
    output::has_told(told, heading)
}

fn print(document: &KeyDocument<'_>, heading: &str) -> Result<(), CliError> {
    output::print_heading(heading)?;
    let home = match &document.credential_file {
        Some(file) => format!("the systemd credential {file}"),
        None => document.folder.key_path().display().to_string(),
    };
    let mut rows = vec![("Vault", document.vault.clone()), ("Key", home)];
    if let Some(recovery) = &document.recovery_file {
        rows.push(("Recovery", recovery.clone()));
    }
    output::print_table(&rows)?;
    match &document.credential_file {
        Some(file) => output::say(&format!(
            "Have each unit that uses the vault load it: LoadCredentialEncrypted={CREDENTIAL}:{file}"
        )),
        None if !document.has_moved => {}
        None => output::say(&format!(
            "Take LoadCredentialEncrypted={CREDENTIAL} out of the units that use the vault."
        )),
    }
    if document.has_lost_recovery {
        output::say(
            "The old recovery file is gone: if the credential opens no more, the vault is lost.",
        );
    }
    output::say("Start the service: systemctl start gatehand");
    Ok(())
}
