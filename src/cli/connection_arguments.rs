//! How a command reaches the server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::error::CliError;
use super::hardware_arguments::HardwareArguments;
use crate::agent::{Client, ClientConfig, ClientError, Trust};

/// Flattened into every command that makes calls.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArguments {
    /// Trust the certificates in this file (PEM, or one in DER) besides the built-in ones, which are Mozilla's. They are
    /// kept with the device: later commands need no file.
    #[arg(long, value_name = "FILE", env = "GATEHAND_CA_FILE")]
    ca_file: Option<PathBuf>,
    /// Trust this system's certificates too, from now on as they then are. This and --ca-file replace what
    /// was kept of both; =false alone trusts the built-in ones only.
    #[arg(
        long,
        value_name = "BOOL",
        env = "GATEHAND_SYSTEM_CERTIFICATES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    system_certificates: Option<bool>,
    /// Seconds to keep trying to get answers, for all calls of the command together (60 unless given).
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: Option<u64>,
    #[command(flatten)]
    pub(super) hardware: HardwareArguments,
}

/// Seconds to keep trying unless said otherwise.
const TIMEOUT: u64 = 60;

impl ConnectionArguments {
    /// For the few calls of a command.
    pub(super) fn client(&self) -> Result<Client, CliError> {
        self.client_with(true)
    }

    /// For questions in this time together, also where it can't be set up.
    pub(super) fn client_within(&self, time: Duration) -> Result<Client, ClientError> {
        Client::new(&ClientConfig {
            trust: self.trust_given()?,
            deadline: time,
            is_deadline_shared: true,
            connect_timeout: time.min(Duration::from_secs(10)),
            ..ClientConfig::default()
        })
    }

    /// The time that was given, in seconds.
    pub(super) fn given_timeout(&self) -> Option<u64> {
        self.timeout
    }

    /// For calls without end, each of which has its time.
    pub(super) fn lasting_client(&self) -> Result<Client, CliError> {
        self.client_with(false)
    }

    fn client_with(&self, is_deadline_shared: bool) -> Result<Client, CliError> {
        Ok(Client::new(&ClientConfig {
            trust: self.trust()?,
            deadline: self.timeout(),
            is_deadline_shared,
            ..ClientConfig::default()
        })?)
    }

    /// Whom to trust, if anything is said about it.
    fn trust(&self) -> Result<Option<Trust>, CliError> {
        Ok(self.trust_given()?)
    }

    fn trust_given(&self) -> Result<Option<Trust>, ClientError> {
        trust_given(self.ca_file.as_deref(), self.system_certificates)
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

/// Whom to trust besides the built-in authorities, if anything is said about it.
pub(super) fn trust_given(
    ca_file: Option<&Path>,
    system_certificates: Option<bool>,
) -> Result<Option<Trust>, ClientError> {
    if ca_file.is_none() && system_certificates.is_none() {
        return Ok(None);
    }
    let system = system_certificates.unwrap_or_default();
    let trust = Trust::default().with_system_certificates(system);
    Ok(Some(match ca_file {
        Some(path) => trust.with_file(path)?,
        None => trust,
    }))
}
