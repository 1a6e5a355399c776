//! A table of devices that are to be made, as spreadsheets write it.

use std::collections::HashMap;

use super::new_device::{Events, NewDevice, Usual};
use crate::wire::fields::{self, TextFault};
use crate::wire::{SECURITY_PROFILES, TEXT_LIMIT};

/// The columns that a table may have; only the first has to be there.
const COLUMNS: [&str; 4] = ["name", "gate", "events", "security_profile"];

/// Why no device is made of a table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RosterError {
    #[error("it is no text in UTF-8")]
    Encoding,
    #[error("its first line lacks the column name")]
    NoName,
    #[error("its first line has the column {0:?}, which is none of {columns}", columns = COLUMNS.join(", "))]
    Column(String),
    #[error("its first line has the column {0:?} twice")]
    ColumnTwice(String),
    #[error("it lists no device")]
    Blank,
    #[error("it lists more than {0} devices")]
    TooLong(usize),
    #[error("line {line} has {found} cells, and the first line has {wanted}")]
    Cells {
        line: u64,
        found: usize,
        wanted: usize,
    },
    #[error("line {0} has no name")]
    Nameless(u64),
    #[error("line {0} says nothing of events, and no option does for all")]
    Eventless(u64),
    #[error(
        "the name in line {0} is longer than {TEXT_LIMIT} characters, or holds what no name may"
    )]
    Name(u64),
    #[error("line {line} has the security profile {found:?}, which is none of {profiles}", profiles = SECURITY_PROFILES.join(", "))]
    Profile { line: u64, found: String },
    #[error("lines {first} and {second} have the same name")]
    Twice { first: u64, second: u64 },
    #[error("line {line} can't be read")]
    Line { line: u64 },
}

/// A device of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// In which line it stands.
    pub(crate) line: u64,
    pub(crate) device: NewDevice,
}

/// The devices of a table, at most so many; `usual` is what its lines leave open.
pub(crate) fn read(bytes: &[u8], usual: &Usual, limit: usize) -> Result<Vec<Listed>, RosterError> {
    let text = str::from_utf8(bytes).map_err(|_| RosterError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or_default();
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
    let headers = table.headers().map_err(|_| RosterError::Line { line: 1 })?;
    let places = places(headers)?;
    let wanted = headers.len();
    let mut devices: Vec<Listed> = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    for row in table.records() {
        let row = row.map_err(|error| RosterError::Line {
            line: error.position().map_or(0, csv::Position::line),
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        if row.iter().all(str::is_empty) {
            continue;
        }
        if row.len() != wanted {
            let found = row.len();
            return Err(RosterError::Cells {
                line,
                found,
                wanted,
            });
        }
        let [name, gate, events, profile] =
            places.map(|place| place.and_then(|place| row.get(place)).unwrap_or_default());
        let device = device(line, [name, gate, events, profile], usual)?;
        if let Some(first) = lines.insert(device.name.clone(), line) {
            return Err(RosterError::Twice {
                first,
                second: line,
            });
        }
        devices.push(Listed { line, device });
        if devices.len() > limit {
            return Err(RosterError::TooLong(limit));
        }
    }
    match devices.is_empty() {
        true => Err(RosterError::Blank),
        false => Ok(devices),
    }
}

/// Where each column stands. One that is not known may be a slip, and what it says would be left out.
fn places(headers: &csv::StringRecord) -> Result<[Option<usize>; 4], RosterError> {
    let mut places = [None; COLUMNS.len()];
    for (place, header) in headers.iter().enumerate() {
        let known = COLUMNS
            .iter()
            .zip(&mut places)
            .find(|(column, _)| column.eq_ignore_ascii_case(header));
        let (_, taken) = known.ok_or_else(|| RosterError::Column(header.to_owned()))?;
        if taken.replace(place).is_some() {
            return Err(RosterError::ColumnTwice(header.to_owned()));
        }
    }
    match places {
        [None, ..] => Err(RosterError::NoName),
        places => Ok(places),
    }
}

fn device(line: u64, cells: [&str; 4], usual: &Usual) -> Result<NewDevice, RosterError> {
    let [name, gate, events, profile] = cells;
    let name = fields::text(name, Some(TEXT_LIMIT)).map_err(|faults| match faults.as_slice() {
        [TextFault::Blank] => RosterError::Nameless(line),
        _ => RosterError::Name(line),
    })?;
    let security_profile = match profile {
        "" => usual.security_profile.clone(),
        known if SECURITY_PROFILES.contains(&known) => known.to_owned(),
        found => {
            let found = found.to_owned();
            return Err(RosterError::Profile { line, found });
        }
    };
    Ok(NewDevice {
        name: name.to_owned(),
        events: match events {
            "" => usual.events.clone().ok_or(RosterError::Eventless(line))?,
            "all" => Events::All,
            slugs => Events::Only(slugs.split_whitespace().map(str::to_owned).collect()),
        },
        security_profile,
        gate: match gate {
            "" => usual.gate.clone(),
            gate => Some(gate.to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 10;

    fn usual() -> Usual {
        Usual {
            events: Some(Events::All),
            security_profile: "full".to_owned(),
            gate: None,
        }
    }

    fn refused(table: &str) -> RosterError {
        read(table.as_bytes(), &usual(), LIMIT).unwrap_err()
    }

    #[test]
    fn each_line_is_a_device_and_what_it_leaves_open_is_as_usual() {
        let table = "\u{feff}Name;gate;events;security_profile\nLane 1;north;museum fair;pretixscan\n\"Lane; 2\";;all;\n";
        let read = read(table.as_bytes(), &usual(), LIMIT).unwrap();
        let first = NewDevice {
            name: "Lane 1".to_owned(),
            events: Events::Only(vec!["museum".to_owned(), "fair".to_owned()]),
            security_profile: "pretixscan".to_owned(),
            gate: Some("north".to_owned()),
        };
        let second = NewDevice {
            name: "Lane; 2".to_owned(),
            events: Events::All,
            security_profile: "full".to_owned(),
            gate: None,
        };
        let listed = |line, device| Listed { line, device };
        assert_eq!(read, [listed(2, first), listed(3, second)]);
    }

    #[test]
    fn a_bad_line_is_told_by_its_number() {
        for (table, error) in [
            ("gate\nnorth\n", RosterError::NoName),
            ("name,gates\nA,n\n", RosterError::Column("gates".to_owned())),
            (
                "name,name\nA,B\n",
                RosterError::ColumnTwice("name".to_owned()),
            ),
            ("name\n", RosterError::Blank),
            ("", RosterError::NoName),
            ("name,gate\nA,n\n ,n\n", RosterError::Nameless(3)),
            (
                "name,gate\nA\n",
                RosterError::Cells {
                    line: 2,
                    found: 1,
                    wanted: 2,
                },
            ),
            (
                "name\nA\nB\nA\n",
                RosterError::Twice {
                    first: 2,
                    second: 4,
                },
            ),
            (
                "name,security_profile\nA,ful\n",
                RosterError::Profile {
                    line: 2,
                    found: "ful".to_owned(),
                },
            ),
        ] {
            assert_eq!(refused(table), error, "{table}");
        }
        let open = Usual {
            events: None,
            ..usual()
        };
        let eventless = read(b"name,events\nA,all\nB,\n", &open, LIMIT);
        assert_eq!(eventless, Err(RosterError::Eventless(3)));
        let lines: Vec<String> = (0..=LIMIT).map(|number| format!("{number}\n")).collect();
        let many = format!("name\n{}", lines.concat());
        assert_eq!(refused(&many), RosterError::TooLong(LIMIT));
        let long = format!("name\n{}\n", "x".repeat(TEXT_LIMIT + 1));
        assert_eq!(refused(&long), RosterError::Name(2));
        assert_eq!(
            read(b"name\n\xff", &usual(), LIMIT),
            Err(RosterError::Encoding)
        );
    }
}
