//! The settings of a packaged program, in a file: as TOML, or as variables for its environment. What the service
//! and whoever types a command get is the same.

mod agent_toml;
mod duration;
mod server_toml;
mod toml_file;
mod variables_file;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::regular_file;

pub(super) use agent_toml::{DoorTable, KEYS};
pub(super) use duration::duration;
#[cfg(feature = "server")]
pub(super) use server_toml::KEYS as SERVER_KEYS;
pub(super) use toml_file::{Key, TomlError};
pub(super) use variables_file::LineError;
#[cfg(feature = "server")]
pub(super) use variables_file::parse as variables;

/// Names the file; with nothing in it, none is read.
pub(super) const VARIABLE: &str = "GATEHAND_SETTINGS";
const LENGTH_LIMIT: u64 = 64 * 1024;

/// What the files said, once they were read.
static TAKEN: OnceLock<Taken> = OnceLock::new();

/// Which settings a program has, and where they are.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// The files where it is packaged. What more than one says, the first one does.
    pub(super) usual: &'static [&'static str],
    /// Its keys in TOML.
    pub(super) keys: &'static [Key],
    /// The other program, and what it has that this one has not.
    other: (&'static str, &'static [Key]),
    /// What a file in TOML says.
    parse: fn(&str) -> toml_file::At<agent_toml::AgentToml>,
}

impl Known {
    /// The settings of a scanner.
    pub(super) const fn of_agent(usual: &'static [&'static str]) -> Self {
        Self {
            usual,
            keys: &KEYS,
            other: ("gatehand-server", &server_toml::KEYS),
            parse: agent_toml::parse,
        }
    }

    /// The settings of a server.
    #[cfg(feature = "server")]
    pub(super) const fn of_server(usual: &'static [&'static str]) -> Self {
        Self {
            usual,
            keys: &SERVER_KEYS,
            other: ("gatehand, the agent", &KEYS),
            parse: |text| {
                Ok(agent_toml::AgentToml {
                    variables: server_toml::parse(text)?,
                    ..Default::default()
                })
            },
        }
    }
}

impl Known {
    /// The same, where a key that this program has not is one of the other.
    fn of_which_program(self, what: TomlError) -> TomlError {
        let (program, keys) = self.other;
        match what {
            TomlError::Unknown { key, .. } if keys.iter().any(|other| other.name == key) => {
                TomlError::OtherProgram { key, program }
            }
            what => what,
        }
    }
}

/// What the files of settings say.
pub(super) struct Taken {
    known: Known,
    paths: Vec<PathBuf>,
    /// Variables that were set by one of them, and in which lines.
    variables: Vec<Place>,
    doors: Vec<DoorTable>,
}

/// A variable, the file that set it, and the line there.
struct Place {
    variable: String,
    path: PathBuf,
    line: usize,
}

impl Taken {
    /// What was taken over when the program began.
    pub(super) fn by_this_process() -> Option<&'static Self> {
        TAKEN.get()
    }

    /// The files that were read.
    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// The file and the line that set a variable, if one did.
    pub(super) fn place_of(&self, variable: &str) -> Option<(&Path, usize)> {
        let mut found = self.variables.iter();
        let place = found.find(|place| place.variable == variable)?;
        Some((&place.path, place.line))
    }

    /// The doors that it has.
    pub(super) fn doors(&self) -> &[DoorTable] {
        &self.doors
    }

    /// The value of a variable, if a file set it.
    fn value_of(&self, variable: &str) -> Option<String> {
        self.place_of(variable)?;
        env::var(variable).ok()
    }

    /// What the files say by now. This process' environment stays what it is.
    pub(super) fn read_again(&self) -> Result<Said, SettingsError> {
        let mut said = Said::default();
        for path in &self.paths {
            let text = match read(path) {
                Ok(text) => text,
                Err(source) => {
                    let path = path.clone();
                    return Err(SettingsError::Unreadable { path, source });
                }
            };
            for (name, value, _) in said_in(path, &text, self.known, &mut said.doors)? {
                said.variables.entry(name).or_insert(value);
            }
        }
        Ok(said)
    }

    /// What differs by now and holds only once the program is started again.
    pub(super) fn waits_for_a_start(&self, said: &Said) -> Vec<&'static str> {
        let is_ours = |key: &&Key| {
            // The environment's own goes before the file's.
            let is_elsewhere = self.place_of(key.variable).is_none()
                && env::var_os(key.variable).is_some_and(|value| !value.is_empty());
            !is_elsewhere && !key.may_change()
        };
        let differs =
            |key: &&Key| said.variables.get(key.variable).cloned() != self.value_of(key.variable);
        let keys = self.known.keys.iter().filter(is_ours).filter(differs);
        let mut names: Vec<_> = keys.map(|key| key.name).collect();
        let are_same = self.doors.len() == said.doors.len()
            && self
                .doors
                .iter()
                .zip(&said.doors)
                .all(|(one, other)| one.differs_in_what_passes_only(other));
        if !are_same {
            names.push("door");
        }
        names
    }
}

/// What files say that were read again.
#[derive(Default)]
pub(super) struct Said {
    variables: BTreeMap<String, String>,
    doors: Vec<DoorTable>,
}

impl Said {
    /// The doors that it has.
    pub(super) fn doors(&self) -> &[DoorTable] {
        &self.doors
    }

    /// A command whose arguments have the values that it says, where they had those of the file before.
    pub(super) fn in_place_of(&self, before: &Taken, command: clap::Command) -> clap::Command {
        let command = command.mut_args(|argument| {
            let variable = argument.get_env().and_then(OsStr::to_str);
            let Some(variable) = variable.map(str::to_owned) else {
                return argument;
            };
            let is_set = env::var_os(&variable).is_some_and(|value| !value.is_empty());
            if is_set && before.place_of(&variable).is_none() {
                return argument;
            }
            let argument = argument.env(None::<&str>);
            match self.variables.get(&variable) {
                Some(value) => argument.default_value(value.clone()),
                None => argument,
            }
        });
        command.mut_subcommands(|command| self.in_place_of(before, command))
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

/// Takes over what the files say of variables that are not set. Only at the start of a program, while it
/// has one thread: it changes the environment.
pub(super) fn take(known: Known) -> Result<(), SettingsError> {
    let named = env::var_os(VARIABLE);
    let paths: Vec<PathBuf> = match &named {
        Some(path) if path.is_empty() => return Ok(()),
        Some(path) => vec![path.into()],
        None => known.usual.iter().map(PathBuf::from).collect(),
    };
    let mut taken = Taken {
        known,
        paths: Vec::new(),
        variables: Vec::new(),
        doors: Vec::new(),
    };
    for path in paths {
        let text = match read(&path) {
            Ok(text) => text,
            // Whoever names a file means one that is there.
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => continue,
            Err(source) => return Err(SettingsError::Unreadable { path, source }),
        };
        for (variable, value, line) in said_in(&path, &text, known, &mut taken.doors)? {
            // One that is empty is not set, as everywhere.
            if env::var_os(&variable).is_none_or(|value| value.is_empty()) {
                set(variable.as_ref(), value.as_ref());
                let path = path.clone();
                taken.variables.push(Place {
                    variable,
                    path,
                    line,
                });
            }
        }
        taken.paths.push(path);
    }
    if !taken.paths.is_empty() {
        let _ = TAKEN.set(taken);
    }
    Ok(())
}

/// The variables that the file has, with their values and lines.
fn said_in(
    path: &Path,
    text: &str,
    known: Known,
    doors: &mut Vec<DoorTable>,
) -> Result<Vec<(String, String, usize)>, SettingsError> {
    if path.extension().is_some_and(|ending| ending == "toml") {
        let read = (known.parse)(text).map_err(|(at, what)| {
            let (line, column) = place(text, at);
            let path = path.to_owned();
            SettingsError::Toml {
                path,
                line,
                column,
                what: known.of_which_program(what),
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
