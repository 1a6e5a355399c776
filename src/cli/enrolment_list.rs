//! A list of enrolments for many kiosks, of which each takes its own line: a table as spreadsheets write
//! it, with the columns `serial`, `server` and `token`, and perhaps `host_name` and `gate`.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
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
    #[error("it is a link")]
    Link,
    #[error("it holds nothing")]
    Blank,
    #[error("it is no text in UTF-8")]
    Encoding,
    #[error("its first line lacks the column {0}")]
    Column(&'static str),
    #[error("it has a quotation mark without its counterpart")]
    OpenQuote,
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
            Self::Link => Some("name the file that the link leads to"),
            Self::Blank | Self::Encoding | Self::Column(_) | Self::OpenQuote => Some(
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
    own: Own,
}

/// Where in the list stands what this machine needs of it, in bytes.
struct Own {
    head: Range<usize>,
    line: Range<usize>,
}

struct Row {
    line: u64,
    bytes: Range<usize>,
    serial: String,
    server: String,
    token: Zeroizing<String>,
    host_name: Option<String>,
    gate: Option<String>,
}

/// The line of this machine, or of another serial if one is given.
pub(super) fn read(path: &Path, serial: Option<&str>) -> Result<Listed, EnrolmentListError> {
    line_for(&contents(path)?, serial)
}

/// The list's head and this machine's line alone, for whoever need not know the others' tokens.
pub(super) fn own_line(
    path: &Path,
    serial: Option<&str>,
) -> Result<Zeroizing<String>, EnrolmentListError> {
    let text = contents(path)?;
    let own = line_for(&text, serial)?.own;
    let piece = |range: Range<usize>| text.get(range).unwrap_or_default();
    Ok(Zeroizing::new([piece(own.head), piece(own.line)].concat()))
}

fn contents(path: &Path) -> Result<Zeroizing<String>, EnrolmentListError> {
    // What is removed in the end has to be what is read.
    if path.is_symlink() {
        return Err(EnrolmentListError::Link);
    }
    let file = regular_file::open(path).map_err(EnrolmentListError::Read)?;
    let bytes = regular_file::read_open(file, LIMIT).map_err(EnrolmentListError::Read)?;
    let text = str::from_utf8(&bytes).map_err(|_| EnrolmentListError::Encoding)?;
    match text.trim().is_empty() {
        true => Err(EnrolmentListError::Blank),
        false => Ok(Zeroizing::new(text.to_owned())),
    }
}

fn line_for(text: &str, serial: Option<&str>) -> Result<Listed, EnrolmentListError> {
    let found = match serial {
        Some(serial) => serial.to_owned(),
        None => hardware_serial(Path::new("/"))
            .map(String::from)
            .ok_or(EnrolmentListError::NoSerial)?,
    };
    match found.trim() {
        "" => Err(EnrolmentListError::NoSerial),
        serial => line_of(text, serial),
    }
}

fn line_of(text: &str, serial: &str) -> Result<Listed, EnrolmentListError> {
    // What a power cut may leave of what was written over.
    let text = Zeroizing::new(text.replace('\0', " "));
    let (head, rows) = rows(&text)?;
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
    let line = row.line;
    let server: ServerUrl = row
        .server
        .parse()
        .map_err(|source| EnrolmentListError::Server { line, source })?;
    let enrolment = Enrolment::new(server, token_alone(&row.token))
        .map_err(|source| EnrolmentListError::Token { line, source })?;
    let is_same_token = |other: &&Row| other.line != row.line && *other.token == *row.token;
    if let Some(other) = rows.iter().find(is_same_token) {
        return Err(EnrolmentListError::TokenTwice {
            first: row.line.min(other.line),
            second: row.line.max(other.line),
        });
    }
    match &row.host_name {
        Some(name) if !host_name::is_valid(name) => Err(EnrolmentListError::HostName { line }),
        host_name => Ok(Listed {
            enrolment,
            host_name: host_name.clone(),
            gate: row.gate.clone(),
            own: Own {
                head,
                line: row.bytes.clone(),
            },
        }),
    }
}

/// How much stands before the table: a byte order mark, empty lines, and the line by which a spreadsheet is told
/// what is between the columns.
fn before_the_table(text: &str) -> usize {
    let mut before = text.len() - text.trim_start_matches('\u{feff}').len();
    for line in text.get(before..).unwrap_or_default().split_inclusive('\n') {
        if !line.trim().is_empty() && !line.trim().starts_with("sep=") {
            break;
        }
        before += line.len();
    }
    before
}

/// Where the head is, and the rows that are somebody's.
fn rows(whole: &str) -> Result<(Range<usize>, Vec<Row>), EnrolmentListError> {
    if !whole.matches('"').count().is_multiple_of(2) {
        return Err(EnrolmentListError::OpenQuote);
    }
    let before = before_the_table(whole);
    let lines_before = whole
        .get(..before)
        .unwrap_or_default()
        .matches('\n')
        .count() as u64;
    let text = whole.get(before..).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    // What spreadsheets put between, by their country.
    let delimiter = [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| first.bytes().filter(|byte| byte == delimiter).count())
        .unwrap_or(b',');
    let mut table = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let encoding = |_| EnrolmentListError::Encoding;
    let headers = table.headers().map_err(encoding)?.clone();
    let place_in_bytes = |position: &csv::Position| before + position.byte() as usize;
    let head = 0..place_in_bytes(table.position());
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
    let mut record = csv::StringRecord::new();
    while table.read_record(&mut record).map_err(encoding)? {
        let text = |place: usize| record.get(place).unwrap_or_default().to_owned();
        let told = |place: Option<usize>| place.map(text).filter(|text| !text.is_empty());
        if text(serial).is_empty() {
            continue;
        }
        let begin = record.position().map_or(whole.len(), place_in_bytes);
        rows.push(Row {
            line: lines_before + record.position().map_or(0, csv::Position::line),
            bytes: begin..place_in_bytes(table.position()),
            serial: text(serial),
            server: text(server),
            token: Zeroizing::new(text(token)),
            host_name: told(host_name),
            gate: told(gate),
        });
    }
    Ok((head, rows))
}

/// Removes the list: its tokens are worth as much as keys. What they were is written over first, which
/// on flash memory promises nothing.
///
/// The head and the line of this machine, whose token is used, go with the file only. So whatever the power leaves
/// of the others, the same command finds its line again, and goes on.
pub(super) fn remove(path: &Path, listed: &Listed) -> io::Result<()> {
    failpoint::reach("enrolment list: before removing");
    match write_over(path, &listed.own) {
        // Another command was faster.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        written => written?,
    }
    failpoint::reach("enrolment list: written over");
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    private_file::sync_folder(folder.map_or(PathBuf::from("."), Path::to_owned).as_path())
}

/// Blanks over the lines of others.
fn write_over(path: &Path, own: &Own) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len() as usize;
    for others in [own.head.end..own.line.start, own.line.end..length] {
        file.seek(SeekFrom::Start(others.start as u64))?;
        let blanks = io::repeat(b' ');
        io::copy(&mut io::Read::take(blanks, others.len() as u64), &mut file)?;
        file.flush()?;
        failpoint::reach("enrolment list: written over in part");
    }
    file.sync_all()
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
    fn what_stands_before_the_table_and_lines_without_a_serial_are_nobodys() {
        let table = format!(",https://pretix.eu,bbbbbbbbbbbbbbbb\nA1,https://pretix.eu,{TOKEN}\n");
        for begin in ["\n\n", "sep=,\n", "\u{feff}\r\n"] {
            let text = format!("{begin}serial,server,token\n{table}");
            let found = listed(&text, "A1").unwrap();
            assert_eq!(found.enrolment.token().expose(), TOKEN);
            assert!(listed(&text, "").is_err());
        }
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.csv");
        fs::write(&list, format!("serial,server,token\n{table}")).unwrap();
        assert!(matches!(
            read(&list, Some(" ")),
            Err(EnrolmentListError::NoSerial)
        ));
        let link = folder.path().join("link.csv");
        std::os::unix::fs::symlink(&list, &link).unwrap();
        assert!(matches!(
            read(&link, Some("A1")),
            Err(EnrolmentListError::Link)
        ));
        let open = listed("serial,server,token\nA1,\"https://pretix.eu,x\n", "A1");
        assert!(matches!(open, Err(EnrolmentListError::OpenQuote)));
        let without = listed(
            "serial,server,token\nA1,https://pretix.eu,\nB2,https://pretix.eu,\n",
            "A1",
        );
        assert!(matches!(
            without,
            Err(EnrolmentListError::Token { line: 2, .. })
        ));
    }

    #[test]
    fn of_a_list_one_line_is_handed_on() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.csv");
        let (head, own) = (
            "\u{feff}serial,server,token\n",
            format!("A1,https://pretix.eu,{TOKEN}\n"),
        );
        let other = "B2,https://pretix.eu,bbbbbbbbbbbbbbbb\n";
        fs::write(&list, format!("{head}{other}{own}{other}")).unwrap();
        assert_eq!(
            *own_line(&list, Some("a1")).unwrap(),
            format!("{head}{own}")
        );
    }

    #[test]
    fn of_a_list_that_is_written_over_in_part_the_own_line_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list.csv");
        let other = |number: usize| format!("B{number},https://pretix.eu,{number:b>16}\n");
        let others: String = (0..300).map(other).collect();
        let text = format!("serial,server,token\n{others}A1,https://pretix.eu,{TOKEN}\n{others}");
        let whole = listed(&text, "A1").unwrap();
        for cut in [1, 4096, 8192] {
            for blank in [" ", "\0"] {
                let end = (whole.own.head.end + cut).min(whole.own.line.start);
                let mut torn = text.clone();
                let gone = whole.own.head.end..end;
                torn.replace_range(gone.clone(), &blank.repeat(gone.len()));
                let found = listed(&torn, "A1").unwrap();
                assert_eq!(found.enrolment.token().expose(), TOKEN);
                fs::write(&list, &torn).unwrap();
                remove(&list, &found).unwrap();
                assert!(!list.exists());
            }
        }
    }

    #[test]
    fn no_token_that_may_be_good_is_left_of_a_removed_list() {
        let folder = tempfile::tempdir().unwrap();
        let (list, link) = (folder.path().join("list.csv"), folder.path().join("link"));
        let other = "B2,https://pretix.eu,bbbbbbbbbbbbbbbb\n";
        let own = format!("serial,server,token\n{other}A1,https://pretix.eu,{TOKEN}\n{other}");
        fs::write(&list, own).unwrap();
        fs::hard_link(&list, &link).unwrap();
        remove(&list, &read(&list, Some("A1")).unwrap()).unwrap();
        assert!(!list.exists());
        let left = fs::read_to_string(&link).unwrap();
        assert!(!left.contains("bbbb"), "{left}");
        // A second command comes too late.
        let gone = listed(
            "serial,server,token\nA1,https://pretix.eu,kpp4jn8g2ynzonp6\n",
            "A1",
        );
        remove(&list, &gone.unwrap()).unwrap();
    }
}
