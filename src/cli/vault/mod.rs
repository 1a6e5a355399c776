//! `gatehand vault`: the vault and the hardware that it is on.

mod adopt_hardware;

use clap::{Args, Subcommand};

use super::error::CliError;

/// Bind the vault to other hardware.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatehand vault adopt-hardware")]
pub(super) struct Vault {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    AdoptHardware(adopt_hardware::AdoptHardware),
}

impl Vault {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.command {
            Command::AdoptHardware(command) => command.run(),
        }
    }

    pub(super) fn is_for_scripts(&self) -> bool {
        match &self.command {
            Command::AdoptHardware(command) => command.json,
        }
    }
}
