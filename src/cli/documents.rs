//! `gatehand completions` and `gatehand man`: what packagers and shells need.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, CliError};

/// Print a shell's completions.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand completions bash > /etc/bash_completion.d/gatehand\n  gatehand completions zsh > \"${fpath[1]}/_gatehand\""
)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Print the manual page, or write those of all commands into a folder.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand man | man -l -\n  gatehand man --into /usr/local/share/man/man1"
)]
pub(super) struct Man {
    /// Write one page a command into this folder.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut command = Arguments::command();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "gatehand", &mut script);
        Ok(io::Write::write_all(&mut io::stdout(), &script)?)
    }
}

impl Man {
    pub(super) fn run(self) -> Result<(), CliError> {
        let command = Arguments::command();
        match self.into {
            None => Ok(clap_mangen::Man::new(command).render(&mut io::stdout())?),
            Some(folder) => {
                let failed = |source| CliError::Write {
                    name: folder.display().to_string(),
                    source,
                };
                fs::create_dir_all(&folder).map_err(failed)?;
                clap_mangen::generate_to(command, &folder).map_err(failed)
            }
        }
    }
}
