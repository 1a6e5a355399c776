//! The `gatehand` command, and the `gatehand-server` command of machines that are no scanner.

#[cfg(feature = "server")]
mod admin;
mod adopt;
mod advice;
mod allowed_arguments;
mod check;
#[cfg(feature = "server")]
mod code_file;
mod config;
mod connection_arguments;
mod core_dumps;
#[cfg(feature = "server")]
mod database_arguments;
#[cfg(feature = "server")]
mod demo;
mod device;
#[cfg(feature = "server")]
mod device_log;
mod documents;
mod doors;
mod enrolment_list;
mod error;
mod event_selection;
mod exit_code;
mod findings;
#[cfg(feature = "server")]
mod fleet;
mod hardware;
mod hardware_arguments;
mod host_name;
mod in_force;
mod info;
mod init;
mod input;
mod log;
mod manual;
mod misuse;
#[cfg(feature = "server")]
mod name;
#[cfg(not(feature = "server"))]
mod other_program;
mod output;
mod override_arguments;
mod program;
mod program_name;
mod progress;
mod repeated;
mod request;
mod revoke;
mod roll;
mod run;
mod runtime;
mod scan;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod server_config;
#[cfg(feature = "server")]
mod server_program;
mod settings;
#[cfg(feature = "server")]
mod spool;
mod status;
mod system_layout;
#[cfg(feature = "server")]
mod table;
#[cfg(feature = "server")]
mod team_token;
mod terminal;
#[cfg(test)]
#[cfg(feature = "server")]
mod troubleshooting;
mod update;
mod vault;
mod vault_folder;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use error::CliError;
use program::{LogArguments, Program};
use program_name::ProgramName;
use settings::{Known, Said};
#[cfg(fuzzing)]
pub use vault::fuzzing;

/// What is read from the environment besides what options name.
const ENVIRONMENT: &str = "\
Environment:
  GATEHAND_HOME    the folder of the vault; else $XDG_DATA_HOME/gatehand, a service's
                   $STATE_DIRECTORY, for root /var/lib/gatehand, or
                   ~/.local/share/gatehand
  GATEHAND_SETTINGS
                   a file with more of these variables, or with settings if its
                   name ends with .toml; else, where it is packaged,
                   /etc/gatehand/agent.toml
  HTTPS_PROXY      a proxy for https to other machines; also ALL_PROXY, NO_PROXY
  SSL_CERT_FILE    what --system-certificates reads in place of the system's; also
                   SSL_CERT_DIR
  NO_COLOR         no colours, whatever its value
  GATEHAND_CORE_DUMPS
                   not empty: lets the system keep core dumps, and debuggers attach
  CREDENTIALS_DIRECTORY
                   where a service's agent finds its vault's key, as
                   gatehand.vault-key, and its server its secret, as gatehand-secret";

/// A hand at the gate: enrols ticket scanners, keeps their API key sealed, and serves the devices
/// resource they enrol at.
#[derive(Parser)]
#[command(version, after_help = format!("{}\n\n{ENVIRONMENT}", exit_code::TABLE), max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Subcommand)]
enum Command {
    // Names that people try; the nearest one that clap would name is roll, which replaces the key.
    #[command(aliases = ["enroll", "enrol", "register"])]
    Init(Box<init::Init>),
    Adopt(Box<adopt::Adopt>),
    Status(status::Status),
    Info(info::Info),
    Update(Box<update::Update>),
    Roll(roll::Roll),
    Revoke(revoke::Revoke),
    Vault(Box<vault::Vault>),
    Run(Box<run::Run>),
    #[command(hide = true)]
    Hardware(hardware::Hardware),
    Check(Box<check::Check>),
    Config(config::Config),
    EventSelection(event_selection::EventSelection),
    Request(Box<request::Request>),
    #[cfg(feature = "server")]
    Serve(Box<serve::Serve>),
    #[cfg(feature = "server")]
    Admin(Box<admin::Admin>),
    #[cfg(feature = "server")]
    Fleet(Box<fleet::Fleet>),
    #[cfg(feature = "server")]
    Demo(demo::Demo),
    /// Serve the devices resource and the device API: starts gatehand-server.
    #[cfg(not(feature = "server"))]
    Serve(other_program::OtherProgram),
    /// Set a server up: starts gatehand-server.
    #[cfg(not(feature = "server"))]
    Admin(other_program::OtherProgram),
    /// Look after an organizer's devices at any compatible server: starts gatehand-server.
    #[cfg(not(feature = "server"))]
    Fleet(other_program::OtherProgram),
    /// Show everything on this machine: starts gatehand-server.
    #[cfg(not(feature = "server"))]
    Demo(other_program::OtherProgram),
    Completions(documents::Completions),
    Man(documents::Man),
}

impl Command {
    fn run(self) -> Result<(), CliError> {
        match self {
            Self::Init(command) => command.run(),
            Self::Adopt(command) => command.run(),
            Self::Status(command) => command.run(),
            Self::Info(command) => command.run(),
            Self::Update(command) => command.run(),
            Self::Roll(command) => command.run(),
            Self::Revoke(command) => command.run(),
            Self::Vault(command) => command.run(),
            Self::Run(command) => command.run(run_again),
            Self::Hardware(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::EventSelection(command) => command.run(),
            Self::Request(command) => command.run(),
            #[cfg(feature = "server")]
            Self::Serve(command) => command.run(serve_again),
            #[cfg(feature = "server")]
            Self::Admin(command) => command.run(),
            #[cfg(feature = "server")]
            Self::Fleet(command) => command.run(),
            #[cfg(feature = "server")]
            Self::Demo(command) => command.run(),
            #[cfg(not(feature = "server"))]
            Self::Serve(command)
            | Self::Admin(command)
            | Self::Fleet(command)
            | Self::Demo(command) => command.run(),
            Self::Completions(command) => command.run(Arguments::command()),
            Self::Man(command) => command.run(Arguments::command()),
        }
    }

    /// Whether its errors are to be JSON too.
    fn is_for_scripts(&self) -> bool {
        match self {
            Self::Init(command) => command.json,
            Self::Adopt(command) => command.json,
            Self::Status(command) => command.json,
            Self::Info(command) => command.json,
            Self::Update(command) => command.json,
            Self::Roll(command) => command.json,
            Self::Revoke(command) => command.json,
            Self::Vault(command) => command.is_for_scripts(),
            Self::Check(command) => command.json,
            Self::Config(command) => command.json,
            Self::EventSelection(command) => command.json,
            Self::Request(command) => command.json,
            #[cfg(feature = "server")]
            Self::Admin(command) => command.json,
            #[cfg(feature = "server")]
            Self::Fleet(command) => command.json,
            #[cfg(feature = "server")]
            Self::Serve(_) | Self::Demo(_) => false,
            #[cfg(not(feature = "server"))]
            Self::Serve(command)
            | Self::Admin(command)
            | Self::Fleet(command)
            | Self::Demo(command) => command.is_for_scripts(),
            Self::Hardware(_) | Self::Run(_) | Self::Completions(_) | Self::Man(_) => false,
        }
    }
}

/// The arguments of `gatehand run` by what the file of settings says now, if there is one.
fn run_again() -> Result<Option<(run::Run, Said)>, CliError> {
    let again = program::read_again::<Arguments>()?;
    Ok(again.and_then(|(arguments, said)| match arguments.command {
        Command::Run(run) => Some((*run, said)),
        _ => None,
    }))
}

/// How much `gatehand serve` is to log by now, and what its file of settings says.
#[cfg(feature = "server")]
fn serve_again() -> Result<Option<serve::Again>, CliError> {
    let again = program::read_again::<Arguments>()?;
    Ok(again.map(|(arguments, said)| serve::Again {
        log: arguments.log.log,
        said,
    }))
}

impl Program for Arguments {
    const NAME: ProgramName = ProgramName::Gatehand;
    // What is built with the server too is run from a source tree, beside a packaged one perhaps.
    const SETTINGS: Known = Known::of_agent(match cfg!(feature = "server") {
        true => &[],
        false => &["/etc/gatehand/agent.toml"],
    });

    fn log(&self) -> &LogArguments {
        &self.log
    }

    fn is_for_scripts(&self) -> bool {
        self.command.is_for_scripts()
    }

    fn run(self) -> Result<(), CliError> {
        self.command.run()
    }
}

/// Runs the command of `gatehand` that the process was started with.
pub fn main() -> ExitCode {
    program::main::<Arguments>()
}

/// Runs the command of `gatehand-server` that the process was started with.
#[cfg(feature = "server")]
pub fn server_main() -> ExitCode {
    program::main::<server_program::ServerArguments>()
}

#[cfg(test)]
mod tests;
