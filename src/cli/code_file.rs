//! A file with devices' codes, which is as secret as their tokens.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output;
use crate::enrolment::Enrolment;
use crate::enrolment::draw::QrCode;
use crate::private_file::{self, PRIVATE_FILE};

/// A file that was opened before there is anything to draw, so that what can't be written is told
/// before a device is created. Dropped without a drawing, it is removed if it was made for it.
pub(super) struct CodeFile {
    path: PathBuf,
    file: File,
    is_new: bool,
}

impl CodeFile {
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        match open(path) {
            Ok((file, is_new)) => Ok(Self {
                path: path.to_owned(),
                file,
                is_new,
            }),
            Err(source) => Err(cannot_write(path, source)),
        }
    }

    /// The picture of a QR code.
    pub(super) fn draw(self, enrolment: &Enrolment) -> Result<(), CliError> {
        self.write(&QrCode::new(enrolment)?.png(output::MODULE_PIXELS)?)
    }

    pub(super) fn write(mut self, contents: &[u8]) -> Result<(), CliError> {
        self.replace(contents)
            .map_err(|source| cannot_write(&self.path, source))?;
        self.is_new = false;
        Ok(())
    }

    fn replace(&mut self, contents: &[u8]) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(contents)
    }
}

/// How a PNG begins.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Writes the picture of a QR code into a folder, in place of an earlier picture only: others may write there too, and
/// neither what a link of theirs leads to nor a file that they keep open is to get a code.
pub(super) fn draw_in(folder: &Path, name: &str, enrolment: &Enrolment) -> Result<(), CliError> {
    let path = folder.join(name);
    let picture = QrCode::new(enrolment)?.png(output::MODULE_PIXELS)?;
    put(folder, &path, &picture).map_err(|source| cannot_write(&path, source))
}

fn put(folder: &Path, path: &Path, picture: &[u8]) -> io::Result<()> {
    if !may_be_replaced(path)? {
        let words = "what is there is no picture that could be replaced";
        return Err(io::Error::new(ErrorKind::AlreadyExists, words));
    }
    // Only its owner may read it from the beginning.
    let mut draft = tempfile::Builder::new()
        .prefix(".code-")
        .tempfile_in(folder)?;
    draft.write_all(picture)?;
    draft.persist(path)?;
    Ok(())
}

fn may_be_replaced(path: &Path) -> io::Result<bool> {
    let mut file = match private_file::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        // A link, or something else than a file.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) => {
            return Ok(false);
        }
        file => file?,
    };
    let mut begin = [0; PICTURE.len()];
    match file.read_exact(&mut begin) {
        Ok(()) => Ok(begin == *PICTURE),
        // An empty one is what a run that was cut short may leave.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(file.metadata()?.len() == 0),
        Err(error) => Err(error),
    }
}

impl Drop for CodeFile {
    fn drop(&mut self) {
        if self.is_new {
            // It is empty: nothing is lost where it stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The file, and whether it was made. Only its owner may read it from now on.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.write(true).mode(PRIVATE_FILE);
    let (file, is_new) = match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (options.open(path)?, false),
        made => (made?, true),
    };
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(PRIVATE_FILE))?;
    }
    Ok((file, is_new))
}

fn cannot_write(path: &Path, source: io::Error) -> CliError {
    CliError::Write {
        name: path.display().to_string(),
        source,
    }
}
