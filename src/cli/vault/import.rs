//! `gatehand vault import`: this machine becomes a device that was on another one.

use std::path::PathBuf;

use clap::Args;

use super::{ask, export_file};
use crate::agent::{Course, InitializeOptions};
use crate::cli::connection_arguments::ConnectionArguments;
use crate::cli::device::{KeepingArguments, Outcome, is_copy, not_replaced};
use crate::cli::error::CliError;
use crate::cli::{input, progress, runtime};

const EXAMPLES: &str = "\
Examples:
  gatehand vault import lane-7.gatehand
  gatehand vault import lane-7.gatehand --passphrase-file /root/passphrase
  gatehand vault import lane-7.gatehand --replace --revoke-old";

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
    /// Give up the device that is enrolled here, an unfinished enrolment or an unusable vault.
    #[arg(long)]
    replace: bool,
    /// Revoke the device that is given up, once the new one is safe in the vault. Without it that
    /// device stays active on its server.
    #[arg(long, requires = "replace")]
    revoke_old: bool,
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
        let options = InitializeOptions {
            replace: self.replace,
            revoke_old: self.revoke_old,
            allow_http: self.allow_http,
            ..InitializeOptions::default()
        };
        let own = self.connection.hardware.own(&self.keeping.folder()?);
        let is_copy = is_copy(&agent, &own);
        let imported = runtime::for_calls()?.block_on(async {
            let imported = progress::shown(&what, agent.import(moved, &options)).await;
            let imported = imported.map_err(|error| not_replaced(error, self.revoke_old))?;
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
            replaced: imported.replaced,
            given_up: imported.given_up,
            mapping: None,
            is_elsewhere: is_copy,
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
