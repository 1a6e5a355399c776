//! The program `gatehand-server`: the commands of a server alone, for machines that are no scanner.

use clap::{Command, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::error::CliError;
use super::program::{LogArguments, Program};
use super::program_name::ProgramName;
use super::settings::Known;
use super::{admin, demo, documents, exit_code, fleet, program, serve, server_config};

/// What is read from the environment besides what options name.
const ENVIRONMENT: &str = "\
Environment:
  GATEHAND_SETTINGS
                   a file with more of these variables, or with settings if its
                   name ends with .toml; else /etc/gatehand/server.toml and, for
                   what that does not say, /etc/gatehand/server.env
  NO_COLOR         no colours, whatever its value
  GATEHAND_CORE_DUMPS
                   not empty: lets the system keep core dumps, and debuggers attach
  GATEHAND_FLEET_URL, GATEHAND_FLEET_TOKEN
                   the server that gatehand-server fleet manages devices at, and a
                   team's token for it, which no other server gets
  CREDENTIALS_DIRECTORY
                   where a service's server finds its secret, as gatehand-secret";

/// The server that ticket scanners enrol at: serves the devices resource and the device API, and sets
/// both up.
#[derive(Parser)]
#[command(
    name = "gatehand-server",
    version,
    after_help = format!("{}\n\n{ENVIRONMENT}", exit_code::TABLE),
    max_term_width = 100
)]
struct ServerCommandLine {
    #[command(subcommand)]
    command: ServerCommand,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Subcommand)]
enum ServerCommand {
    Serve(Box<serve::Serve>),
    Admin(Box<admin::Admin>),
    Fleet(Box<fleet::Fleet>),
    Demo(demo::Demo),
    Config(server_config::ServerConfig),
    Completions(documents::Completions),
    Man(documents::Man),
}

/// The same with examples that name this program.
pub(super) struct ServerArguments(ServerCommandLine);

impl CommandFactory for ServerArguments {
    fn command() -> Command {
        ServerCommandLine::command().mut_subcommands(with_own_examples)
    }

    fn command_for_update() -> Command {
        Self::command()
    }
}

impl FromArgMatches for ServerArguments {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        ServerCommandLine::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Program for ServerArguments {
    const NAME: ProgramName = ProgramName::Server;
    const SETTINGS: Known =
        Known::of_server(&["/etc/gatehand/server.toml", "/etc/gatehand/server.env"]);

    fn log(&self) -> &LogArguments {
        &self.0.log
    }

    fn is_for_scripts(&self) -> bool {
        match &self.0.command {
            ServerCommand::Admin(command) => command.json,
            ServerCommand::Fleet(command) => command.json,
            ServerCommand::Config(command) => command.json,
            ServerCommand::Serve(_)
            | ServerCommand::Demo(_)
            | ServerCommand::Completions(_)
            | ServerCommand::Man(_) => false,
        }
    }

    fn run(self) -> Result<(), CliError> {
        match self.0.command {
            ServerCommand::Serve(command) => command.run(serve_again),
            ServerCommand::Admin(command) => command.run(),
            ServerCommand::Fleet(command) => command.run(),
            ServerCommand::Demo(command) => command.run(),
            ServerCommand::Config(command) => command.run(),
            ServerCommand::Completions(command) => command.run(Self::command()),
            ServerCommand::Man(command) => command.run(Self::command()),
        }
    }
}

/// How much it is to log by now, and what its files of settings say.
fn serve_again() -> Result<Option<serve::Again>, CliError> {
    let again = program::read_again::<ServerArguments>()?;
    Ok(again.map(|(arguments, said)| serve::Again {
        log: arguments.log().log,
        said,
    }))
}

fn with_own_examples(command: Command) -> Command {
    let own = command.get_after_help().map(|help| {
        let help = help.to_string();
        let own = OWN.iter();
        own.fold(help, |help, (of_all, own)| help.replace(of_all, own))
    });
    let command = match own {
        Some(help) => command.after_help(help),
        None => command,
    };
    command.mut_subcommands(with_own_examples)
}

/// What stands in examples, and what stands there for this program.
const OWN: [(&str, &str); 8] = [
    ("gatehand serve", "gatehand-server serve"),
    ("gatehand admin", "gatehand-server admin"),
    ("gatehand fleet", "gatehand-server fleet"),
    ("gatehand demo", "gatehand-server demo"),
    ("gatehand completions", "gatehand-server completions"),
    ("gatehand man", "gatehand-server man"),
    ("completion.d/gatehand", "completion.d/gatehand-server"),
    ("/_gatehand", "/_gatehand-server"),
];
