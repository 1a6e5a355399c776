//! How a command reaches the server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::CliError;
use crate::agent::{Client, ClientConfig};

/// Flattened into every command that makes calls.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArguments {
    /// Trust the certificates in this PEM file besides Mozilla's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Trust this system's certificates too.
    #[arg(long)]
    system_certificates: bool,
    /// Seconds to keep trying to get answers, for all calls of the command together (60 unless given).
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: Option<u64>,
}

/// Seconds to keep trying unless said otherwise.
const TIMEOUT: u64 = 60;

impl ConnectionArguments {
    pub(super) fn client(&self) -> Result<Client, CliError> {
        Ok(Client::new(&ClientConfig {
            ca_file: self.ca_file.clone(),
            system_certificates: self.system_certificates,
            deadline: self.timeout(),
            is_deadline_shared: true,
            ..ClientConfig::default()
        })?)
    }

    /// The longest time to keep trying.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(TIMEOUT))
    }

    /// Whether somebody asked for it.
    pub(super) fn is_timeout_given(&self) -> bool {
        self.timeout.is_some()
    }
}
