//! Options of `gatehand serve` on who is told of devices that fall silent.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::server::{AlertSettings, SILENT_AFTER};

const MINUTE: u64 = 60;

/// Who is told of devices that fall silent.
#[derive(Args)]
#[command(next_help_heading = "Alerts")]
pub(super) struct AlertArguments {
    /// Run this program when a device falls silent while something runs at its gate, and when it is back: with JSON on
    /// its standard input and nothing in its environment.
    #[arg(long, value_name = "PROGRAM", env = "GATEHAND_ALERT_COMMAND", value_parser = program)]
    alert_command: Option<PathBuf>,
    /// After how many minutes without a call a device is silent.
    #[arg(
        long,
        value_name = "MINUTES",
        env = "GATEHAND_SILENT_AFTER",
        default_value_t = SILENT_AFTER.as_secs() / MINUTE,
        value_parser = clap::value_parser!(u64).range(2..=1440)
    )]
    silent_after: u64,
}

/// The path of a program, as it is found from everywhere.
fn program(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    if !path.is_absolute() {
        return Err(
            "write the path of the program from the root on, as /usr/local/bin/alert".into(),
        );
    }
    match path.metadata() {
        Ok(found) if found.is_file() && found.permissions().mode() & 0o111 == 0 => {
            Err("nobody may run it: chmod +x has it be run".into())
        }
        Ok(found) if found.is_file() => Ok(path.to_owned()),
        Ok(_) => Err("it is no file".into()),
        Err(error) => Err(error.to_string()),
    }
}

impl AlertArguments {
    pub(super) fn settings(self) -> Option<AlertSettings> {
        Some(AlertSettings {
            silent_after: Duration::from_secs(MINUTE * self.silent_after),
            ..AlertSettings::new(self.alert_command?)
        })
    }
}
