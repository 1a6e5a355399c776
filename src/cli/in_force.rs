//! Which settings are in force, and where each comes from.

use std::env;

use serde::Serialize;

use super::error::CliError;
use super::output;
use super::settings::{Key, Taken};

/// A setting that is in force.
#[derive(Serialize)]
pub(super) struct Setting {
    name: &'static str,
    value: String,
    /// `file`, `environment` or `default`.
    source: &'static str,
    /// Which file.
    file: Option<String>,
    /// In which line of it.
    line: Option<usize>,
    /// The variable that says the same.
    variable: &'static str,
}

/// The settings of these keys. `otherwise` tells what holds where nobody says anything of one, `shown` what of a value
/// may be seen.
pub(super) fn of(
    keys: &[Key],
    otherwise: impl Fn(&Key) -> Result<String, CliError>,
    shown: impl Fn(&Key, &str) -> String,
) -> Result<Vec<Setting>, CliError> {
    let taken = Taken::by_this_process();
    let settings = keys.iter().map(|key| {
        let place = taken.and_then(|taken| taken.place_of(key.variable));
        let value = env::var_os(key.variable).filter(|value| !value.is_empty());
        let source = match (&value, place) {
            (None, _) => "default",
            (Some(_), Some(_)) => "file",
            (Some(_), None) => "environment",
        };
        Ok(Setting {
            name: key.name,
            value: match value {
                Some(value) => shown(key, &value.to_string_lossy()),
                None => otherwise(key)?,
            },
            source,
            file: place.map(|(path, _)| path.display().to_string()),
            line: place.map(|(_, line)| line),
            variable: key.variable,
        })
    });
    settings.collect()
}

/// Shows them to people; of several files, which it was.
pub(super) fn print(settings: Vec<Setting>, files: usize) -> Result<(), CliError> {
    let rows = settings.into_iter().map(|setting| {
        let from = match (setting.source, setting.line) {
            ("file", Some(line)) => match setting.file.filter(|_| files > 1) {
                Some(file) => format!("line {line} of {file}"),
                None => format!("line {line}"),
            },
            ("environment", _) => setting.variable.to_owned(),
            _ => "built in".to_owned(),
        };
        [setting.name.to_owned(), setting.value, from]
    });
    output::print_whole_columns(["SETTING", "VALUE", "FROM"], rows)
}

/// Schemes that may stand before a login; what else stands there may be a part of it.
const SCHEMES: [&str; 5] = ["http", "https", "socks4", "socks5", "socks5h"];

/// Without the name and password that a proxy's address may have: all before the last `@` is taken for them, however
/// it is written.
pub(super) fn without_login(value: &str) -> String {
    let Some((before, host)) = value.rsplit_once('@') else {
        return value.to_owned();
    };
    let scheme = before.split_once("://").map(|(scheme, _)| scheme.trim());
    match scheme.filter(|scheme| SCHEMES.contains(scheme)) {
        Some(scheme) => format!("{scheme}://…@{host}"),
        None => format!("…@{host}"),
    }
}
