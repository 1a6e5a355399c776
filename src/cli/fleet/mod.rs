//! `gatehand fleet`: an organizer's devices at any compatible server, over its API and with a team's token.

mod access;
mod chosen;
mod columns;
mod create;
mod edit;
mod handing_out;
mod list;
mod log;
mod reconnect;
mod revoke;
mod show;
mod told;
mod watch;

use clap::{Args, Subcommand};

use super::error::CliError;
use super::runtime;
use access::Access;

const EXAMPLES: &str = "\
Examples:
  gatehand fleet list --token-file team.env
  gatehand fleet create --count 60 --name 'Lane {:02}' \\
      --all-events --sheet labels.pdf
  gatehand fleet watch
  gatehand fleet move 7 8 'Lane 09' --gate north
  gatehand fleet revoke --all-matching gate=north,initialized=no

team.env, which only its owner may read:
  GATEHAND_FLEET_URL=https://tickets.example
  GATEHAND_FLEET_TOKEN=…
  GATEHAND_FLEET_ORGANIZER=bigevents

A device is named by its number, its serial or its name. A command says for each device what became of it, as the server
tells afterwards; the same command again does what is left.";

/// Look after an organizer's devices at any compatible server, this one or a pretix, with a team's token.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Fleet {
    #[command(flatten)]
    access: Access,
    /// Print JSON.
    #[arg(long, global = true, display_order = 900)]
    pub(super) json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(list::List),
    Watch(watch::Watch),
    Create(Box<create::Create>),
    Show(show::Show),
    Move(edit::Move),
    Edit(edit::Edit),
    Revoke(revoke::Revoke),
    Reconnect(reconnect::Reconnect),
    Log(log::Log),
}

impl Fleet {
    pub(super) fn run(self) -> Result<(), CliError> {
        let resource = self.access.open()?;
        let (resource, json) = (&resource, self.json);
        runtime::for_calls()?.block_on(async {
            match self.command {
                Command::List(command) => command.run(resource, json).await,
                Command::Watch(command) => command.run(resource, json).await,
                Command::Create(command) => command.run(resource, json).await,
                Command::Show(command) => command.run(resource, json).await,
                Command::Move(command) => command.run(resource, json).await,
                Command::Edit(command) => command.run(resource, json).await,
                Command::Revoke(command) => command.run(resource, json).await,
                Command::Reconnect(command) => command.run(resource, json).await,
                Command::Log(command) => command.run(resource, json).await,
            }
        })
    }
}
