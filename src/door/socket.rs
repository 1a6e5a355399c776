//! The socket of a door: its mode, and whose it is.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use nix::unistd::Group;

use super::door_error::DoorError;
use super::settings::DoorSettings;
use crate::serving::{Address, Listener, PassedSocket};

/// For everybody to write, and for everybody to remove what others wrote.
const ANYONE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Makes the socket. Its group has it from before anyone may connect.
pub(super) async fn listen(settings: &DoorSettings) -> Result<Listener, DoorError> {
    let path = &settings.socket;
    if is_open_to_anyone(path) {
        let path = path.clone();
        return Err(DoorError::Folder { path });
    }
    let group = settings.group.as_deref().map(group_of).transpose()?;
    let address = Address::Unix(path.clone());
    let Some((name, number)) = group else {
        return Ok(Listener::bind(&address, settings.mode).await?);
    };
    // For its owner alone, until the group is the right one.
    let listener = Listener::bind(&address, settings.mode & 0o700).await?;
    let given = chown(path, None, Some(number)).and_then(|()| {
        fs::set_permissions(
            path,
            std::os::unix::fs::PermissionsExt::from_mode(settings.mode),
        )
    });
    given.map_err(|source| DoorError::Give {
        path: path.clone(),
        group: name.to_owned(),
        source,
    })?;
    Ok(listener)
}

/// Takes over a socket that a service manager passed: its file says who may connect, as a port would not.
pub(super) fn passed(passed: PassedSocket) -> Result<Listener, DoorError> {
    let listener = Listener::passed(passed)?;
    match listener.is_a_file() {
        true => Ok(listener),
        false => Err(DoorError::PassedPort(listener.address().to_string())),
    }
}

fn is_open_to_anyone(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let found = fs::metadata(folder.unwrap_or(Path::new(".")));
    found.is_ok_and(|found| found.mode() & ANYONE != 0 && found.mode() & STICKY == 0)
}

fn group_of(name: &str) -> Result<(&str, u32), DoorError> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok((name, group.gid.as_raw())),
        Ok(None) => Err(DoorError::NoGroup(name.to_owned())),
        Err(error) => Err(DoorError::Groups {
            group: name.to_owned(),
            source: io::Error::from(error),
        }),
    }
}
