//! What a native method or a call fails with, as it is told to Java.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;

use serde::Serialize;

use super::{advice, error_code};
use crate::agent::{AgentError, ErrorKind};
use crate::causes;
use crate::enrolment::ParseError;
use crate::shown;
use crate::vault::VaultError;

/// An error as it crosses to Java. Its texts are cleaned: apps show and log them as they are, and they may
/// repeat what a server said.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// What it was to the agent, if it was the agent's.
    #[serde(skip)]
    kind: Option<ErrorKind>,
}

/// What a native method fails with.
#[derive(Debug, thiserror::Error)]
pub(super) enum BridgeError {
    /// Java's own; if it is an exception, it is pending already.
    #[error(transparent)]
    Java(#[from] jni::errors::Error),
    /// To be thrown.
    #[error("{}", .0.message())]
    Failed(Failure),
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: shown::line(&message.into()),
            causes: Vec::new(),
            status: None,
            kind: None,
        }
    }

    pub(super) fn of(code: &'static str, error: &(dyn Error + 'static)) -> Self {
        let failure = Self::new(code, error.to_string());
        match error.source() {
            Some(cause) => failure.caused_by(cause),
            None => failure,
        }
    }

    pub(super) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let words = causes::chain(error).map(|cause| shown::line(&cause.to_string()));
        self.causes.extend(words);
        self
    }

    /// The same with what to do about it.
    pub(super) fn advised(mut self, advice: Option<Cow<'static, str>>) -> Self {
        if let Some(advice) = advice {
            self.message = shown::line(&format!("{}; {advice}", self.message));
        }
        self
    }

    /// The same for who named what is wrong.
    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    pub(super) fn cancelled() -> Self {
        Self::new("cancelled", "the call was cancelled")
    }

    pub(super) fn closed() -> Self {
        Self::new("closed", "the agent was closed: open another one")
    }

    pub(super) fn panicked(payload: &(dyn Any + Send + 'static)) -> Self {
        let words = match payload.downcast_ref::<&'static str>() {
            Some(words) => Some((*words).to_owned()),
            None => payload.downcast_ref::<String>().cloned(),
        };
        let mut failure = Self::new(
            "internal",
            "gatehand failed by a defect of its own: report it",
        );
        failure.causes.extend(words.as_deref().map(shown::line));
        failure
    }

    /// Whether the vault is found otherwise than when the agent was opened.
    pub(super) fn is_about_the_vault(&self) -> bool {
        matches!(
            self.kind,
            Some(
                ErrorKind::NotEnrolled
                    | ErrorKind::VaultInUse
                    | ErrorKind::VaultUnwritable
                    | ErrorKind::VaultUnreadable
                    | ErrorKind::VaultUnnamed
                    | ErrorKind::VaultDamaged
                    | ErrorKind::VaultTooNew
            )
        )
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl From<Failure> for BridgeError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        AgentError::from(error).into()
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        Self::of(error_code::of((&error).into()), &error).advised(error.advice())
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let status = match &error {
            AgentError::Revoked(_)
            | AgentError::RevokedHere(_)
            | AgentError::Rejected { .. }
            | AgentError::NotAdopted { .. } => Some(401),
            AgentError::Refused { status, .. } | AgentError::GivenMediaKey { status, .. } => {
                Some(status.as_u16())
            }
            AgentError::Foreign { source, .. } => source.failure().map(|status| status.as_u16()),
            AgentError::OtherDevice { .. } => Some(200),
            _ => None,
        };
        let kind = error.kind();
        Self {
            status,
            kind: Some(kind),
            message: advice::words(&error),
            ..Self::of(error_code::of(kind), &error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ForeignAnswer;

    #[test]
    fn no_word_of_a_failure_does_more_than_be_read() {
        let odd = "a\nb\u{1b}\u{202e}".to_owned();
        let panic: Box<dyn Any + Send> = Box::new(odd.clone());
        for failure in [
            AgentError::Enrolling {
                server: odd.clone(),
            }
            .into(),
            AgentError::Foreign {
                operation: None,
                server: odd.clone(),
                proxy: Some(odd.clone()),
                source: ForeignAnswer::Redirect {
                    location: odd.clone(),
                    may_be_login: true,
                },
            }
            .into(),
            Failure::new("internal", odd),
            Failure::panicked(&*panic),
        ] {
            let mut words = failure.causes.iter().chain([&failure.message]);
            assert!(
                words.any(|words| words.contains("a\u{fffd}b")),
                "{failure:?}"
            );
            let mut words = failure.causes.iter().chain([&failure.message]);
            assert!(
                !words.any(|words| words.contains(shown::does_more_than_be_read)),
                "{failure:?}"
            );
        }
    }
}
