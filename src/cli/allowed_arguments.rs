//! The options that say where a device may enrol.

use clap::Args;

use super::error::CliError;
use crate::daemon::AllowedEnrolments;
use crate::enrolment::{Enrolment, ServerUrl};

/// What an image for many kiosks allows, whoever hands it a code.
#[derive(Args)]
#[command(next_help_heading = "Where it may enrol")]
pub(super) struct AllowedArguments {
    /// Send a token to this server only; several with commas between, or each with its own option.
    #[arg(
        long = "allowed-server",
        value_name = "ADDRESS",
        env = "GATEHAND_ALLOWED_SERVERS",
        value_delimiter = ','
    )]
    servers: Vec<ServerUrl>,
    /// Become a device of this organizer only, by its short name as in addresses. A device of another
    /// one is revoked at once.
    #[arg(
        long = "allowed-organizer",
        value_name = "ORGANIZER",
        env = "GATEHAND_ALLOWED_ORGANIZERS",
        value_delimiter = ',',
        value_parser = slug
    )]
    organizers: Vec<String>,
}

/// A short name as servers have them. A slip would have each device revoked that is meant.
fn slug(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_of_one = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match !text.is_empty() && text.chars().all(is_of_one) {
        true => Ok(text.to_owned()),
        false => {
            Err("an organizer's short name is of letters, digits, dots, hyphens and underscores")
        }
    }
}

impl AllowedArguments {
    /// Nothing, if the token may be sent to its server.
    pub(super) fn check(&self, enrolment: &Enrolment) -> Result<(), CliError> {
        match self.servers.is_empty() || self.servers.contains(enrolment.url()) {
            true => Ok(()),
            false => Err(CliError::ServerNotAllowed {
                server: enrolment.url().to_string(),
                allowed: self.servers.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    pub(super) fn organizers(&self) -> Option<Vec<String>> {
        (!self.organizers.is_empty()).then(|| self.organizers.clone())
    }

    /// The same for the agent of a kiosk.
    pub(super) fn into_allowed(self) -> AllowedEnrolments {
        AllowedEnrolments {
            servers: self.servers,
            organizers: self.organizers,
        }
    }

    /// Whether server and organizer are both given, as a source that nobody watches needs it.
    pub(super) fn are_both_given(&self) -> bool {
        !self.servers.is_empty() && !self.organizers.is_empty()
    }
}
