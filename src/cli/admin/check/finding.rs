//! What a check of a server has found, in the words and the shape of `gatehand check`.

use serde::Serialize;

use crate::check::Verdict;

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

    pub(super) const fn name(self) -> &'static str {
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

/// What a check has found.
#[derive(Serialize)]
pub(super) struct Finding {
    pub(super) id: Id,
    pub(super) verdict: Verdict,
    pub(super) words: String,
    /// What can be done about it.
    pub(super) advice: Option<String>,
    /// The check because of which this one was skipped.
    because: Option<Id>,
}

impl Finding {
    fn new(id: Id, verdict: Verdict, words: impl Into<String>) -> Self {
        Self {
            id,
            verdict,
            words: words.into(),
            advice: None,
            because: None,
        }
    }

    pub(super) fn ok(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Ok, words)
    }

    pub(super) fn warning(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Warning, words)
    }

    pub(super) fn failed(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Failed, words)
    }

    /// One that there is nothing to look at for.
    pub(super) fn needless(id: Id, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Skipped, words)
    }

    pub(super) fn skipped(id: Id, because: Id) -> Self {
        Self {
            because: Some(because),
            ..Self::new(
                id,
                Verdict::Skipped,
                format!("not looked at, see {}", because.name()),
            )
        }
    }

    /// The same with what to do.
    pub(super) fn advising(self, advice: impl Into<String>) -> Self {
        self.advising_if(Some(advice))
    }

    pub(super) fn advising_if(self, advice: Option<impl Into<String>>) -> Self {
        Self {
            advice: advice.map(Into::into),
            ..self
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct CheckDocument {
    /// The worst that was found; what was skipped adds nothing.
    verdict: Verdict,
    checks: Vec<Finding>,
}

impl CheckDocument {
    pub(super) fn of(checks: Vec<Finding>) -> Self {
        let worst = checks.iter().map(|finding| finding.verdict).max();
        Self {
            verdict: match worst {
                Some(Verdict::Skipped) | None => Verdict::Ok,
                Some(worst) => worst,
            },
            checks,
        }
    }
}
