//! `gatehand revoke`: ends this device's access.

use std::io::{self, IsTerminal};

use clap::Args;

use super::connection_arguments::ConnectionArguments;
use super::device::Outcome;
use super::error::CliError;
use super::runtime;
use super::{device, input, progress};
use crate::agent::{Agent, State};

const EXAMPLES: &str = "\
Examples:
  gatehand revoke           (asks, when run in a terminal)
  gatehand revoke --yes";

/// End this device's access for good and destroy its key.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Revoke {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl Revoke {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = device::agent(&self.connection)?;
        if !self.yes {
            confirm(&agent)?;
        }
        let what = format!("telling {} to revoke", device::server_name(&agent));
        let done = runtime::for_calls()?.block_on(progress::shown(&what, agent.revoke()))?;
        Outcome::of("revoke", &done).show(
            &agent,
            "This device is revoked and its key is destroyed.",
            self.json,
        )
    }
}

fn confirm(agent: &Agent) -> Result<(), CliError> {
    let status = agent.status()?;
    // What can't be revoked needs no question: the operation says why.
    let Some(identity) = status
        .identity
        .filter(|_| matches!(status.state, State::Enrolled | State::Rejected))
    else {
        return Ok(());
    };
    if !io::stdin().is_terminal() {
        return Err(CliError::NotConfirmed);
    }
    let answer = input::ask_for(&format!(
        "Revoke {} for good? Type yes: ",
        identity.in_words()
    ));
    match answer {
        Ok(answer) if ["y", "yes"].contains(&answer.to_lowercase().as_str()) => Ok(()),
        Ok(_) | Err(CliError::NoInput) => Err(CliError::NotConfirmed),
        Err(error) => Err(error),
    }
}
