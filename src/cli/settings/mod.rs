//! The settings of a packaged program, in a file: as TOML, or as variables for its environment. What the service
//! and whoever types a command get is the same.

mod agent_toml;
mod duration;
mod variables_file;

use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::regular_file;

pub(super) use agent_toml::{DoorTable, KEYS, Key, TomlError};
pub(super) use duration::duration;
pub(super) use variables_file::LineError;

/// Names the file; with nothing in it, none is read.
pub(super) const VARIABLE: &str = "GATEHAND_SETTINGS";
const LENGTH_LIMIT: u64 = 64 * 1024;

/// What the file said, once it was read.
static TAKEN: OnceLock<Taken> = OnceLock::new();

/// What a file of settings says.
#[derive(Default)]
pub(super) struct Taken {
    path: PathBuf,
    /// Variables that were set by it, and in which lines.
    variables: Vec<(String, usize)>,
    doors: Vec<DoorTable>,
}

impl Taken {
    /// What was taken over when the program began.
    pub(super) fn by_this_process() -> Option<&'static Self> {
        TAKEN.get()
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The line that set a variable, if the file did.
    pub(super) fn line_of(&self, variable: &str) -> Option<usize> {
        let mut found = self.variables.iter().filter(|(name, _)| name == variable);
        found.next().map(|(_, line)| *line)
    }

    /// The doors that it has.
    pub(super) fn doors(&self) -> &[DoorTable] {
        &self.doors
    }
}

/// Why the settings can't be taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("can't read the settings in {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("line {line} of {} {what}", path.display())]
    Line {
        path: PathBuf,
        line: usize,
        what: LineError,
    },
    #[error("line {line}, column {column} of {}: {what}", path.display())]
    Toml {
        path: PathBuf,
        line: usize,
        column: usize,
        what: TomlError,
    },
}

/// Takes over what the file says of variables that are not set. Only at the start of a program, while it
/// has one thread: it changes the environment.
pub(super) fn take(usual: Option<&str>) -> Result<(), SettingsError> {
    let path = match env::var_os(VARIABLE) {
        Some(path) if path.is_empty() => return Ok(()),
        Some(path) => PathBuf::from(path),
        None => match usual {
            Some(path) => path.into(),
            None => return Ok(()),
        },
    };
    let text = match read(&path) {
        // Whoever names a file means one that is there.
        Err(error) if error.kind() == ErrorKind::NotFound && env::var_os(VARIABLE).is_none() => {
            return Ok(());
        }
        text => text,
    };
    let text = match text {
        Ok(text) => text,
        Err(source) => return Err(SettingsError::Unreadable { path, source }),
    };
    let mut taken = Taken::default();
    for (name, value, line) in said(&path, &text, &mut taken.doors)? {
        // One that is empty is not set, as everywhere.
        if env::var_os(&name).is_none_or(|value| value.is_empty()) {
            set(name.as_ref(), value.as_ref());
            taken.variables.push((name, line));
        }
    }
    let _ = TAKEN.set(Taken { path, ..taken });
    Ok(())
}

/// The variables that the file has, with their values and lines.
fn said(
    path: &Path,
    text: &str,
    doors: &mut Vec<DoorTable>,
) -> Result<Vec<(String, String, usize)>, SettingsError> {
    if path.extension().is_some_and(|ending| ending == "toml") {
        let read = agent_toml::parse(text).map_err(|(at, what)| {
            let (line, column) = place(text, at);
            let path = path.to_owned();
            SettingsError::Toml {
                path,
                line,
                column,
                what,
            }
        })?;
        *doors = read.doors;
        for door in doors {
            (door.line, _) = place(text, door.at);
        }
        let variables = read.variables.into_iter().map(|(name, value, at)| {
            let (line, _) = place(text, at);
            (name.to_owned(), value, line)
        });
        return Ok(variables.collect());
    }
    let pairs = variables_file::parse(text).map_err(|(line, what)| {
        let path = path.to_owned();
        SettingsError::Line { path, line, what }
    })?;
    let owned = pairs
        .into_iter()
        .map(|(name, value, line)| (name.to_owned(), value.to_owned(), line));
    Ok(owned.collect())
}

/// Line and column of a byte, each from one.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_begins = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before
        .get(line_begins..)
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    (before.matches('\n').count() + 1, column)
}

fn read(path: &Path) -> io::Result<String> {
    let bytes = regular_file::read(path, LENGTH_LIMIT)?;
    let text =
        str::from_utf8(&bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    match text.contains('\0') {
        true => Err(io::Error::new(ErrorKind::InvalidData, "it is no text")),
        false => Ok(text.to_owned()),
    }
}

#[allow(unsafe_code, reason = "there is no safe way to set a variable")]
fn set(name: &OsStr, value: &OsStr) {
    // SAFETY: no other thread reads the environment meanwhile, for there is none yet.
    unsafe { env::set_var(name, value) }
}
