//! `gatehand admin check`: whether a server's database, and what belongs to it, is as it should be.

mod backups;
mod contents;
mod id;
mod surroundings;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::causes;
use crate::cli::database_arguments::DatabaseArguments;
use crate::cli::error::CliError;
use crate::cli::findings::{Finding, Findings};
use crate::cli::settings::duration;
use crate::server::store::{self, Database};
use id::Id;

const EXAMPLES: &str = "\
Examples:
  gatehand admin check
  gatehand admin check --backups /srv/backups --json

It changes nothing, and the server may be running. For monitoring: exit code 0 if all is well, 22 if
something warns, 23 if something failed.";

/// Check database, secret, disk and backups, and tell what to do; changes nothing.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// The last backup, or the folder with all of them, to see how old the newest is.
    #[arg(long, value_name = "PATH")]
    backups: Option<PathBuf>,
    /// Warn if the newest backup is older than this.
    #[arg(long, value_name = "TIME", default_value = "8d", value_parser = days)]
    backup_age: Duration,
}

/// A span of time, in days too.
fn days(text: &str) -> Result<Duration, &'static str> {
    const DAY: u64 = 24 * 60 * 60;
    let days = text
        .trim()
        .strip_suffix('d')
        .and_then(|days| days.parse().ok());
    match days {
        Some(days @ 0..=3650) => Ok(Duration::from_secs(DAY * days)),
        Some(_) => Err("ten years are the most"),
        None => duration(text).map_err(|_| "write it with a unit, as in 36h or 8d"),
    }
}

impl Check {
    /// Not to be called in a runtime: what it looks at may have one of its own.
    pub(super) fn run(self, arguments: &DatabaseArguments, json: bool) -> Result<(), CliError> {
        let database = &arguments.database;
        let mut findings = Vec::new();
        look(database, arguments, &mut findings);
        findings.push(surroundings::disk(database));
        findings.push(backups::newest(self.backups.as_deref(), self.backup_age));
        let findings = Findings::of(findings);
        findings.print(json)?;
        findings.end()
    }
}

fn look(database: &Database, arguments: &DatabaseArguments, findings: &mut Vec<Finding<Id>>) {
    if !database.is_there() {
        findings.push(
            Finding::failed(Id::Database, format!("there is no database {database}"))
                .advising("name the server's database with --database"),
        );
        findings.extend(Id::OF_DATABASE.map(|id| Finding::skipped(id, Id::Database)));
        return;
    }
    match store::inspect(database, arguments.secret_file.as_deref()) {
        Ok(inspection) => {
            findings.push(Finding::ok(Id::Database, format!("{database} can be read")));
            contents::judge(inspection, findings);
        }
        Err(error) => {
            let words = std::iter::once(error.to_string()).chain(causes::of(&error));
            let words = words.collect::<Vec<_>>().join(": ");
            findings.push(Finding::failed(Id::Database, words).advising_if(error.advice()));
            findings.extend(Id::OF_DATABASE.map(|id| Finding::skipped(id, Id::Database)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_given_in_days_too() {
        assert_eq!(days("8d"), Ok(Duration::from_secs(8 * 86400)));
        assert_eq!(days("36h"), Ok(Duration::from_secs(36 * 3600)));
        for text in ["", "8", "-1d", "4000d", "soon"] {
            assert!(days(text).is_err(), "{text}");
        }
    }
}
