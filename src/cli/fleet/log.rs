//! `gatehand fleet log`.

use clap::Args;

use crate::cli::device_log;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::table;
use crate::fleet::{Resource, named};

/// Show what was done to a device, and by whom.
#[derive(Args)]
#[command(after_help = "Examples:\n  gatehand fleet log 7\n  gatehand fleet log 'Lane 07' --json")]
pub(super) struct Log {
    /// Its number, serial or name.
    device: String,
}

impl Log {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let mut entries = Vec::new();
        for device in named(resource, &[self.device]).await? {
            entries = resource.log(device.device.device_id).await?;
        }
        if json {
            return output::print_json(&entries);
        }
        let rows = entries.iter().map(|entry| {
            vec![
                output::time(entry.created),
                entry.action.clone(),
                device_log::by(&entry.actor, entry.team.as_deref(), entry.token.as_deref()),
                device_log::what(&entry.data),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        table::print(&device_log::HEADER, &rows)
    }
}
