//! What a check of a kiosk has found, as it is told.

use crate::check::{self, Help, Id, Report};
use crate::cli::advice;
use crate::cli::error::CliError;
use crate::cli::findings::{Check, Finding, Findings};

/// What `--json` prints.
pub(super) type CheckDocument = Findings<Id>;

impl Check for Id {
    fn name(self) -> &'static str {
        Id::name(self)
    }
}

pub(super) fn document(report: &mut Report) -> CheckDocument {
    Findings::of(report.findings.drain(..).map(told).collect())
}

fn told(finding: check::Finding) -> Finding<Id> {
    Finding {
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
