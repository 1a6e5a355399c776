//! `gatehand vault import`: this machine becomes a device that was on another one.

use std::path::PathBuf;

use clap::Args;

use super::{ask, export_file};
use crate::agent::Course;
use crate::cli::connection_arguments::ConnectionArguments;
use crate::cli::device::{KeepingArguments, Outcome};
use crate::cli::error::CliError;
use crate::cli::{input, progress, runtime};

const EXAMPLES: &str = "\
Examples:
  gatehand vault import lane-7.gatehand
  gatehand vault import lane-7.gatehand --passphrase-file /root/passphrase";

/// Become the device in a file that gatehand vault export has written on another machine.
///
/// Its key is replaced, after which that machine has no access any more, nor has anyone else with the file. Without a
/// connection that is begun, and the next command finishes it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Import {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The passphrase, or - for standard input; asked for at a terminal unless given.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Send the key unencrypted to a server that is not on this machine.
    #[arg(long)]
    allow_http: bool,
    #[command(flatten)]
    keeping: KeepingArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = self.keeping.agent(&self.connection)?;
        let name = input::name(&self.file);
        let bytes = input::read_key_file(&self.file, export_file::LIMIT)?;
        let sealed = export_file::read(&bytes).map_err(|source| CliError::Passphrase {
            name: name.clone(),
            source,
        })?;
        let (moved, _) = ask::opened(self.passphrase_file.as_deref(), &name, |passphrase| {
            export_file::open(&sealed, passphrase)
        })?;
        let what = format!("asking {}", moved.identity().server.origin());
        let imported = runtime::for_calls()?.block_on(async {
            let imported = agent.import(moved, self.allow_http);
            let imported = progress::shown(&what, imported).await?;
            if imported.unfinished.is_none() {
                // The device is here by now; that it could not report this machine yet is not a failure.
                let reported = agent.update(|overrides| overrides);
                if let Err(error) = progress::shown(&what, reported).await {
                    error.warn();
                }
            }
            Ok::<_, CliError>(imported)
        })?;
        let heading = match imported.unfinished {
            None => "This machine is the device now.",
            Some(_) => "The device is here, and its key is still that of the other machine.",
        };
        let outcome = Outcome {
            command: "vault import",
            course: Course::Done,
            replaced: None,
            given_up: None,
            mapping: None,
            is_elsewhere: false,
            from_list: None,
        };
        outcome.show(&agent, heading, self.json)?;
        match imported.unfinished {
            None => Ok(()),
            Some(source) => Err(CliError::NotRolled {
                source: Box::new(source),
            }),
        }
    }
}
