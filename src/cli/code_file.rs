//! A file with devices' codes, which is as secret as their tokens.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output;
use crate::enrolment::Enrolment;
use crate::enrolment::draw::QrCode;
use crate::private_file::PRIVATE_FILE;

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

impl Drop for CodeFile {
    fn drop(&mut self) {
        if self.is_new {
            // It is empty: nothing is lost where it stays.
            let _ = std::fs::remove_file(&self.path);
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
