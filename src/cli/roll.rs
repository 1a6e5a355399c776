//! `gatehand roll`: replaces this device's key.

use clap::Args;

use super::connection_arguments::ConnectionArguments;
use super::device::{KeepingArguments, Outcome};
use super::error::CliError;
use super::runtime;
use super::{device, progress};

const EXAMPLES: &str = "\
Examples:
  gatehand roll
  gatehand roll --json";

/// Replace this device's API key; the server takes the old one no more.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Roll {
    #[command(flatten)]
    keeping: KeepingArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl Roll {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = self.keeping.agent(&self.connection)?;
        let what = format!("asking {} for a new key", device::server_name(&agent));
        let done = runtime::for_calls()?.block_on(progress::shown(&what, agent.roll()))?;
        Outcome::of("roll", &done).show(&agent, "This device has a new key.", self.json)
    }
}
