//! The settings of a packaged program: a file with variables for its environment, as systemd's
//! `EnvironmentFile` takes it. The service and whoever types a command get the same that way.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;

/// Names the file; with nothing in it, none is read.
pub(super) const VARIABLE: &str = "GATEHAND_SETTINGS";
const LENGTH_LIMIT: u64 = 64 * 1024;

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
}

/// Why a line sets no variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    #[error("is not NAME=value")]
    NoPair,
    #[error("has a quote that does not end")]
    OpenQuote,
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
    let pairs = parse(&text).map_err(|(line, what)| SettingsError::Line { path, line, what })?;
    for (name, value) in pairs {
        if env::var_os(name).is_none() {
            set(name.as_ref(), value.as_ref());
        }
    }
    Ok(())
}

fn read(path: &PathBuf) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(LENGTH_LIMIT)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// The variables of the file. One that has no value is not set, as an option that is left away.
fn parse(text: &str) -> Result<Vec<(&str, &str)>, (usize, LineError)> {
    let mut pairs = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let pair = line.split_once('=');
        let (name, value) = pair.ok_or((number, LineError::NoPair))?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err((number, LineError::NoPair));
        }
        let value = unquoted(value).ok_or((number, LineError::OpenQuote))?;
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    Ok(pairs)
}

/// What stands in quotes, if anything does.
fn unquoted(value: &str) -> Option<&str> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Some(value);
    };
    value.strip_prefix(quote)?.strip_suffix(quote)
}

#[allow(unsafe_code, reason = "there is no safe way to set a variable")]
fn set(name: &OsStr, value: &OsStr) {
    // SAFETY: no other thread reads the environment meanwhile, for there is none yet.
    unsafe { env::set_var(name, value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_variable_a_remark_or_a_mistake_that_is_told() {
        let text = "# remark\n\n; remark\nA=1\n B_2=x=y \nC=\"a b\"\nD='#'\nE=\n";
        let expected = [("A", "1"), ("B_2", "x=y"), ("C", "a b"), ("D", "#")];
        assert_eq!(parse(text).unwrap(), expected);
        for (text, expected) in [
            ("A=1\nexport B=2", (2, LineError::NoPair)),
            ("A", (1, LineError::NoPair)),
            ("=1", (1, LineError::NoPair)),
            ("A=\"1", (1, LineError::OpenQuote)),
            ("A='", (1, LineError::OpenQuote)),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
