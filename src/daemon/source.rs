//! Where an enrolment may lie that nobody watches: on a boot partition, a stick, in the state folder.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::enrolment::picture::{self, PictureError};
use crate::enrolment::{ParseError, Reading};
use crate::regular_file;

/// What such a file is called in a folder.
const NAMES: [&str; 5] = [
    "enrolment.json",
    "enrolment.txt",
    "enrolment.png",
    "enrolment.jpg",
    "enrolment.jpeg",
];
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];

/// Largest text and picture that are read, in bytes.
const TEXT_LIMIT: u64 = 64 * 1024;
const PICTURE_LIMIT: u64 = 64 * 1024 * 1024;

/// For everybody to write.
const ANYONE: u32 = 0o002;

/// A file as it was when it was read: another of its name, or another content, is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    /// Of its content and rights.
    changed: (i64, i64),
    /// The rights on its folder.
    folder_mode: u32,
}

/// A file that may hold an enrolment.
pub(super) struct Found {
    pub(super) seen: Seen,
    pub(super) reading: Result<Reading, SourceError>,
}

/// Why a file holds no enrolment for this device.
#[derive(Debug, thiserror::Error)]
pub(super) enum SourceError {
    #[error("it can't be read")]
    Read(#[source] io::Error),
    #[error("anyone may write to it or to its folder: take that right from others")]
    Open,
    #[error(transparent)]
    Code(#[from] ParseError),
    #[error(transparent)]
    Picture(PictureError),
}

impl Seen {
    /// The file of this path as it is now.
    pub(super) fn now(path: &Path) -> io::Result<Self> {
        Self::of(path, &fs::metadata(path)?)
    }

    /// The same of a file that is open.
    pub(super) fn of(path: &Path, found: &fs::Metadata) -> io::Result<Self> {
        Ok(Self {
            folder_mode: fs::metadata(folder_of(path))?.mode(),
            changed: (found.ctime(), found.ctime_nsec()),
            path: path.to_owned(),
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
}

/// What lies there now and is not among `known`, in the order of the sources.
pub(super) fn look(sources: &[PathBuf], known: impl Fn(&Seen) -> bool) -> Vec<Found> {
    let mut found = Vec::new();
    for path in sources.iter().flat_map(|source| candidates(source)) {
        let Ok(seen) = Seen::now(&path) else {
            continue;
        };
        if !known(&seen) {
            found.push(Found {
                reading: read(&path),
                seen,
            });
        }
    }
    found
}

fn candidates(source: &Path) -> Vec<PathBuf> {
    match source.is_dir() {
        true => NAMES.iter().map(|name| source.join(name)).collect(),
        false => vec![source.to_owned()],
    }
}

fn read(path: &Path) -> Result<Reading, SourceError> {
    if is_open_to_anyone(path).map_err(SourceError::Read)? {
        return Err(SourceError::Open);
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    let is_picture = ending.is_some_and(|ending| {
        PICTURES
            .iter()
            .any(|picture| picture.eq_ignore_ascii_case(ending))
    });
    match is_picture {
        true => {
            let bytes = regular_file::read(path, PICTURE_LIMIT).map_err(SourceError::Read)?;
            picture::read(&bytes, None).map_err(|error| match error {
                PictureError::Code(error) => SourceError::Code(error),
                error => SourceError::Picture(error),
            })
        }
        false => {
            let bytes = regular_file::read(path, TEXT_LIMIT).map_err(SourceError::Read)?;
            Ok(Reading::of(&String::from_utf8_lossy(&bytes), None)?)
        }
    }
}

fn is_open_to_anyone(path: &Path) -> io::Result<bool> {
    let folder = fs::metadata(folder_of(path))?;
    Ok((fs::metadata(path)?.mode() | folder.mode()) & ANYONE != 0)
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    folder.unwrap_or(Path::new("."))
}

/// Whether a file of this name in a folder may hold an enrolment.
pub(super) fn is_usual_name(name: &str) -> bool {
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const CODE: &str = r#"{"handshake_version": 1, "url": "https://tickets.example", "token": "kpp4jn8g2ynzonp6"}"#;

    #[test]
    fn a_file_or_a_folder_s_usual_files_are_read_and_known_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let sources = [folder.path().to_owned(), folder.path().join("mine.txt")];
        assert!(look(&sources, |_| false).is_empty());
        for name in ["enrolment.json", "mine.txt", "other.json"] {
            fs::write(folder.path().join(name), CODE).unwrap();
        }
        let found = look(&sources, |_| false);
        let names: Vec<_> = found
            .iter()
            .map(|found| found.seen.path.file_name().unwrap())
            .collect();
        assert_eq!(names, ["enrolment.json", "mine.txt"]);
        for found in &found {
            let reading = found.reading.as_ref().unwrap();
            assert_eq!(reading.enrolment().token().expose(), "kpp4jn8g2ynzonp6");
        }
        let known: Vec<Seen> = found.into_iter().map(|found| found.seen).collect();
        assert!(look(&sources, |seen| known.contains(seen)).is_empty());
        fs::write(folder.path().join("mine.txt"), "half of it: {\"url").unwrap();
        let again = look(&sources, |seen| known.contains(seen));
        assert_eq!(again.len(), 1, "another content is another file");
        assert!(matches!(again[0].reading, Err(SourceError::Code(_))));
    }

    #[test]
    fn what_anyone_may_write_to_is_no_source() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("enrolment.json");
        fs::write(&path, CODE).unwrap();
        let is_open = || {
            let found = look(&[folder.path().to_owned()], |_| false);
            matches!(found[0].reading, Err(SourceError::Open))
        };
        assert!(!is_open());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(is_open());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(is_open());
    }
}
