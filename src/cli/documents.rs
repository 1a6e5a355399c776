//! `gatehand completions` and `gatehand man`, of each program: what packagers and shells need.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::CliError;
use super::manual;

/// Print a shell's completions.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand completions bash > /etc/bash_completion.d/gatehand\n  gatehand completions zsh > \"${fpath[1]}/_gatehand\""
)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

/// Print a manual page, or write those of all commands into a folder.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand man | man -l -\n  gatehand man admin device create | man -l -\n  gatehand man --into /usr/local/share/man/man1"
)]
pub(super) struct Man {
    /// The command whose page to print, or the page's title; without, that of the program itself.
    #[arg(value_name = "COMMAND", conflicts_with = "into")]
    command: Vec<String>,
    /// Write one page a command into this folder.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

impl Completions {
    /// Prints those of a whole command line.
    pub(super) fn run(self, mut command: Command) -> Result<(), CliError> {
        let mut script = Vec::new();
        let name = command.get_name().to_owned();
        clap_complete::generate(self.shell, &mut command, &name, &mut script);
        if self.shell == Shell::Bash {
            script = with_own_name(script, &name);
        }
        Ok(io::stdout().write_all(&script)?)
    }
}

/// In scripts for bash the generator spells a program's name with hyphens in two ways, and then completes nothing
/// below its first word.
fn with_own_name(script: Vec<u8>, name: &str) -> Vec<u8> {
    match String::from_utf8(script) {
        Ok(script) => script
            .replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"))
            .into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

impl Man {
    /// Prints or writes those of a whole command line.
    pub(super) fn run(self, root: Command) -> Result<(), CliError> {
        let mut root = root.disable_help_subcommand(true);
        root.build();
        let Some(folder) = self.into else {
            let command = manual::find(&root, &self.command)
                .ok_or_else(|| CliError::NoCommand(self.command.join(" ")))?;
            let page = manual::page(command, &[])?;
            return Ok(io::stdout().write_all(&page)?);
        };
        let failed = |source| CliError::Write {
            name: folder.display().to_string(),
            source,
        };
        fs::create_dir_all(&folder).map_err(failed)?;
        for (name, page) in manual::pages(&root)? {
            fs::write(folder.join(format!("{name}.1")), page).map_err(failed)?;
        }
        Ok(())
    }
}
