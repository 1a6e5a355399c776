//! Which server, with which token, and which organizer's devices.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::agent::{Client, ClientConfig};
use crate::cli::connection_arguments::trust_given;
use crate::cli::error::CliError;
use crate::cli::team_token::{TeamToken, TeamTokenError};
use crate::fleet::{Origin, Resource};

/// Flattened into the command, for all below it.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub(super) struct Access {
    #[allow(
        rustdoc::bare_urls,
        reason = "it is the text of the help, which knows no links"
    )]
    /// The file with a team's token and the server that it is for, which alone gets it: lines as
    /// GATEHAND_FLEET_URL=https://tickets.example and GATEHAND_FLEET_TOKEN=…, and perhaps
    /// GATEHAND_FLEET_ORGANIZER=bigevents. Without it, both are taken from the environment.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "GATEHAND_FLEET_TOKEN_FILE",
        display_order = 910
    )]
    token_file: Option<PathBuf>,
    /// Slug of the organizer whose devices they are.
    #[arg(
        long,
        global = true,
        value_name = "SLUG",
        env = "GATEHAND_FLEET_ORGANIZER",
        display_order = 910
    )]
    organizer: Option<String>,
    /// Send the token unencrypted where the address says http://. Whoever is in between reads it, and can do all that its
    /// team may.
    #[arg(long, global = true, display_order = 910)]
    allow_http: bool,
    /// Trust the certificates in this file (PEM, or one in DER) besides the built-in ones, which are Mozilla's.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "GATEHAND_CA_FILE",
        display_order = 910
    )]
    ca_file: Option<PathBuf>,
    /// Trust this system's certificates too.
    #[arg(
        long,
        global = true,
        value_name = "BOOL",
        env = "GATEHAND_SYSTEM_CERTIFICATES",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new(),
        display_order = 910
    )]
    system_certificates: Option<bool>,
    /// Seconds to keep trying to get an answer, for each call.
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=600),
        display_order = 910
    )]
    timeout: u64,
}

impl Access {
    /// The devices that are meant, of which nothing is asked yet.
    pub(super) fn open(&self) -> Result<Resource, CliError> {
        let TeamToken {
            server,
            token,
            organizer,
        } = TeamToken::read(self.token_file.as_deref(), self.allow_http)?;
        let organizer = self.organizer.clone().or(organizer);
        let organizer = organizer.ok_or(TeamTokenError::NoOrganizer)?;
        let client = Client::new(&ClientConfig {
            trust: trust_given(self.ca_file.as_deref(), self.system_certificates)?,
            deadline: Duration::from_secs(self.timeout),
            ..ClientConfig::default()
        })?;
        Ok(Resource::new(client, Origin { server, token }, organizer)?)
    }
}
