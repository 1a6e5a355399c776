//! `gatehand admin import`.

use std::path::PathBuf;

use clap::Args;

use super::Desk;
use crate::cli::{CliError, input};
use crate::server::organizers_file::{OrganizersFile, SIZE_LIMIT};
use crate::server::store::{Administration, Imported};

/// Bring in an organizers file, wholly or not at all. Doing it again changes nothing.
#[derive(Args)]
pub(super) struct Import {
    /// The file (JSON; - for standard input).
    file: PathBuf,
}

impl Import {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let content = input::read_file(&self.file, SIZE_LIMIT as u64)?;
        let file = OrganizersFile::parse(&content).map_err(|source| CliError::OrganizersFile {
            name: self.file.display().to_string(),
            source,
        })?;
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
        desk.done(&words, report)
    }
}
