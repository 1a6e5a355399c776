//! `gatehand config`: which settings are in force, and from where.

use std::env;
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::error::CliError;
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
struct Setting {
    name: &'static str,
    value: String,
    /// `file`, `environment` or `default`.
    source: &'static str,
    /// In which line of the file.
    line: Option<usize>,
    /// The variable that says the same.
    variable: &'static str,
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
            file: taken.map(|taken| taken.path().display().to_string()),
            settings: KEYS
                .iter()
                .map(|key| setting(key, taken))
                .collect::<Result<_, _>>()?,
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

/// Reads the settings as `gatehand run` does.
fn check() -> Result<(), CliError> {
    let command = without_empty_variables(Run::augment_args(clap::Command::new("gatehand run")));
    command
        .clone()
        .try_get_matches_from(["gatehand run"])
        .map(drop)
        .map_err(|error| CliError::Setting(misuse::in_a_line(&error, &command)))
}

fn setting(key: &Key, taken: Option<&Taken>) -> Result<Setting, CliError> {
    let line = taken.and_then(|taken| taken.line_of(key.variable));
    let value = env::var_os(key.variable).filter(|value| !value.is_empty());
    let source = match (&value, line) {
        (None, _) => "default",
        (Some(_), Some(_)) => "file",
        (Some(_), None) => "environment",
    };
    let value = match value {
        Some(value) => without_login(&value.to_string_lossy()),
        None if key.name == "home" => vault_folder::locate()?.path().display().to_string(),
        None => key.default.to_owned(),
    };
    Ok(Setting {
        name: key.name,
        value,
        source,
        line,
        variable: key.variable,
    })
}

/// Schemes that may stand before a login; what else stands there may be a part of it.
const SCHEMES: [&str; 5] = ["http", "https", "socks4", "socks5", "socks5h"];

/// Without the name and password that a proxy's address may have: all before the last `@` is taken for them, however
/// it is written.
fn without_login(value: &str) -> String {
    let Some((before, host)) = value.rsplit_once('@') else {
        return value.to_owned();
    };
    let scheme = before.split_once("://").map(|(scheme, _)| scheme.trim());
    match scheme.filter(|scheme| SCHEMES.contains(scheme)) {
        Some(scheme) => format!("{scheme}://…@{host}"),
        None => format!("…@{host}"),
    }
}

fn print(document: ConfigDocument) -> Result<(), CliError> {
    let file = document.file;
    output::print_line(&match &file {
        Some(file) => format!("Settings of {file}:"),
        None => "No settings file (GATEHAND_SETTINGS names one; where it is packaged it is /etc/gatehand/agent.toml)."
            .to_owned(),
    })?;
    let rows = document.settings.into_iter().map(|setting| {
        let from = match (setting.source, setting.line) {
            ("file", Some(line)) => format!("line {line}"),
            ("environment", _) => setting.variable.to_owned(),
            _ => "built in".to_owned(),
        };
        [setting.name.to_owned(), setting.value, from]
    });
    output::print_whole_columns(["SETTING", "VALUE", "FROM"], rows)?;
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
