//! `gatehand admin backup`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::cli::database_arguments::DatabaseArguments;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::server::store;

const EXAMPLES: &str = "\
Examples:
  gatehand admin backup /srv/backups/monday.db
  gatehand admin backup monday.db \\
      --database postgres://gatehand@db1,db2/gatehand";

/// Take a backup of all of a server into one file, while it is served.
///
/// It is of one time, whole, and read again before it has its name. From SQLite or PostgreSQL it is the same kind
/// of file, which `admin restore` restores to either. The server's secret is not in it: keep that apart.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    /// The file to make. What is there already is never replaced.
    file: PathBuf,
}

/// A backup as `--json` tells it.
#[derive(Serialize)]
struct Taken {
    file: String,
    #[serde(flatten)]
    backup: store::Backup,
}

impl Backup {
    pub(super) fn run(self, arguments: &DatabaseArguments, json: bool) -> Result<(), CliError> {
        let secret_file = arguments.secret_file.as_deref();
        let taken = store::backup(&arguments.database, &self.file, secret_file);
        let backup = taken.map_err(Box::new)?;
        let file = self.file.display().to_string();
        let words = format!(
            "{file} has all of {} as it was at {}: organizers {}, devices {}, tokens of teams {}.",
            arguments.database,
            output::time(backup.taken),
            backup.rows("organizer"),
            backup.rows("device"),
            backup.rows("team_token"),
        );
        let told = match json {
            true => output::print_json(&Taken { file, backup }),
            false => output::print_line(&output::printable(&words)),
        };
        output::has_told(told, &words)?;
        if !json {
            output::say(
                "The server's secret is not in it: keep a copy of that apart, once. Without it nobody can restore this.",
            );
        }
        Ok(())
    }
}
