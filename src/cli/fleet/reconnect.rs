//! `gatehand fleet reconnect`.

use clap::Args;

use super::chosen::Chosen;
use super::handing_out::HandingOut;
use crate::cli::error::CliError;
use crate::cli::progress;
use crate::fleet::{FleetDevice, Resource, reconnect};

/// Give devices a new code, for scanners that were reset or replaced. The device stays the same: its number, its
/// name, its gate.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet reconnect 7\n  gatehand fleet reconnect 7 --now --qr-dir codes"
)]
pub(super) struct Reconnect {
    #[command(flatten)]
    chosen: Chosen,
    /// End the access of the scanner that is this device now at once, and not only when the new code is used.
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    handing_out: HandingOut,
}

impl Reconnect {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let what = format!("asking {}", resource.server());
        let devices = progress::shown(&what, self.chosen.devices(resource)).await?;
        let would = |device: &FleetDevice| !device.device.revoked;
        let verb = match self.now {
            true => "End the scanner's access and make a new code for",
            false => "Make a new code for",
        };
        if !self.chosen.confirm(verb, &devices, would, self.now, json)? {
            return Ok(());
        }
        let prepared = self.handing_out.prepare(resource.server())?;
        let outcomes = reconnect(resource, devices, self.now);
        let outcomes = progress::shown(&what, outcomes).await;
        prepared.hand_out(outcomes, json)
    }
}
