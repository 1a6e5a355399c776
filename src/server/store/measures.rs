//! How often a database is asked, how long that takes, and how often it fails.

use std::time::Instant;

use super::error::StoreError;
use crate::server::tally::{Count, Durations};

/// What a database was asked for.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) enum Asked {
    /// One statement that reads.
    Look,
    /// A transaction that reads.
    Read,
    /// A transaction that may change something.
    Write,
}

impl Asked {
    pub(in crate::server) const ALL: [Self; 3] = [Self::Look, Self::Read, Self::Write];

    pub(in crate::server) fn name(self) -> &'static str {
        match self {
            Self::Look => "look",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// What asking came to, since the database was opened.
#[derive(Debug, Default)]
pub struct Measures([Measure; 3]);

/// The same of one kind of asking.
#[derive(Debug, Default)]
pub(in crate::server) struct Measure {
    pub(in crate::server) durations: Durations,
    pub(in crate::server) failures: Count,
}

impl Measures {
    pub(in crate::server) fn of(&self, asked: Asked) -> &Measure {
        let [look, read, write] = &self.0;
        match asked {
            Asked::Look => look,
            Asked::Read => read,
            Asked::Write => write,
        }
    }

    /// Counts what was begun then and has ended now. What a caller gave up, or was refused for good reasons, is no
    /// failure of the database.
    pub(super) fn ended<T>(&self, asked: Asked, begun: Instant, ended: &Result<T, StoreError>) {
        let measure = self.of(asked);
        measure.durations.since(begun);
        if let Err(StoreError::Database { .. } | StoreError::Unsettled) = ended {
            measure.failures.one();
        }
    }
}
