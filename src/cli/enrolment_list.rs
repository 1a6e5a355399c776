//! A list of enrolments for many kiosks, of which each takes its own line: a table as spreadsheets write
//! it, with the columns `serial`, `server` and `token`, and perhaps `host_name` and `gate`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::host_name;
use crate::enrolment::{Enrolment, ServerUrl, ServerUrlError, TokenError, token_alone};
use crate::facts::hardware_serial;
use crate::failpoint;
use crate::private_file;
use crate::regular_file;

/// Largest list, in bytes: some 50,000 lines.
const LIMIT: u64 = 4 * 1024 * 1024;

const COLUMNS: [&str; 3] = ["serial", "server", "token"];

/// Why a device can't enrol from a list.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnrolmentListError {
    #[error("it can't be read")]
    Read(#[source] io::Error),
    #[error("it holds nothing")]
    Blank,
    #[error("it is no text in UTF-8")]
    Encoding,
    #[error("its first line lacks the column {0}")]
    Column(&'static str),
    #[error("line {line} is no line of a table")]
    Row {
        line: u64,
        #[source]
        source: csv::Error,
    },
    #[error("this machine tells no serial")]
    NoSerial,
    #[error("none of its {lines} lines is for the serial {serial}")]
    NotListed { serial: String, lines: usize },
    #[error("lines {first} and {second} are both for the serial {serial}")]
    Twice {
        serial: String,
        first: u64,
        second: u64,
    },
    #[error("lines {first} and {second} have the same token, which only one of them can redeem")]
    TokenTwice { first: u64, second: u64 },
    #[error("line {line} names a server that is none")]
    Server {
        line: u64,
        #[source]
        source: ServerUrlError,
    },
    #[error("line {line} has a token that is none")]
    Token {
        line: u64,
        #[source]
        source: TokenError,
    },
    #[error(
        "line {line} has a host name that is none: it may be of letters, digits and hyphens, 63 at most"
    )]
    HostName { line: u64 },
}

impl EnrolmentListError {
    /// What to do, where something can be done.
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Blank | Self::Encoding | Self::Column(_) | Self::Row { .. } => Some(
                "write it as a table with commas between, in UTF-8, whose first line is: serial,server,token,host_name,gate",
            ),
            Self::NoSerial => Some("run it as root, or say with --hardware-serial which one it is"),
            Self::NotListed { .. } => {
                Some("add a line for this serial, or say with --hardware-serial which one it is")
            }
            Self::Twice { .. } | Self::TokenTwice { .. } => {
                Some("leave one of them, and make a device of its own for each kiosk")
            }
            Self::Read(_) | Self::Server { .. } | Self::Token { .. } | Self::HostName { .. } => {
                None
            }
        }
    }
}

/// This machine's line.
pub(super) struct Listed {
    pub(super) enrolment: Enrolment,
    /// The name that the machine is to have.
    pub(super) host_name: Option<String>,
    /// The gate that the device is meant for.
    pub(super) gate: Option<String>,
}

struct Row {
    line: u64,
    serial: String,
    server: String,
    token: Zeroizing<String>,
    host_name: Option<String>,
    gate: Option<String>,
}

/// The line of this machine, or of another serial if one is given.
pub(super) fn read(path: &Path, serial: Option<&str>) -> Result<Listed, EnrolmentListError> {
    let file = regular_file::open(path).map_err(EnrolmentListError::Read)?;
    let bytes = regular_file::read_open(file, LIMIT).map_err(EnrolmentListError::Read)?;
    let text = str::from_utf8(&bytes).map_err(|_| EnrolmentListError::Encoding)?;
    if text.trim().is_empty() {
        return Err(EnrolmentListError::Blank);
    }
    let found = match serial {
        Some(serial) => serial.to_owned(),
        None => hardware_serial(Path::new("/"))
            .map(String::from)
            .ok_or(EnrolmentListError::NoSerial)?,
    };
    line_of(text, found.trim())
}

fn line_of(text: &str, serial: &str) -> Result<Listed, EnrolmentListError> {
    let rows = rows(text.trim_start_matches('\u{feff}'))?;
    let mut own = rows
        .iter()
        .filter(|row| row.serial.eq_ignore_ascii_case(serial));
    let row = own.next().ok_or_else(|| EnrolmentListError::NotListed {
        serial: serial.to_owned(),
        lines: rows.len(),
    })?;
    if let Some(other) = own.next() {
        return Err(EnrolmentListError::Twice {
            serial: serial.to_owned(),
            first: row.line,
            second: other.line,
        });
    }
    let is_same_token = |other: &&Row| other.line != row.line && *other.token == *row.token;
    if let Some(other) = rows.iter().find(is_same_token) {
        return Err(EnrolmentListError::TokenTwice {
            first: row.line.min(other.line),
            second: row.line.max(other.line),
        });
    }
    let line = row.line;
    let server: ServerUrl = row
        .server
        .parse()
        .map_err(|source| EnrolmentListError::Server { line, source })?;
    let enrolment = Enrolment::new(server, token_alone(&row.token))
        .map_err(|source| EnrolmentListError::Token { line, source })?;
    match &row.host_name {
        Some(name) if !host_name::is_valid(name) => Err(EnrolmentListError::HostName { line }),
        host_name => Ok(Listed {
            enrolment,
            host_name: host_name.clone(),
            gate: row.gate.clone(),
        }),
    }
}

fn rows(text: &str) -> Result<Vec<Row>, EnrolmentListError> {
    let first = text.lines().next().unwrap_or_default();
    // What spreadsheets put between, by their country.
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| first.bytes().filter(|byte| byte == delimiter).count())
        .unwrap_or(b',');
    let mut table = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let row_error = |source: csv::Error| EnrolmentListError::Row {
        line: source.position().map_or(1, csv::Position::line),
        source,
    };
    let headers = table.headers().map_err(row_error)?.clone();
    let place = |column: &str| {
        let is_it = |name: &str| name.eq_ignore_ascii_case(column);
        headers.iter().position(is_it)
    };
    let mut places = [0; COLUMNS.len()];
    for (column, found) in COLUMNS.into_iter().zip(&mut places) {
        *found = place(column).ok_or(EnrolmentListError::Column(column))?;
    }
    let [serial, server, token] = places;
    let (host_name, gate) = (place("host_name"), place("gate"));
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record.map_err(row_error)?;
        let text = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let told = |place: Option<usize>| place.map(text).filter(|text| !text.is_empty());
        rows.push(Row {
            line: record.position().map_or(0, csv::Position::line),
            serial: text(serial),
            server: text(server),
            token: Zeroizing::new(text(token)),
            host_name: told(host_name),
            gate: told(gate),
        });
    }
    Ok(rows)
}

/// Removes the list: its tokens are worth as much as keys. What they were is written over first, which
/// on flash memory promises nothing.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    failpoint::reach("enrolment list: before removing");
    let length = fs::metadata(path)?.len();
    let mut file = OpenOptions::new().write(true).open(path)?;
    io::copy(&mut io::Read::take(io::repeat(b' '), length), &mut file)?;
    file.flush()?;
    file.sync_all()?;
    failpoint::reach("enrolment list: written over");
    fs::remove_file(path)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    private_file::sync_folder(folder.map_or(PathBuf::from("."), Path::to_owned).as_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "kpp4jn8g2ynzonp6";

    fn listed(text: &str, serial: &str) -> Result<Listed, EnrolmentListError> {
        line_of(text, serial)
    }

    #[test]
    fn a_machine_finds_its_own_line_in_what_spreadsheets_write() {
        for (between, begin, end) in [(",", "", "\n"), (";", "\u{feff}", "\r\n"), ("\t", "", "\n")]
        {
            let rows = [
                ["Serial", "server", "token", "note", "host_name", "gate"],
                ["A1", "https://a.example", "aaaaaaaaaaaaaaaa", "", "", ""],
                [
                    " b2 ",
                    "https://pretix.eu",
                    TOKEN,
                    "\"first, left\"",
                    "kiosk-2",
                    "North",
                ],
            ];
            let text: String = rows.map(|row| row.join(between) + end).concat();
            let found = listed(&format!("{begin}{text}"), "B2").unwrap();
            assert_eq!(found.enrolment.url().to_string(), "https://pretix.eu");
            assert_eq!(found.enrolment.token().expose(), TOKEN);
            assert_eq!(found.host_name.as_deref(), Some("kiosk-2"));
            assert_eq!(found.gate.as_deref(), Some("North"));
            let other = listed(&text, "A1").unwrap();
            assert_eq!((other.host_name, other.gate), (None, None));
        }
    }

    #[test]
    fn what_is_not_for_one_machine_alone_is_refused() {
        let head = "serial,server,token,host_name\n";
        let line = |serial: &str, token: &str| format!("{serial},https://pretix.eu,{token}\n");
        let refused = |text: &str| listed(text, "A1").err().map(|error| error.to_string());
        let twice = format!(
            "{head}{}{}",
            line("A1", TOKEN),
            line("a1", "aaaaaaaaaaaaaaaa")
        );
        assert_eq!(
            refused(&twice).unwrap(),
            "lines 2 and 3 are both for the serial A1"
        );
        let shared = format!("{head}{}{}", line("B2", TOKEN), line("A1", TOKEN));
        assert!(
            refused(&shared)
                .unwrap()
                .contains("lines 2 and 3 have the same token")
        );
        let absent = format!("{head}{}", line("B2", TOKEN));
        assert_eq!(
            refused(&absent).unwrap(),
            "none of its 1 lines is for the serial A1"
        );
        assert!(refused("serial,server\n").unwrap().contains("token"));
        assert!(refused("").unwrap().contains("serial"));
        let badly_named = format!("{head}A1,https://pretix.eu,{TOKEN},a b\n");
        assert!(
            refused(&badly_named)
                .unwrap()
                .contains("line 2 has a host name")
        );
        let nowhere = format!("{head}A1,no address,{TOKEN}\n");
        assert!(refused(&nowhere).unwrap().contains("line 2 names a server"));
    }

    #[test]
    fn nothing_of_a_removed_list_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let (list, link) = (folder.path().join("list.csv"), folder.path().join("link"));
        fs::write(&list, TOKEN).unwrap();
        fs::hard_link(&list, &link).unwrap();
        remove(&list).unwrap();
        assert!(!list.exists());
        assert_eq!(fs::read_to_string(&link).unwrap(), " ".repeat(TOKEN.len()));
    }
}
