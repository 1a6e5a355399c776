//! `gatehand admin restore`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::desk::Desk;
use crate::cli::database_arguments::DatabaseArguments;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::program_name::ProgramName;
use crate::cli::table::{self, whole, words};
use crate::server::store::{self, Restoration, Restoring};

const EXAMPLES: &str = "\
Examples:
  gatehand admin restore /srv/backups/monday.db
  gatehand admin restore --replace /srv/backups/monday.db
  gatehand admin restore
  gatehand admin restore --confirm";

/// Restore a backup, look through what may have been undone, and let it be served.
///
/// What was done since the backup is undone, as if it had not been. So all codes that nobody has used are ended, the
/// numbers of devices go on behind those that may have been given since, and no server serves the database until
/// somebody has looked through the list of what may have been revoked, rolled or created, and says so with --confirm.
/// Without a file the list is shown again.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    /// A file that `admin backup` made, or a copy of a server's SQLite file.
    #[arg(conflicts_with = "confirm")]
    file: Option<PathBuf>,
    /// Restore though there is a server's database, which is kept: an SQLite file under another name beside it, what
    /// is in PostgreSQL as a schema of its own.
    #[arg(long, requires = "file")]
    replace: bool,
    /// How many numbers of devices are skipped [default: as many as an organizer has devices, at least 1000]
    #[arg(long, value_name = "NUMBER", requires = "file", value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    skip_numbers: Option<u64>,
    /// Let the restored database be served.
    #[arg(long)]
    confirm: bool,
}

/// A restored database as `--json` tells it.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    restoration: &'a Restoration,
    /// Where what was replaced is, if this command has replaced it.
    kept: Option<&'a str>,
}

impl Restore {
    /// Restores the file, if there is one; where what it replaced is. Not to be called in a runtime.
    pub(super) fn bring_in(
        &self,
        arguments: &DatabaseArguments,
    ) -> Result<Option<String>, CliError> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let restoring = Restoring {
            replaces: self.replace,
            skipped_numbers: self.skip_numbers,
        };
        let secret_file = arguments.secret_file.as_deref();
        let kept = store::restore(file, &arguments.database, secret_file, &restoring);
        Ok(kept.map_err(Box::new)?)
    }

    /// Confirms, or shows what was restored.
    pub(super) async fn run(self, desk: &Desk<'_>, kept: Option<String>) -> Result<(), CliError> {
        if self.confirm && !desk.store.confirm_restoration().await? {
            return Err(CliError::NothingRestored);
        }
        let restoration = desk.store.restoration().await?;
        let restoration = restoration.ok_or(CliError::NothingRestored)?;
        if desk.json {
            let kept = kept.as_deref();
            let restoration = &restoration;
            return output::print_json(&Document { restoration, kept });
        }
        if self.confirm {
            return output::print_line(
                "Confirmed: servers may serve the restored database. One that runs does so by itself within moments; one that was stopped is to be started.",
            );
        }
        print(&restoration, kept.as_deref())
    }
}

fn print(restoration: &Restoration, kept: Option<&str>) -> Result<(), CliError> {
    let Restoration {
        taken,
        restored,
        confirmed,
        organizers,
    } = restoration;
    output::print_line(&format!(
        "This database is as it was at {}, {} before it was restored at {}.",
        output::time(*taken),
        length(*taken, *restored),
        output::time(*restored)
    ))?;
    if let Some(kept) = kept {
        output::print_line(&output::printable(&format!(
            "What it replaced is kept as {kept}."
        )))?;
    }
    for organizer in organizers {
        let slug = &organizer.organizer;
        output::print_line("")?;
        output::print_heading(&output::printable(&format!("Organizer {slug}")))?;
        output::print_line(&format!(
            "The next device has the number {}. A scanner that shows one below and is neither listed nor revoked was created since: it is refused, and is to be enrolled anew.",
            organizer.next_device
        ))?;
        if !organizer.devices.is_empty() {
            output::print_line("")?;
            let rows = organizer.devices.iter().map(|device| {
                let state = match device.initialized {
                    true => "active: revoked or rolled since?",
                    false => "code ended: enrolled since?",
                };
                vec![
                    device.device_id.to_string(),
                    device.name.clone(),
                    device.unique_serial.clone(),
                    state.to_owned(),
                    device.last_logged.map(output::time).unwrap_or_default(),
                ]
            });
            let rows: Vec<Vec<String>> = rows.collect();
            let header = [
                whole("ID"),
                words("NAME"),
                whole("SERIAL"),
                whole("STATE"),
                whole("LAST LOGGED"),
            ];
            table::print(&header, &rows)?;
        }
        if !organizer.tokens.is_empty() {
            output::print_line("")?;
            let rows = organizer.tokens.iter().map(|token| {
                vec![
                    token.team.clone(),
                    token.id.to_string(),
                    token.name.clone(),
                    "active: deactivated since?".to_owned(),
                    output::time(token.created),
                ]
            });
            let rows: Vec<Vec<String>> = rows.collect();
            let header = [
                words("TEAM"),
                whole("TOKEN"),
                words("NAME"),
                whole("STATE"),
                whole("CREATED"),
            ];
            table::print(&header, &rows)?;
        }
    }
    let typed = ProgramName::of_this_process().typed();
    let (admin, fleet) = (format!("{typed} admin"), format!("{typed} fleet"));
    if let Some(confirmed) = confirmed {
        let confirmed = output::time(*confirmed);
        output::print_line("")?;
        return output::print_line(&format!("It may be served since {confirmed}."));
    }
    output::say(&format!(
        "No server serves it yet. Revoke again what was revoked since: {admin} device revoke, {admin} token deactivate. \
         Devices whose code ended get another by {admin} device reconnect, or over the API, many at once, by {fleet} reconnect. \
         Then: {admin} restore --confirm"
    ));
    Ok(())
}

/// How long it is from one time to another, in words.
fn length(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
