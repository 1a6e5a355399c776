//! `gatehand fleet revoke`.

use clap::Args;

use super::chosen::Chosen;
use super::told;
use crate::cli::error::CliError;
use crate::cli::progress;
use crate::fleet::{FleetDevice, Outcome, Resource, revoke};

/// End devices' access for good.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet revoke 7           (asks, when run in a terminal)\n  gatehand fleet revoke 7 8 --yes\n  gatehand fleet revoke --all-matching gate=north --dry-run"
)]
pub(super) struct Revoke {
    #[command(flatten)]
    chosen: Chosen,
}

impl Revoke {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let what = format!("asking {}", resource.server());
        let devices = progress::shown(&what, self.chosen.devices(resource)).await?;
        let would = |device: &FleetDevice| !device.device.revoked;
        let verb = "Revoke for good";
        let tell = |outcomes: &[Outcome]| told::outcomes(outcomes, json);
        if !self.chosen.confirm(verb, &devices, would, true, tell)? {
            return Ok(());
        }
        let what = format!("telling {} to revoke", resource.server());
        let outcomes = progress::shown(&what, revoke(resource, devices)).await?;
        told::ended(outcomes, json)
    }
}
