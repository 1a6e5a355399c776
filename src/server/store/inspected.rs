//! What a look at a database has found.

use std::path::PathBuf;

use jiff::Timestamp;

use super::error::StoreError;
use crate::server::secret_file::SecretFileError;

/// What was found.
pub struct Inspection {
    /// The version of the tables, and the one that this program has.
    pub version: (u32, u32),
    /// What the database itself finds wrong with its pages, as far as it can tell.
    pub damage: Result<Vec<String>, StoreError>,
    /// What that was, in words.
    pub looked_for: &'static str,
    /// The indexes.
    pub indexes: Result<Indexes, StoreError>,
    /// What only tables of the current version tell.
    pub contents: Option<Contents>,
    /// The secret.
    pub secret: SecretState,
}

/// The indexes that the tables should have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexes {
    /// How many.
    pub wanted: usize,
    /// Those that are not there, or are others.
    pub missing: Vec<String>,
    /// Those that can't be used.
    pub invalid: Vec<String>,
}

/// What the tables hold.
pub struct Contents {
    /// What the clock of the database shows, if it has one of its own, and what this machine's showed then.
    pub clock: Result<Option<(Timestamp, Timestamp)>, StoreError>,
    /// When something was last written down.
    pub last_entry: Result<Option<Timestamp>, StoreError>,
    /// Rows that point nowhere or where they must not.
    pub orphans: Result<Vec<Orphans>, StoreError>,
    /// Counters that are behind numbers that were given.
    pub behind: Result<Vec<Behind>, StoreError>,
    /// When the database was restored from a backup that waits to be confirmed.
    pub unconfirmed: Result<Option<Timestamp>, StoreError>,
}

/// Rows that point nowhere or where they must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphans {
    /// As `devices at gates of another organizer`.
    pub what: String,
    /// How many.
    pub rows: u64,
}

/// A counter that would give a number again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// Of what.
    pub of: String,
    /// What it shows.
    pub counter: u64,
    /// The highest number that is there.
    pub highest: u64,
}

/// How it stands with the installation's secret.
pub struct SecretState {
    /// Where it should be; nowhere, if a database in PostgreSQL was opened without being told.
    pub path: Option<PathBuf>,
    /// Whether it is the one that the database was made with; an error if it can't be had.
    pub is_right: Result<bool, SecretFileError>,
}

/// What a database tells about itself.
pub(super) struct Own {
    pub(super) version: (u32, u32),
    pub(super) damage: Result<Vec<String>, StoreError>,
    pub(super) looked_for: &'static str,
    pub(super) indexes: Result<Indexes, StoreError>,
    /// Rows whose references lead nowhere, by table.
    pub(super) references: Result<Vec<Orphans>, StoreError>,
    pub(super) clock: Result<Option<(Timestamp, Timestamp)>, StoreError>,
    /// Counters of its own that are behind.
    pub(super) behind: Result<Vec<Behind>, StoreError>,
}
