//! What was found, as it is told.

use serde::Serialize;

use crate::check::{Finding, Help, Id, Report, Verdict};
use crate::cli::advice;
use crate::cli::error::CliError;

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct CheckDocument {
    /// The worst that was found.
    verdict: Verdict,
    pub(super) checks: Vec<CheckReport>,
}

#[derive(Serialize)]
pub(super) struct CheckReport {
    pub(super) id: Id,
    pub(super) verdict: Verdict,
    pub(super) words: String,
    pub(super) advice: Option<String>,
    /// The check that failed, because of which this one was skipped.
    pub(super) because: Option<Id>,
}

impl CheckDocument {
    pub(super) fn of(report: &mut Report) -> Self {
        Self {
            verdict: report.verdict(),
            checks: report.findings.drain(..).map(CheckReport::of).collect(),
        }
    }
}

impl CheckReport {
    fn of(finding: Finding) -> Self {
        Self {
            id: finding.id,
            verdict: finding.verdict,
            words: finding.words,
            advice: match finding.help {
                Some(Help::Words(words)) => Some(words),
                Some(Help::Of(error)) => advice::told(&CliError::Agent(*error)).advice,
                None => None,
            },
            because: finding.because,
        }
    }
}
