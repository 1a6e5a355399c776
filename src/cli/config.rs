//! `gatehand config`: which settings are in force, and from where.

use std::env;
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::in_force::{self, Setting, without_login};
use super::misuse;
use super::output;
use super::program::without_empty_variables;
use super::run::{self, Run};
use super::settings::{KEYS, Key, Taken};
use super::vault_folder;

/// Show which settings are in force, and where each comes from.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatehand config
  gatehand config --json

An option of a command goes before all of these.")]
pub(super) struct Config {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct ConfigDocument {
    /// The file that was read, if there is one.
    file: Option<String>,
    settings: Vec<Setting>,
    doors: Vec<Door>,
}

#[derive(Serialize)]
struct Door {
    socket: String,
    mode: String,
    group: Option<String>,
    /// What passes, in words: a profile, or methods and paths.
    allowed: Vec<String>,
    /// The address that it listens on besides.
    listen: Option<String>,
}

impl Config {
    pub(super) fn run(self) -> Result<(), CliError> {
        let document = ConfigDocument::in_force()?;
        match self.json {
            true => output::print_json(&document),
            false => print(document),
        }
    }
}

impl ConfigDocument {
    /// The settings as `gatehand run` takes them.
    pub(super) fn in_force() -> Result<Self, CliError> {
        check()?;
        let metrics = env::var_os("GATEHAND_METRICS_FILE").filter(|path| !path.is_empty());
        run::metrics_file(metrics.as_deref().map(Path::new), &vault_folder::locate()?)?;
        let taken = Taken::by_this_process();
        let doors = super::doors::of_settings(env::var_os("GATEHAND_SOCKET").map(Into::into))?;
        Ok(Self {
            file: taken
                .and_then(|taken| taken.paths().first())
                .map(|path| path.display().to_string()),
            settings: in_force::of(&KEYS, otherwise, |_, value| without_login(value))?,
            doors: doors
                .iter()
                .map(|door| Door {
                    socket: door.socket.display().to_string(),
                    mode: format!("{:04o}", door.mode),
                    group: door.group.clone(),
                    allowed: door.allowed.in_words(),
                    listen: door
                        .caller
                        .as_ref()
                        .map(|caller| caller.address().to_string()),
                })
                .collect(),
        })
    }
}

fn otherwise(key: &Key) -> Result<String, CliError> {
    match key.name {
        "home" => Ok(vault_folder::locate()?.path().display().to_string()),
        _ => Ok(key.default.to_owned()),
    }
}

/// Reads the settings as `gatehand run` does.
fn check() -> Result<(), CliError> {
    let command = without_empty_variables(Run::augment_args(clap::Command::new("gatehand run")));
    command
        .clone()
        .try_get_matches_from(["gatehand run"])
        .map(drop)
        .map_err(|error| CliError::Setting(misuse::in_a_line(&error, &command)))
}

fn print(document: ConfigDocument) -> Result<(), CliError> {
    let file = document.file;
    output::print_line(&match &file {
        Some(file) => format!("Settings of {file}:"),
        None => "No settings file (GATEHAND_SETTINGS names one; where it is packaged it is /etc/gatehand/agent.toml)."
            .to_owned(),
    })?;
    in_force::print(document.settings, 1)?;
    for door in document.doors {
        let group = door.group.map(|group| format!(", group {group}"));
        let listen = door.listen.map(|address| format!(", and at {address}"));
        output::print_line(&format!(
            "Door {} (mode {}{}){}: {}",
            door.socket,
            door.mode,
            group.unwrap_or_default(),
            listen.unwrap_or_default(),
            door.allowed.join(", ")
        ))?;
    }
    Ok(())
}
