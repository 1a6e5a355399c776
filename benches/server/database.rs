//! Where a server that is measured keeps what it knows.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A database, named as for `gatehand serve` and `admin`.
#[derive(Clone)]
pub struct Database {
    /// The path of an SQLite file, or the address of a PostgreSQL database.
    pub name: String,
    secret_file: PathBuf,
}

impl Database {
    /// An SQLite file in this folder.
    pub fn sqlite(folder: &Path) -> Self {
        Self::named(
            folder.join("gatehand.db").to_str().unwrap().to_owned(),
            folder,
        )
    }

    /// One with this name, and its secret in this folder.
    pub fn named(name: String, folder: &Path) -> Self {
        Self {
            name,
            secret_file: folder.join("gatehand.secret"),
        }
    }

    /// Has a command work with it.
    pub fn of(&self, command: &mut Command) {
        command.args(["--database", &self.name, "--secret-file"]);
        command.arg(&self.secret_file);
    }
}
