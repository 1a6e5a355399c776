//! `gatehand update`: reports what this device is.

use clap::Args;

use super::connection_arguments::ConnectionArguments;
use super::device::Outcome;
use super::error::CliError;
use super::override_arguments::OverrideArguments;
use super::runtime;
use super::{device, progress};
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
        let done = runtime::for_calls()?.block_on(progress::shown(&what, update))?;
        Outcome::of("update", &done).show(
            &agent,
            "The server knows what this device is.",
            self.json,
        )
    }
}
