//! `gatehand admin import`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::desk::Desk;
use crate::cli::error::CliError;
use crate::cli::spool::Spool;
use crate::cli::{input, output};
use crate::server::organizers_file::{Fault, OrganizersFile, OrganizersFileError};
use crate::server::store::{ImportReport, Imported, StoreError};

const EXAMPLES: &str = "\
Examples:
  gatehand admin import organizers.json
  make-organizers | gatehand admin import -

A small file:
  {\"organizers\": [{\"slug\": \"bigevents\", \"name\": \"Big Events\",
    \"gates\": [{\"identifier\": \"north\", \"name\": \"North gate\"}],
    \"teams\": [{\"name\": \"admins\", \"organizer_permissions\": \"all\"}],
    \"devices\": [{\"name\": \"Lane 1\", \"all_events\": true, \"gate\": \"north\",
                 \"security_profile\": \"full\"}]}]}

Any number of devices may be in it. docs/ORGANIZERS_FILE.md lists all that may be in it.";

const WHAT_IS_LEFT: &str = "An import changes no team or token, no device that the file names without \
    its key or serial, and gives no revoked device its access back: change these by hand.";

/// Bring in an organizers file, wholly or not at all. Doing it again changes nothing.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Import {
    /// The file (JSON; - for standard input).
    file: PathBuf,
}

impl Import {
    /// Reads the file, or tells all that is wrong with it.
    pub(super) fn read(&self, json: bool) -> Result<OrganizersFile, CliError> {
        self.open().or_else(|source| {
            if let (true, OrganizersFileError::Faults { faults, more }) = (json, &source) {
                print_faults(faults, *more)?;
            }
            Err(CliError::OrganizersFile {
                name: input::name(&self.file),
                source,
            })
        })
    }

    fn open(&self) -> Result<OrganizersFile, OrganizersFileError> {
        let unreadable = OrganizersFileError::Unreadable;
        if self.file == Path::new("-") {
            return OrganizersFile::read(Spool::of(io::stdin()).map_err(unreadable)?);
        }
        let file = File::open(&self.file).map_err(unreadable)?;
        match file.metadata().map_err(unreadable)?.is_file() {
            true => OrganizersFile::read(file),
            false => OrganizersFile::read(Spool::of(file).map_err(unreadable)?),
        }
    }
}

fn print_faults(faults: &[Fault], more: usize) -> Result<(), CliError> {
    output::print_json(&json!({"faults": faults, "more": more}))
}

/// Stores what the file holds.
pub(super) async fn bring_in(file: OrganizersFile, desk: &Desk<'_>) -> Result<(), CliError> {
    let report = match desk.store.import(file).await {
        Ok(report) => report,
        Err(error) => {
            if let (true, StoreError::Contradiction { faults, more }) = (desk.json, &error) {
                print_faults(faults, *more)?;
            }
            return Err(error.into());
        }
    };
    desk.done(&words(&report), async { Ok(report) }).await
}

fn words(report: &ImportReport) -> String {
    let kinds: [(&str, Imported); 8] = [
        ("organizers", report.organizers),
        ("gates", report.gates),
        ("events", report.events),
        ("dates", report.subevents),
        ("check-in lists", report.checkin_lists),
        ("teams", report.teams),
        ("tokens", report.tokens),
        ("devices", report.devices),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .filter(|(_, imported)| imported.created + imported.changed > 0)
        .map(|(kind, imported)| match imported.changed {
            0 => format!("{kind}: {} created", imported.created),
            changed => format!("{kind}: {} created, {changed} changed", imported.created),
        })
        .collect();
    let left: Vec<String> = kinds
        .iter()
        .filter(|(_, imported)| imported.left > 0)
        .map(|(kind, imported)| format!("{kind}: {}", imported.left))
        .collect();
    let done = match (parts.as_slice(), left.as_slice()) {
        ([], []) => "Nothing to change: all of it was there already.".to_owned(),
        ([], _) => "Nothing was changed.".to_owned(),
        (parts, _) => format!("Imported {}.", parts.join("; ")),
    };
    match left.as_slice() {
        [] => done,
        left => format!(
            "{done} Different in the file, but left as they are: {}. {}",
            left.join("; "),
            WHAT_IS_LEFT
        ),
    }
}
