//! `gatehand vault`: where the vault's key lives, and the hardware that it and the device are on.

mod adopt_hardware;
mod ask;
mod export;
mod export_file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod import;
mod key_arguments;
mod new_key;
mod recover;
mod recovery_file;
mod rekey;
mod systemd_creds;

use clap::{Args, Subcommand};

use super::error::CliError;

/// Move the vault's key to another home, or the device to other hardware.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatehand vault rekey --to credential
  gatehand vault export lane-7.gatehand
  gatehand vault import lane-7.gatehand
  gatehand vault adopt-hardware")]
pub(super) struct Vault {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Rekey(rekey::Rekey),
    Recover(recover::Recover),
    Export(export::Export),
    Import(Box<import::Import>),
    AdoptHardware(adopt_hardware::AdoptHardware),
}

impl Vault {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.command {
            Command::Rekey(command) => command.run(),
            Command::Recover(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Import(command) => command.run(),
            Command::AdoptHardware(command) => command.run(),
        }
    }

    pub(super) fn is_for_scripts(&self) -> bool {
        match &self.command {
            Command::Rekey(command) => command.json,
            Command::Recover(command) => command.json,
            Command::Export(command) => command.json,
            Command::Import(command) => command.json,
            Command::AdoptHardware(command) => command.json,
        }
    }
}
