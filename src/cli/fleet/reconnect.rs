//! `gatehand fleet reconnect`.

use clap::Args;

use super::chosen::Chosen;
use super::handing_out::{self, HandingOut};
use crate::cli::error::CliError;
use crate::cli::progress;
use crate::fleet::{FleetDevice, Outcome, Reconnecting, Resource, reconnect};

/// Give devices a new code, for scanners that were reset or replaced. The device stays the same: its number, its
/// name, its gate. A code that was not used yet stays good, and is handed out again.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet reconnect 7\n  gatehand fleet reconnect 7 --now --qr-dir codes\n  gatehand fleet reconnect --all-matching gate=north --sheet labels.pdf"
)]
pub(super) struct Reconnect {
    #[command(flatten)]
    chosen: Chosen,
    /// End the access of the scanner that is this device now at once, and not only when the new code is used.
    #[arg(long)]
    now: bool,
    /// Make another code, too, for devices that have one which was not used yet: that one is good for nothing then.
    #[arg(long)]
    again: bool,
    #[command(flatten)]
    handing_out: HandingOut,
}

impl Reconnect {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let what = format!("asking {}", resource.server());
        let devices = progress::shown(&what, self.chosen.devices(resource)).await?;
        let how = Reconnecting {
            now: self.now,
            again: self.again,
        };
        let would = |device: &FleetDevice| how.concerns(device);
        let tell = |outcomes: &[Outcome]| handing_out::tell(outcomes, resource.server(), json);
        let verb = match self.now {
            true => "End the scanner's access and make a new code for",
            false => "Make a new code for",
        };
        if !self.chosen.confirm(verb, &devices, would, true, tell)? {
            return Ok(());
        }
        let prepared = self.handing_out.prepare(resource)?;
        let outcomes = reconnect(resource, devices, how);
        let outcomes = progress::shown(&what, outcomes).await?;
        prepared.hand_out(outcomes, json)
    }
}
