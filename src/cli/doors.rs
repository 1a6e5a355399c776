//! The doors that the settings describe.

use std::collections::HashSet;
use std::env;
use std::path::{Path, PathBuf};

use super::settings::{DoorTable, Taken};
use crate::door::{Allowed, Caller, CallerError, DoorSettings, PatternError};

/// The name of the door's socket in the folder that a service manager gives.
const SOCKET: &str = "kiosk.sock";
const MODE: u32 = 0o660;

/// Why a door can't be as it is described.
#[derive(Debug, thiserror::Error)]
pub(super) enum DoorSettingsError {
    #[error("a door has no socket")]
    NoSocket,
    #[error("the mode {0} is none: write it in quotes, as in \"0660\"")]
    Mode(String),
    #[error("a door has profile and paths, of which it may have one")]
    Both,
    #[error(transparent)]
    Pattern(#[from] PatternError),
    #[error("{0} is no address and port, as in 127.0.0.1:8346")]
    Address(String),
    #[error(
        "a door that listens on {0} needs a secret_file: every program on this machine could come in"
    )]
    NoSecret(String),
    #[error("a door has a secret_file, and no address to listen on")]
    NoAddress,
    #[error("two doors have the socket {0}")]
    Twice(String),
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// With its place in the settings.
    #[error("the door in line {line} of {} can't be as it is described", path.display())]
    In {
        path: PathBuf,
        line: usize,
        source: Box<DoorSettingsError>,
    },
}

/// The doors of the settings, and one at `socket` or where a service manager would have it.
pub(super) fn of_settings(socket: Option<PathBuf>) -> Result<Vec<DoorSettings>, DoorSettingsError> {
    let taken = Taken::by_this_process();
    of_tables(taken.map(Taken::doors).unwrap_or_default(), socket)
}

/// The same of these tables, which the file has by now.
pub(super) fn of_tables(
    tables: &[DoorTable],
    socket: Option<PathBuf>,
) -> Result<Vec<DoorSettings>, DoorSettingsError> {
    let taken = Taken::by_this_process();
    let placed = |table: &DoorTable| {
        of(table).map_err(|error| DoorSettingsError::In {
            path: taken
                .and_then(|taken| taken.paths().first().cloned())
                .unwrap_or_default(),
            line: table.line,
            source: Box::new(error),
        })
    };
    let mut doors = tables.iter().map(placed).collect::<Result<Vec<_>, _>>()?;
    let usual = || {
        let folder = env::var_os("RUNTIME_DIRECTORY").filter(|_| tables.is_empty())?;
        env::split_paths(&folder)
            .next()
            .map(|folder| folder.join(SOCKET))
    };
    if let Some(socket) = socket.or_else(usual) {
        doors.insert(0, usual_door(&socket));
    }
    let mut sockets = HashSet::new();
    let mut twice = doors.iter().filter(|door| !sockets.insert(&door.socket));
    if let Some(door) = twice.next() {
        return Err(DoorSettingsError::Twice(door.socket.display().to_string()));
    }
    Ok(doors)
}

fn usual_door(socket: &Path) -> DoorSettings {
    DoorSettings {
        socket: socket.to_owned(),
        mode: MODE,
        group: None,
        allowed: Allowed::default(),
        caller: None,
    }
}

fn of(table: &DoorTable) -> Result<DoorSettings, DoorSettingsError> {
    let socket = table.socket.as_deref().filter(|path| !path.is_empty());
    let allowed = match (&table.profile, &table.paths) {
        (Some(_), Some(_)) => return Err(DoorSettingsError::Both),
        (Some(profile), None) => Allowed::profile(profile)?,
        (None, Some(paths)) => Allowed::only(paths)?,
        (None, None) => Allowed::default(),
    };
    Ok(DoorSettings {
        allowed,
        mode: table.mode.as_deref().map_or(Ok(MODE), mode)?,
        group: table.group.clone(),
        caller: caller(table)?,
        ..usual_door(Path::new(socket.ok_or(DoorSettingsError::NoSocket)?))
    })
}

fn mode(text: &str) -> Result<u32, DoorSettingsError> {
    let mode = u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| DoorSettingsError::Mode(text.to_owned()))
}

fn caller(table: &DoorTable) -> Result<Option<Caller>, DoorSettingsError> {
    let Some(address) = &table.listen else {
        return match table.secret_file {
            Some(_) => Err(DoorSettingsError::NoAddress),
            None => Ok(None),
        };
    };
    let parsed = address
        .parse()
        .map_err(|_| DoorSettingsError::Address(address.clone()))?;
    match &table.secret_file {
        Some(secret) => Ok(Some(Caller::with_secret_in(Path::new(secret), parsed)?)),
        None => Err(DoorSettingsError::NoSecret(address.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> DoorTable {
        DoorTable {
            socket: Some("/run/a.sock".to_owned()),
            ..DoorTable::default()
        }
    }

    #[test]
    fn a_door_is_as_it_is_described() {
        let door = of(&table()).unwrap();
        assert_eq!((door.mode, door.group), (MODE, None));
        assert!(door.allowed.allows("GET", "/api/v1/device/info"));
        let mode = Some("0600".to_owned());
        let paths = Some(vec!["GET /api/v1/organizers/{o}/events/".to_owned()]);
        let door = of(&DoorTable {
            mode,
            paths,
            ..table()
        })
        .unwrap();
        assert_eq!(door.mode, 0o600);
        assert!(!door.allowed.allows("GET", "/api/v1/device/info"));
    }

    #[test]
    fn what_makes_no_door_is_refused() {
        let refused = |table: DoorTable| of(&table).map(drop).unwrap_err();
        let text = |text: &str| Some(text.to_owned());
        assert!(matches!(
            refused(DoorTable::default()),
            DoorSettingsError::NoSocket
        ));
        for mode in ["rw", "0999", "7777", ""] {
            let table = DoorTable {
                mode: text(mode),
                ..table()
            };
            assert!(
                matches!(refused(table), DoorSettingsError::Mode(_)),
                "{mode}"
            );
        }
        let both = DoorTable {
            profile: text("full"),
            paths: Some(vec![]),
            ..table()
        };
        assert!(matches!(refused(both), DoorSettingsError::Both));
        let open = DoorTable {
            listen: text("127.0.0.1:0"),
            ..table()
        };
        assert!(matches!(refused(open), DoorSettingsError::NoSecret(_)));
        let secret_file = text("/run/secret");
        let unused = DoorTable {
            secret_file,
            ..table()
        };
        assert!(matches!(refused(unused), DoorSettingsError::NoAddress));
        let nowhere = DoorTable {
            listen: text("8080"),
            ..table()
        };
        assert!(matches!(refused(nowhere), DoorSettingsError::Address(_)));
    }
}
