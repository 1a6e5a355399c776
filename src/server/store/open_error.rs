//! Why a database can't be opened.

use std::borrow::Cow;
use std::error::Error;
use std::path::PathBuf;

use super::database::Database;
use super::error::StoreError;
use crate::server::secret_file::SecretFileError;

/// A database that can't be opened.
#[derive(Debug, thiserror::Error)]
#[error("can't open the database {database}")]
pub struct OpenError {
    /// The database.
    pub database: Database,
    /// Why.
    pub source: OpenFailure,
}

/// What to do about a restored backup that nobody has confirmed.
pub(super) const UNCONFIRMED: &str = "look through what may have been undone, with admin restore, and then let it be served, with admin restore --confirm; a server that runs goes on by itself";

/// Why a database can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailure {
    /// The file can't be created or read.
    #[error("the file can't be used")]
    File(#[source] std::io::Error),
    /// There is no folder for it.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// It is a folder.
    #[error("it is a folder")]
    Folder,
    /// It is a file of another kind.
    #[error("it is no database")]
    NoDatabase,
    /// It is the database of another program, or a vault.
    #[error("it is not a gatehand server's database")]
    Foreign,
    /// A later version of gatehand has changed it.
    #[error("the database has version {found}, this gatehand knows up to {known}")]
    Newer {
        /// Its version.
        found: u32,
        /// The latest version this program knows.
        known: u32,
    },
    /// It is older, and no copy could be made of it.
    #[error("it is brought to version {known} only after a copy was made beside it, which failed")]
    NotCopied {
        /// The version this program needs.
        known: u32,
        /// What failed.
        source: std::io::Error,
    },
    /// It has tables that gatehand did not make.
    #[error("it holds tables of something else than a gatehand server")]
    TablesOfOthers,
    /// It can't hold every text.
    #[error("its texts are {found}, not UTF8")]
    Encoding {
        /// As `SQL_ASCII`.
        found: String,
    },
    /// It is no file, and so there is none beside it.
    #[error("no file is named for the server's secret, which is kept outside of the database")]
    NoSecretFile,
    /// The database program can't use it.
    #[error("the database can't be used")]
    Unusable {
        /// What to do about it.
        advice: &'static str,
        /// What failed.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Its sealed values can't be opened.
    #[error("the database was made with another secret")]
    OtherSecret,
    /// It was restored from a backup, and nobody has said that it may be served.
    #[error(
        "it was restored from a backup of {taken:.0}, and is served only when that is confirmed"
    )]
    Unconfirmed {
        /// When the backup was taken.
        taken: jiff::Timestamp,
    },
    /// It was put there without what makes it safe.
    #[error("it is a backup of {taken:.0}, which was put in its place by hand and not restored")]
    Backup {
        /// When it was taken.
        taken: jiff::Timestamp,
    },
    /// A restore was killed in its middle.
    #[error("a restore was begun and not ended; the database before it is {}", kept.display())]
    HalfRestored {
        /// The file that was in its place.
        kept: PathBuf,
    },
    /// An operation on it failed.
    #[error("the database can't be read")]
    Store(#[source] Box<StoreError>),
    /// The secret can't be had.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
}

impl OpenError {
    /// What to do about it, for whoever runs the server.
    pub fn advice(&self) -> Option<Cow<'static, str>> {
        let advice = match &self.source {
            OpenFailure::Secret(error) => return error.advice(),
            OpenFailure::Unusable { advice, .. } => advice,
            OpenFailure::Unconfirmed { .. } => UNCONFIRMED,
            OpenFailure::Backup { .. } => {
                "move it elsewhere and restore it from there: admin restore FILE"
            }
            OpenFailure::HalfRestored { .. } => {
                "restore again: admin restore FILE; or put that file back in its place"
            }
            OpenFailure::Store(error) => return error.advice().map(Into::into),
            OpenFailure::NoFolder(_) => "make the folder, or name another file with --database",
            OpenFailure::Folder => "name a file in it with --database",
            OpenFailure::NoDatabase => {
                "name another file with --database; if this one was a database, restore it from a backup"
            }
            OpenFailure::Foreign => "name another file with --database",
            OpenFailure::TablesOfOthers => {
                "make a database for gatehand alone, and name it with --database"
            }
            OpenFailure::Encoding { .. } => {
                "make a database for gatehand: createdb --encoding=UTF8 --template=template0 gatehand"
            }
            OpenFailure::NoSecretFile => {
                "name it with --secret-file: it is made with the database, and all servers of the database have the same"
            }
            OpenFailure::Newer { .. } => "update gatehand",
            OpenFailure::NotCopied { .. } => "make room on its disk",
            OpenFailure::OtherSecret => "name the file that holds it with --secret-file",
            OpenFailure::File(_) => return None,
        };
        Some(advice.into())
    }
}
