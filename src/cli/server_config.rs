//! `gatehand-server config`: which settings of a server are in force, and from where.

use std::ffi::OsString;

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::in_force::{self, Setting, without_login};
use super::misuse;
use super::output;
use super::program::without_empty_variables;
use super::serve::Serve;
use super::settings::{Key, SERVER_KEYS, Taken};
use crate::server::store::Database;

/// Show which settings are in force, and where each comes from.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatehand-server config
  gatehand-server config --json

An option of a command goes before all of these.")]
pub(super) struct ServerConfig {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct ServerConfigDocument {
    /// The files that were read; what more than one says, the first one does.
    files: Vec<String>,
    settings: Vec<Setting>,
}

impl ServerConfig {
    pub(super) fn run(self) -> Result<(), CliError> {
        check()?;
        let files = Taken::by_this_process().map_or(&[][..], Taken::paths);
        let files: Vec<String> = files
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let settings = in_force::of(&SERVER_KEYS, otherwise, shown)?;
        if self.json {
            return output::print_json(&ServerConfigDocument { files, settings });
        }
        output::print_line(&match files.as_slice() {
            [] => "No settings file (GATEHAND_SETTINGS names one; where it is packaged it is /etc/gatehand/server.toml)."
                .to_owned(),
            files => format!("Settings of {}:", files.join(" and ")),
        })?;
        in_force::print(settings, files.len())
    }
}

/// Reads the settings as `gatehand-server serve` does.
fn check() -> Result<(), CliError> {
    let name = "gatehand-server serve";
    let command = without_empty_variables(Serve::augment_args(clap::Command::new(name)));
    command
        .clone()
        .try_get_matches_from([name])
        .map(drop)
        .map_err(|error| CliError::Setting(misuse::in_a_line(&error, &command)))
}

fn otherwise(key: &Key) -> Result<String, CliError> {
    Ok(key.default.to_owned())
}

/// A value without what only the server should know of it.
fn shown(key: &Key, value: &str) -> String {
    match key.name {
        // What is shown of its address holds no password.
        "database" => match Database::try_from(OsString::from(value)) {
            Ok(database) => database.to_string(),
            Err(_) => without_login(value),
        },
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variable_of_serve_is_a_setting_with_the_same_default() {
        let serve = Serve::augment_args(clap::Command::new("serve"));
        for argument in serve.get_arguments() {
            let Some(variable) = argument.get_env() else {
                continue;
            };
            let key = SERVER_KEYS.iter().find(|key| key.variable == variable);
            let key = key.unwrap_or_else(|| panic!("{}", variable.display()));
            for default in argument.get_default_values() {
                assert_eq!(default, key.default, "{}", key.name);
            }
        }
        for key in &SERVER_KEYS {
            let is_known = serve
                .get_arguments()
                .any(|argument| argument.get_env() == Some(key.variable.as_ref()));
            assert!(is_known || key.name.starts_with("log"), "{}", key.name);
        }
    }
}
