//! `gatehand vault adopt-hardware`: binds the vault to the hardware that it is on.

use std::io::{self, IsTerminal};

use clap::Args;

use crate::agent::{Agent, AgentError, Course, Kinship};
use crate::cli::connection_arguments::ConnectionArguments;
use crate::cli::device::{KeepingArguments, Outcome, server_name};
use crate::cli::error::CliError;
use crate::cli::{input, output, progress, runtime};

/// As `--json` names it.
const COMMAND: &str = "vault adopt-hardware";

const EXAMPLES: &str = "\
Examples:
  gatehand vault adopt-hardware           (asks, when run in a terminal)
  gatehand vault adopt-hardware --yes";

/// Bind the vault to this hardware, as after a repair, and replace its key.
///
/// Any other copy of the vault stops working: of a card that was copied, whoever does this first is the device.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AdoptHardware {
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    keeping: KeepingArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl AdoptHardware {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = self.keeping.agent(&self.connection)?;
        let own = self.connection.hardware.own(&self.keeping.folder()?);
        if own.ids.is_empty() {
            return Err(AgentError::NoHardware.into());
        }
        let status = agent.status()?;
        if status.kinship(&own) == Kinship::Same && status.pending.is_none() {
            return self.tell_of_nothing(&agent);
        }
        if let (Some(identity), false) = (status.identity, self.yes) {
            if !io::stdin().is_terminal() {
                return Err(CliError::NotConfirmed);
            }
            let answer = input::ask_for(&format!(
                "Any other copy of the vault of {}, as on the card that this one was made of, stops working. Type yes: ",
                identity.in_words()
            ));
            match answer {
                Ok(answer) if ["y", "yes"].contains(&answer.to_lowercase().as_str()) => {}
                Ok(_) | Err(CliError::NoInput) => return Err(CliError::NotConfirmed),
                Err(error) => return Err(error),
            }
        }
        let what = format!("asking {} for a new key", server_name(&agent));
        let adopted = progress::shown(&what, agent.adopt_hardware());
        let done = runtime::for_calls()?.block_on(adopted)?;
        let heading = "The vault is bound to this hardware, and the device has a new key.";
        Outcome::of(COMMAND, &done).show(&agent, heading, self.json)
    }

    /// That the vault is bound to this hardware, and no other copy was to be ended by that.
    fn tell_of_nothing(&self, agent: &Agent) -> Result<(), CliError> {
        let outcome = Outcome {
            command: COMMAND,
            course: Course::DoneBefore,
            replaced: None,
            given_up: None,
            mapping: None,
            is_elsewhere: false,
            from_list: None,
        };
        let heading = "The vault is bound to this hardware already: there is nothing to adopt.";
        outcome.show(agent, heading, self.json)?;
        if !self.json {
            output::say(
                "Nothing was done. If there is another copy of it, gatehand roll here ends that: it replaces the key.",
            );
        }
        Ok(())
    }
}
