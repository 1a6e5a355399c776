//! Commands that only `gatehand-server` has, where this program is the agent alone: it starts that one,
//! with the same arguments.

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use super::error::CliError;

const PROGRAM: &str = "gatehand-server";
/// Where its package has it.
const PACKAGED: &str = "/usr/bin";

/// A command of gatehand-server, which is started for it.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(super) struct OtherProgram {
    /// What that program is given; --help tells of it.
    #[arg(
        value_name = "ARGUMENT",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

impl OtherProgram {
    /// Whether errors are to be JSON.
    pub(super) fn is_for_scripts(&self) -> bool {
        self.arguments.iter().any(|argument| argument == "--json")
    }

    /// Becomes that program.
    pub(super) fn run(self) -> Result<(), CliError> {
        let beside = env::current_exe().ok();
        let beside = beside.as_deref().and_then(Path::parent);
        let program = find(beside).ok_or(CliError::NoServerProgram)?;
        let source = Command::new(&program).args(env::args_os().skip(1)).exec();
        Err(CliError::ServerProgram { program, source })
    }
}

/// Beside this program, or where it is packaged. Not in the folders of `PATH`: root's command would start
/// whatever is there.
fn find(beside: Option<&Path>) -> Option<PathBuf> {
    let folders = beside.into_iter().chain([Path::new(PACKAGED)]);
    let mut programs = folders.map(|folder| folder.join(PROGRAM));
    programs.find(|program| program.is_file())
}
