//! `gatehand admin import`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::Desk;
use crate::cli::spool::Spool;
use crate::cli::{CliError, input, output};
use crate::server::organizers_file::{OrganizersFile, OrganizersFileError};
use crate::server::store::Imported;

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
                output::print_json(&json!({"faults": faults, "more": more}))?;
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

/// Stores what the file holds.
pub(super) async fn bring_in(file: OrganizersFile, desk: &Desk) -> Result<(), CliError> {
    let report = desk.store.import(file).await?;
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
    let words = match parts.as_slice() {
        [] => "Nothing to change: all of it was there already.".to_owned(),
        parts => format!("Imported {}.", parts.join("; ")),
    };
    desk.done(&words, async { Ok(report) }).await
}
