//! What a server said to an operation, and what that is worth.

use reqwest::StatusCode;

use crate::agent::answer::{self, Reply};
use crate::agent::client::{Client, Ended};
use crate::agent::device_api::{self, KeyVerdict};
use crate::agent::error::AgentError;
use crate::agent::record::Identity;
use crate::agent::state::{Operation, Step, Word};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::wire::{DeviceIdentity, Problem, TOKEN_REVOKED, TOKEN_UNKNOWN};

/// Fields of a report.
const REPORTED: [&str; 8] = [
    "hardware_brand",
    "hardware_model",
    "os_name",
    "os_version",
    "software_brand",
    "software_version",
    "info",
    "rsa_pubkey",
];

/// What a server said to an operation, and the error it is where it was not done.
pub(super) struct Heard {
    pub(super) word: Word,
    pub(super) result: Result<DeviceIdentity, AgentError>,
}

/// Logs what an answer to an operation led to.
pub(super) fn tell_decision(operation: Operation, word: Word, step: Step) {
    tracing::debug!(
        "the server's word on {}: {word:?}; the device is {} from now on",
        operation.name(),
        step.standing.name()
    );
}

/// What the end of a call says to the operation.
pub(super) fn listen(
    operation: Operation,
    server: &ServerUrl,
    ended: Ended,
    sent_before: bool,
    secrets: &[&Secret],
) -> Heard {
    let server = || server.to_string();
    let (word, result) = match ended.result {
        Err(source) => {
            let word = match source.is_unsent() {
                true => Word::NotSent,
                false => Word::Nothing,
            };
            let error = AgentError::Unanswered {
                operation: Some(operation),
                server: server(),
                pending: sent_before || word == Word::Nothing,
                source,
            };
            (word, Err(error))
        }
        Ok(answer) => match answer::read::<DeviceIdentity>(&answer, secrets) {
            Ok(Reply::Done(device)) if device.has_usable_key() || !operation.gives_key() => {
                (Word::Done, Ok(device))
            }
            Ok(Reply::Done(_)) => {
                let server = server();
                (
                    Word::Nothing,
                    Err(AgentError::Unsound { operation, server }),
                )
            }
            Ok(Reply::Refused(status, problem)) => {
                let word = match operation {
                    Operation::Initialize => on_token(status, &problem),
                    _ => Word::Refused,
                };
                let error = AgentError::Refused {
                    operation: Some(operation),
                    pending: false,
                    server: server(),
                    status,
                    problem,
                    about_token: matches!(word, Word::TokenRefused | Word::TokenUsed),
                };
                (word, Err(error))
            }
            Err(source) => {
                let error = AgentError::Foreign {
                    operation: Some(operation),
                    server: server(),
                    proxy: answer.proxy.clone(),
                    source,
                };
                (Word::Nothing, Err(error))
            }
        },
    };
    Heard { word, result }
}

/// What a refusal says of the token. Words on it that are not known are taken for the worse.
fn on_token(status: StatusCode, problem: &Problem) -> Word {
    if !problem.names("token") {
        // Words on other fields come before the token is looked at.
        return match status == StatusCode::BAD_REQUEST && problem.is_about(&REPORTED) {
            true => Word::NotDone,
            false => Word::Refused,
        };
    }
    let words = problem.to_string();
    let is_other = [TOKEN_UNKNOWN, TOKEN_REVOKED]
        .iter()
        .any(|known| words.contains(known));
    if is_other {
        Word::TokenRefused
    } else {
        Word::TokenUsed
    }
}

/// Asks `device/info` before a refusal is believed that might be no news, or be about more than
/// this request.
pub(super) async fn question(
    client: &Client,
    identity: &Identity,
    key: &Secret,
    operation: Operation,
    heard: Heard,
    seen_now: bool,
) -> Heard {
    let refusal = match heard.result {
        Ok(ref answer) if !identity.is(answer) => {
            let server = identity.server.to_string();
            return Heard {
                word: Word::Nothing,
                result: Err(AgentError::Unsound { operation, server }),
            };
        }
        Err(AgentError::Refused {
            status,
            ref problem,
            ..
        }) => (status == StatusCode::UNAUTHORIZED).then(|| problem.clone()),
        _ => return heard,
    };
    if refusal.is_none() && operation != Operation::Roll {
        return heard;
    }
    let (word, error) = match device_api::check_key(client, identity, key, refusal.as_ref()).await {
        // A try of a moment ago may still be running.
        KeyVerdict::Works(_) if refusal.is_none() && seen_now => (Word::Refused, None),
        KeyVerdict::Works(_) => (Word::NotDone, None),
        // The roll itself was not refused for the key: perhaps it was done, and something on the
        // way answered in its place. Asked again, the server repeats its own answer.
        KeyVerdict::Rejected(_) if refusal.is_none() => (Word::Refused, None),
        KeyVerdict::Revoked => (
            Word::Revoked,
            Some(AgentError::Revoked(Box::new(identity.clone()))),
        ),
        KeyVerdict::Rejected(problem) => (
            Word::KeyRejected,
            Some(AgentError::Rejected {
                server: identity.server.to_string(),
                problem,
            }),
        ),
        KeyVerdict::Unclear(error) => (Word::Nothing, Some(error)),
    };
    Heard {
        word,
        result: error.map_or(heard.result, Err),
    }
}
