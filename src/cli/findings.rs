//! What checks have found, whichever these are: as it is told to people and to scripts, and how the command ends.

use serde::Serialize;

use super::error::CliError;
use super::output::{self, FoundRow};
use crate::check::Verdict;

/// Which check. Its name never changes its meaning; they stand in the order in which they are told.
pub(super) trait Check: Copy + Ord + Serialize {
    fn name(self) -> &'static str;
}

/// What a check has found.
#[derive(Serialize)]
pub(super) struct Finding<C> {
    pub(super) id: C,
    pub(super) verdict: Verdict,
    pub(super) words: String,
    /// What can be done about it.
    pub(super) advice: Option<String>,
    /// The check because of which this one was skipped.
    pub(super) because: Option<C>,
}

#[cfg(feature = "server")]
impl<C: Check> Finding<C> {
    fn new(id: C, verdict: Verdict, words: impl Into<String>) -> Self {
        Self {
            id,
            verdict,
            words: words.into(),
            advice: None,
            because: None,
        }
    }

    pub(super) fn ok(id: C, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Ok, words)
    }

    pub(super) fn warning(id: C, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Warning, words)
    }

    pub(super) fn failed(id: C, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Failed, words)
    }

    /// One that there is nothing to look at for.
    pub(super) fn needless(id: C, words: impl Into<String>) -> Self {
        Self::new(id, Verdict::Skipped, words)
    }

    pub(super) fn skipped(id: C, because: C) -> Self {
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

/// What all have found, as `--json` prints it.
#[derive(Serialize)]
pub(super) struct Findings<C> {
    /// The worst that was found; what was skipped adds nothing.
    verdict: Verdict,
    checks: Vec<Finding<C>>,
}

impl<C: Check> Findings<C> {
    pub(super) fn of(mut checks: Vec<Finding<C>>) -> Self {
        checks.sort_by_key(|finding| finding.id);
        let worst = checks.iter().map(|finding| finding.verdict).max();
        Self {
            verdict: match worst {
                Some(Verdict::Skipped) | None => Verdict::Ok,
                Some(worst) => worst,
            },
            checks,
        }
    }

    pub(super) fn print(&self, json: bool) -> Result<(), CliError> {
        if json {
            return output::print_json(self);
        }
        // What was skipped comes after that which it was skipped for.
        let mut checks: Vec<_> = self.checks.iter().collect();
        checks.sort_by_key(|finding| {
            let cause = finding.because.unwrap_or(finding.id);
            (cause.max(finding.id), finding.because, finding.id)
        });
        let rows = checks.into_iter().map(|finding| FoundRow {
            verdict: finding.verdict.name(),
            name: finding.id.name(),
            words: &finding.words,
            advice: finding.advice.as_deref(),
        });
        output::print_found(&rows.collect::<Vec<_>>())
    }

    /// The error of what is not well, if anything is not.
    pub(super) fn end(&self) -> Result<(), CliError> {
        let count = |verdict| {
            let ended = self.checks.iter();
            ended.filter(|finding| finding.verdict == verdict).count()
        };
        let all = self.checks.len();
        match (count(Verdict::Failed), count(Verdict::Warning)) {
            (0, 0) => Ok(()),
            (0, count) => Err(CliError::ChecksWarn { count, all }),
            (failed, _) => Err(CliError::ChecksFailed {
                count: failed,
                all,
                has_skipped: count(Verdict::Skipped) > 0,
            }),
        }
    }
}
