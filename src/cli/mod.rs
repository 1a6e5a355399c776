//! The `gatehand` command: reads arguments, runs one command, reports how it went.

#[cfg(feature = "server")]
mod admin;
mod adopt;
mod advice;
mod allowed_arguments;
mod connection_arguments;
mod core_dumps;
#[cfg(feature = "server")]
mod database_arguments;
#[cfg(feature = "server")]
mod demo;
mod device;
mod documents;
mod enrolment_list;
mod error;
mod event_selection;
mod exit_code;
mod host_name;
mod info;
mod init;
mod input;
mod log;
mod manual;
mod misuse;
mod output;
mod override_arguments;
mod progress;
mod repeated;
mod request;
mod revoke;
mod roll;
mod runtime;
mod scan;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod spool;
mod status;
mod system_layout;
mod terminal;
mod update;

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use error::CliError;

/// What is read from the environment besides what options name.
const ENVIRONMENT: &str = "\
Environment:
  GATEHAND_HOME    the folder of the vault; else $XDG_DATA_HOME/gatehand, a service's
                   $STATE_DIRECTORY, for root /var/lib/gatehand, or
                   ~/.local/share/gatehand
  HTTPS_PROXY      a proxy for https to other machines; also ALL_PROXY, NO_PROXY
  SSL_CERT_FILE    what --system-certificates reads in place of the system's; also
                   SSL_CERT_DIR
  NO_COLOR         no colours, whatever its value
  GATEHAND_CORE_DUMPS
                   not empty: lets the system keep core dumps, and debuggers attach
  CREDENTIALS_DIRECTORY
                   where a service's server finds its secret, as gatehand-secret";

fn log_level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["off", "error", "warn", "info", "debug", "trace"])
        .try_map(|level| level.parse::<LevelFilter>())
}

/// A hand at the gate: enrols ticket scanners, keeps their API key sealed, and serves the devices
/// resource they enrol at.
#[derive(Parser)]
#[command(version, after_help = format!("{}\n\n{ENVIRONMENT}", exit_code::TABLE), max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How much to log on standard error.
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        env = "GATEHAND_LOG",
        default_value = "warn",
        ignore_case = true,
        value_parser = log_level(),
        help_heading = "Log",
        display_order = 920
    )]
    log: LevelFilter,
    /// How to write the log; JSON with --json, else text.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        env = "GATEHAND_LOG_FORMAT",
        help_heading = "Log",
        display_order = 920
    )]
    log_format: Option<log::Format>,
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
    EventSelection(event_selection::EventSelection),
    Request(Box<request::Request>),
    #[cfg(feature = "server")]
    Serve(serve::Serve),
    #[cfg(feature = "server")]
    Admin(Box<admin::Admin>),
    #[cfg(feature = "server")]
    Demo(demo::Demo),
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
            Self::EventSelection(command) => command.run(),
            Self::Request(command) => command.run(),
            #[cfg(feature = "server")]
            Self::Serve(command) => command.run(),
            #[cfg(feature = "server")]
            Self::Admin(command) => command.run(),
            #[cfg(feature = "server")]
            Self::Demo(command) => command.run(),
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
            Self::EventSelection(command) => command.json,
            Self::Request(command) => command.json,
            #[cfg(feature = "server")]
            Self::Admin(command) => command.json,
            #[cfg(feature = "server")]
            Self::Serve(_) | Self::Demo(_) => false,
            Self::Completions(_) | Self::Man(_) => false,
        }
    }
}

/// Runs the command the process was started with.
pub fn main() -> ExitCode {
    core_dumps::prevent();
    let parsed = without_empty_variables(Arguments::command()).try_get_matches();
    let arguments = parsed.and_then(|parsed| Arguments::from_arg_matches(&parsed));
    let arguments = arguments.unwrap_or_else(|error| misuse::end(&error));
    let is_for_scripts = arguments.command.is_for_scripts();
    let log_format = arguments.log_format.unwrap_or(match is_for_scripts {
        true => log::Format::Json,
        false => log::Format::Text,
    });
    log::to_standard_error(arguments.log, log_format);
    match arguments.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough, as in `gatehand status | head -1`.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let code = exit_code::of(&error);
            if is_for_scripts {
                output::complain_in_json(&error, code);
            } else {
                output::complain(&error);
            }
            code.into()
        }
    }
}

/// A variable of the environment that is empty is one that is not set.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let value = argument.get_env().and_then(std::env::var_os);
        match value.is_some_and(|value| value.is_empty()) {
            true => argument.env(None::<&str>),
            false => argument,
        }
    });
    command.mut_subcommands(without_empty_variables)
}

#[cfg(test)]
mod tests;
