//! What helps others to help, in one file: JSON that people can read, of mode 0600, without a secret in it.

use std::io::ErrorKind;
use std::path::Path;

use rustix::fs::{Access, access};
use serde::Serialize;
use serde_json::Value;

use super::document::CheckDocument;
use crate::check::{self, FileReport, MountReport, Report};
use crate::cli::config::ConfigDocument;
use crate::cli::error::CliError;
use crate::cli::{output, status};
use crate::facts::{Diagnostics, Facts};
use crate::private_file;
use crate::vault::{Folder, SCHEMA_VERSION};
use crate::wire::timestamp;

#[derive(Serialize)]
struct Bundle<'a> {
    /// A change that a reader could trip over makes another.
    version: u32,
    #[serde(with = "timestamp")]
    made: jiff::Timestamp,
    software: &'static str,
    /// The version of a vault that this program writes.
    vault_version: u32,
    check: &'a CheckDocument,
    /// As `gatehand status --json` prints it; null if the vault can't be read.
    status: Option<status::StatusDocument<'a>>,
    /// What the door of `gatehand run` says, if one could be asked.
    door: Option<&'a Value>,
    facts: FactsReport,
    /// As `gatehand config --json` prints them, or why they can't be read.
    settings: Settings,
    /// The vault's folder: names, sizes, modes.
    files: Vec<FileReport>,
    mounts: Vec<MountReport>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Settings {
    InForce(Box<ConfigDocument>),
    Wrong { error: String },
}

#[derive(Serialize)]
struct FactsReport {
    hardware_brand: String,
    hardware_model: String,
    os_name: Option<String>,
    os_version: Option<String>,
    diagnostics: Diagnostics,
}

/// Sees to it that a new file can be there, before all is looked at for it.
pub(super) fn has_place(path: &Path) -> Result<(), CliError> {
    let failed = |source| CliError::Bundle {
        name: path.display().to_string(),
        source,
    };
    let path = std::path::absolute(path).map_err(failed)?;
    match path.symlink_metadata() {
        Ok(_) => return Err(failed(ErrorKind::AlreadyExists.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let folder = path
        .parent()
        .ok_or_else(|| failed(ErrorKind::IsADirectory.into()))?;
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| failed(error.into()))
}

/// Writes a new file.
pub(super) fn write(
    path: &Path,
    folder: &Folder,
    check: &CheckDocument,
    report: &Report,
) -> Result<(), CliError> {
    let failed = |source| CliError::Bundle {
        name: path.display().to_string(),
        source,
    };
    let path = std::path::absolute(path).map_err(failed)?;
    let root = Path::new("/");
    let facts = Facts::read(root);
    let bundle = Bundle {
        version: 1,
        made: jiff::Timestamp::now(),
        software: concat!("gatehand ", env!("CARGO_PKG_VERSION")),
        vault_version: SCHEMA_VERSION,
        check,
        status: report.status.as_ref().map(status::report),
        door: report.door.as_ref(),
        facts: FactsReport {
            hardware_brand: facts.hardware_brand.into(),
            hardware_model: facts.hardware_model.into(),
            os_name: facts.os_name.map(Into::into),
            os_version: facts.os_version.map(Into::into),
            diagnostics: Diagnostics::read(root, folder.path()),
        },
        settings: match ConfigDocument::in_force() {
            Ok(document) => Settings::InForce(Box::new(document)),
            Err(error) => Settings::Wrong {
                error: error.to_string(),
            },
        },
        files: check::files_of(folder).unwrap_or_default(),
        mounts: check::mounts_of(folder).unwrap_or_default(),
    };
    let text = serde_json::to_string_pretty(&bundle).map_err(|error| failed(error.into()))?;
    private_file::create(&path, output::escape(&text).as_bytes()).map_err(failed)
}
