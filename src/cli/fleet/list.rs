//! `gatehand fleet list`.

use clap::Args;
use jiff::Timestamp;

use super::columns;
use crate::cli::error::CliError;
use crate::cli::{output, progress, table};
use crate::fleet::{Filter, FleetDevice, Resource};

/// List devices, as far as they are not revoked.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet list\n  gatehand fleet list --gate north --not-initialized\n  gatehand fleet list --last-seen-before 2027-05-08T16:00:00Z --json"
)]
pub(super) struct List {
    #[command(flatten)]
    filters: Filters,
}

/// Which devices are shown.
#[derive(Args)]
pub(super) struct Filters {
    /// Those whose name or serial begins so.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Those at the gate with this identifier.
    #[arg(long, value_name = "IDENTIFIER")]
    gate: Option<String>,
    /// Those at no gate.
    #[arg(long, conflicts_with = "gate")]
    no_gate: bool,
    /// Those whose code was used.
    #[arg(long)]
    initialized: bool,
    /// Those whose code was not used yet.
    #[arg(long, conflicts_with = "initialized")]
    not_initialized: bool,
    /// Those that are revoked.
    #[arg(long)]
    revoked: bool,
    /// Revoked ones too.
    #[arg(long, conflicts_with = "revoked")]
    with_revoked: bool,
    /// Those that run this program, as pretixSCAN.
    #[arg(long, value_name = "NAME")]
    software_brand: Option<String>,
    /// Those that run this version of it.
    #[arg(long, value_name = "VERSION")]
    software_version: Option<String>,
    /// Those that were last seen before this time, as 2027-05-08T16:00:00Z, or as the shell has it:
    /// "$(date -ud '15 minutes ago' +%FT%TZ)".
    #[arg(long, value_name = "TIME")]
    last_seen_before: Option<Timestamp>,
}

impl Filters {
    pub(super) fn filter(&self) -> Filter {
        let told = |is: bool| is.then_some(true);
        let gate = self.gate.clone().map(Some);
        Filter {
            search: self.search.clone(),
            gate: gate.or(self.no_gate.then_some(None)),
            initialized: told(self.initialized).or(self.not_initialized.then_some(false)),
            revoked: match self.with_revoked {
                true => None,
                false => Some(self.revoked),
            },
            software_brand: self.software_brand.clone(),
            software_version: self.software_version.clone(),
            last_seen_before: self.last_seen_before,
        }
    }
}

impl List {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let what = format!("asking {}", resource.server());
        let filter = self.filters.filter();
        let devices = progress::shown(&what, resource.devices(&filter)).await?;
        if json {
            let devices = devices.into_iter().map(FleetDevice::without_token);
            return output::print_json(&devices.collect::<Vec<_>>());
        }
        table::print(&columns::HEADER, &columns::of(&devices))
    }
}
