//! `gatehand hardware`: the step of a service that may read more than the service itself.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use crate::facts::hardware_file;
use crate::public_file;

/// Read what only root may of this machine's serial numbers, and leave it hashed for a service.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatehand hardware --write /run/gatehand/hardware-id")]
pub(super) struct Hardware {
    /// The file to replace; standard output unless given.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

impl Hardware {
    pub(super) fn run(self) -> Result<(), CliError> {
        let text = hardware_file(Path::new("/"));
        match &self.write {
            Some(path) => match public_file::write(path, &text) {
                Ok(_) => Ok(()),
                Err(source) => Err(CliError::Write {
                    name: path.display().to_string(),
                    source,
                }),
            },
            None => Ok(std::io::stdout().write_all(text.as_bytes())?),
        }
    }
}
