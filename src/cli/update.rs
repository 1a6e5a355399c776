//! `gatehand update`: reports what this device is.

use clap::Args;

use super::connection::ConnectionArguments;
use super::device::Outcome;
use super::facts::OverrideArguments;
use super::{CliError, device, progress};
use crate::facts::Overrides;

const EXAMPLES: &str = "\
Examples:
  gatehand update
  gatehand update --hardware-model \"Kiosk 3\"
  gatehand update --as-found                      (no longer)";

/// Tell the server what this device is.
///
/// Every other command does it too, when something has changed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Update {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    overrides: OverrideArguments,
    /// Forget what was to be reported instead of what is found.
    #[arg(long)]
    as_found: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl Update {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = device::agent(&self.connection)?;
        let what = format!("reporting to {}", device::server_name(&agent));
        let update = agent.update(move |before| match self.as_found {
            true => self.overrides.over(Overrides::default()),
            false => self.overrides.over(before),
        });
        let done = super::runtime()?.block_on(progress::shown(&what, update))?;
        Outcome::of("update", &done).show(
            &agent,
            "The server knows what this device is.",
            self.json,
        )
    }
}
