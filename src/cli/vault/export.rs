//! `gatehand vault export`: the device in a file, for other hardware.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{ask, export_file};
use crate::agent::{Agent, AgentError, Identity};
use crate::cli::connection_arguments::ConnectionArguments;
use crate::cli::device;
use crate::cli::error::CliError;
use crate::cli::status::OtherDevice;
use crate::cli::{output, progress, runtime};
use crate::private_file;

const EXAMPLES: &str = "\
Examples:
  gatehand vault export lane-7.gatehand
  gatehand vault export lane-7.gatehand --passphrase-file /root/passphrase";

/// Write this device into a file, under a passphrase, for another machine that is to be it.
///
/// It works here until the file was imported there. What was begun is finished before.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Export {
    /// The file to write, which must not be there.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The passphrase, or - for standard input; asked for at a terminal unless given.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What `--json` prints.
#[derive(Serialize)]
struct ExportDocument<'a> {
    file: String,
    #[serde(flatten)]
    device: OtherDevice<'a>,
}

impl Export {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = device::agent(&self.connection)?;
        let name = self.file.display().to_string();
        let unwritable = |source| CliError::Write {
            name: name.clone(),
            source,
        };
        let file = std::path::absolute(&self.file).map_err(unwritable)?;
        if file.symlink_metadata().is_ok() {
            return Err(unwritable(std::io::ErrorKind::AlreadyExists.into()));
        }
        self.refuse_if_none_leaves(&agent)?;
        let passphrase = ask::for_sealing(self.passphrase_file.as_deref(), &name)?;
        // What was begun while it was typed belongs to the device, too.
        let what = format!("asking {}", device::server_name(&agent));
        let moved = runtime::for_calls()?.block_on(progress::shown(&what, agent.export()))?;
        let contents = export_file::write(&moved, &passphrase).map_err(CliError::NewPassphrase)?;
        private_file::create(&file, &contents).map_err(unwritable)?;
        let heading = "This device is in the file.";
        let identity: &Identity = moved.identity();
        let told = match self.json {
            true => output::print_json(&ExportDocument {
                file: name,
                device: OtherDevice::of(identity),
            }),
            false => output::print_heading(heading).and_then(|()| {
                output::print_table(&[("Device", identity.in_words()), ("File", name)])
            }),
        };
        output::say(
            "It works here until gatehand vault import has read the file on the other machine. Then remove the file, and this vault.",
        );
        output::has_told(told, heading)
    }

    /// Says before anything is typed that there is no device to export.
    fn refuse_if_none_leaves(&self, agent: &Agent) -> Result<(), CliError> {
        match agent.status()?.hindrance {
            // What was begun is gone on with.
            Some(AgentError::Enrolling { .. }) | None => Ok(()),
            Some(error) => Err(error.into()),
        }
    }
}
