//! What is looked at of a server.

use serde::Serialize;

use crate::cli::findings::Check;

/// A check. Its name never changes its meaning; they stand in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Id {
    /// Whether the database can be read.
    Database,
    /// The version of its tables.
    Schema,
    /// What the database itself finds wrong.
    Integrity,
    /// Whether all indexes are there and can be used.
    Indexes,
    /// The installation's secret.
    Secret,
    /// Whether a restored backup waits to be confirmed.
    Restore,
    /// This machine's clock.
    Clock,
    /// Rows that point nowhere or where they must not.
    Orphans,
    /// Counters that would give a number again.
    Counters,
    /// Room on the disk.
    Disk,
    /// How old the newest backup is.
    Backup,
}

impl Id {
    /// Those that need the database.
    pub(super) const OF_DATABASE: [Self; 8] = [
        Self::Schema,
        Self::Integrity,
        Self::Indexes,
        Self::Secret,
        Self::Restore,
        Self::Clock,
        Self::Orphans,
        Self::Counters,
    ];
}

impl Check for Id {
    fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Schema => "schema",
            Self::Integrity => "integrity",
            Self::Indexes => "indexes",
            Self::Secret => "secret",
            Self::Restore => "restore",
            Self::Clock => "clock",
            Self::Orphans => "orphans",
            Self::Counters => "counters",
            Self::Disk => "disk",
            Self::Backup => "backup",
        }
    }
}
