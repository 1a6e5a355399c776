//! What the programs `gatehand` and `gatehand-server` have in common: reads arguments, runs one command,
//! reports how it went.

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches};
use tracing::level_filters::LevelFilter;

use super::error::CliError;
use super::program_name::ProgramName;
use super::settings::{Known, Said, Taken};
use super::{core_dumps, exit_code, log, misuse, output, settings};

/// The arguments of a program.
pub(super) trait Program: CommandFactory + FromArgMatches {
    /// What it is called.
    const NAME: ProgramName;
    /// Its settings.
    const SETTINGS: Known;

    /// How to log.
    fn log(&self) -> &LogArguments;
    /// Whether its errors are to be JSON too.
    fn is_for_scripts(&self) -> bool;
    /// Runs the command that they name.
    fn run(self) -> Result<(), CliError>;
}

/// How to log.
#[derive(Args)]
pub(super) struct LogArguments {
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
    pub(super) log: LevelFilter,
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

fn log_level() -> impl TypedValueParser<Value = LevelFilter> {
    PossibleValuesParser::new(["off", "error", "warn", "info", "debug", "trace"])
        .try_map(|level| level.parse::<LevelFilter>())
}

/// Runs the command the process was started with.
pub(super) fn main<P: Program>() -> ExitCode {
    core_dumps::prevent();
    P::NAME.is_of_this_process();
    if let Err(error) = settings::take(P::SETTINGS) {
        return report(&error.into(), false);
    }
    let parsed = without_empty_variables(P::command()).try_get_matches();
    let arguments = parsed.and_then(|parsed| P::from_arg_matches(&parsed));
    let arguments = arguments.unwrap_or_else(|error| misuse::end(&error, &P::command()));
    let is_for_scripts = arguments.is_for_scripts();
    let LogArguments { log, log_format } = arguments.log();
    let log_format = log_format.unwrap_or(match is_for_scripts {
        true => log::Format::Json,
        false => log::Format::Text,
    });
    log::to_standard_error(*log, log_format);
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough, as in `gatehand status | head -1`.
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => report(&error, is_for_scripts),
    }
}

/// The arguments as they would be if the process began now, with what the file of settings says by now; nothing if none
/// was read.
pub(super) fn read_again<P: Program>() -> Result<Option<(P, Said)>, CliError> {
    let Some(taken) = Taken::by_this_process() else {
        return Ok(None);
    };
    let said = taken.read_again()?;
    let command = said.in_place_of(taken, without_empty_variables(P::command()));
    let parsed = command.clone().try_get_matches();
    let arguments = parsed.and_then(|parsed| P::from_arg_matches(&parsed));
    match arguments {
        Ok(arguments) => Ok(Some((arguments, said))),
        Err(error) => Err(CliError::Setting(misuse::in_a_line(&error, &command))),
    }
}

fn report(error: &CliError, is_for_scripts: bool) -> ExitCode {
    let code = exit_code::of(error);
    match is_for_scripts {
        true => output::complain_in_json(error, code),
        false => output::complain(error),
    }
    code.into()
}

/// A variable of the environment that is empty is one that is not set.
pub(super) fn without_empty_variables(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let value = argument.get_env().and_then(std::env::var_os);
        match value.is_some_and(|value| value.is_empty()) {
            true => argument.env(None::<&str>),
            false => argument,
        }
    });
    command.mut_subcommands(without_empty_variables)
}
