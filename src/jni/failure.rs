//! What a native method or a call fails with, as it is told to Java.

use std::any::Any;
use std::error::Error;

use serde::Serialize;

use super::advice;
use crate::agent::{AgentError, MediaKeyError, SendError};
use crate::causes;
use crate::enrolment::ParseError;
use crate::shown;
use crate::vault::VaultError;

/// An error as it crosses to Java. Its texts are cleaned: apps show and log them as they are, and they may
/// repeat what a server said.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
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
        self.code == "not_enrolled" || self.code.starts_with("vault_")
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

fn of_vault(error: &VaultError) -> &'static str {
    match error {
        VaultError::Busy { .. } => "vault_in_use",
        VaultError::OtherVersion { .. } => "vault_too_new",
        error if error.is_beyond_use() => "vault_damaged",
        _ => "vault_unwritable",
    }
}

impl From<ParseError> for Failure {
    fn from(error: ParseError) -> Self {
        let code = match error {
            ParseError::UpdateNeeded(_) => "enrolment_too_new",
            _ => "enrolment_invalid",
        };
        Self::of(code, &error)
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let (code, status) = match error {
            AgentError::Vault(ref error) => (of_vault(error), None),
            AgentError::NotEnrolled => ("not_enrolled", None),
            AgentError::Address(_)
            | AgentError::Override(_)
            | AgentError::OwnPath { .. }
            | AgentError::Method(_)
            | AgentError::Header(_)
            | AgentError::OwnHeader(_) => ("argument_invalid", None),
            AgentError::Enrolling { .. } | AgentError::Unfinished { .. } => {
                ("enrolment_unfinished", None)
            }
            AgentError::AlreadyEnrolled(_) => ("already_enrolled", None),
            AgentError::Revoked(_) | AgentError::RevokedHere(_) => ("revoked", Some(401)),
            AgentError::Rejected { .. } => ("rejected", Some(401)),
            AgentError::AnswerLost { .. } => ("answer_lost", None),
            AgentError::Refused {
                status,
                about_token,
                ..
            } => match about_token {
                true => ("token_refused", Some(status.as_u16())),
                false => ("refused", Some(status.as_u16())),
            },
            AgentError::NotAdopted { ref problem, .. } => match problem.says_revoked() {
                true => ("revoked", Some(401)),
                false => ("rejected", Some(401)),
            },
            AgentError::Unanswered { ref source, .. } => match source {
                SendError::TimedOut { .. } => ("timed_out", None),
                SendError::TooLarge { .. } => ("answer_too_large", None),
                SendError::Certificate { .. } | SendError::Clock => ("certificate_invalid", None),
                _ => ("unreachable", None),
            },
            AgentError::Foreign { ref source, .. } => match source.failure() {
                Some(status) => ("server_failed", Some(status.as_u16())),
                None => ("foreign_answer", None),
            },
            AgentError::Unsound { .. } => ("server_failed", None),
            AgentError::OtherDevice { .. } => ("other_device", Some(200)),
            AgentError::OtherMediaKey { .. } => ("key_lost", None),
            AgentError::Entry { .. } | AgentError::NoKey { .. } => ("vault_damaged", None),
            AgentError::MediaKey(MediaKeyError::Coding { .. } | MediaKeyError::Decrypt { .. }) => {
                ("server_failed", None)
            }
            AgentError::MediaKey(_)
            | AgentError::Client(_)
            | AgentError::Random(_)
            | AgentError::Key(_)
            | AgentError::Encode(_) => ("internal", None),
        };
        Self {
            status,
            message: advice::words(&error),
            ..Self::of(code, &error)
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
