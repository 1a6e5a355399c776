//! What to do about an error of the agent, in functions of the Kotlin library.

use crate::agent::{Advice, AgentError, ForeignAnswer, Operation, SendError};

/// What an error says, and what to do.
pub(super) fn words(error: &AgentError) -> String {
    if let Some(words) = on_operation(error) {
        return words;
    }
    match error.advice().map(of).or_else(|| on_call(error)) {
        Some(advice) => format!("{error}: {advice}"),
        None => error.to_string(),
    }
}

/// For what an operation's own words say in part only.
fn on_operation(error: &AgentError) -> Option<String> {
    match error {
        AgentError::Unanswered {
            operation: Some(_),
            source: SendError::Clock | SendError::Certificate { .. },
            ..
        } => Some(format!(
            "{error}, once this device's clock and the server's certificate are right"
        )),
        AgentError::Refused { pending: true, .. } => {
            Some(format!("{error}; or, {}", of(Advice::Replace)))
        }
        AgentError::Refused {
            about_token: true, ..
        } => {
            let words = error.to_string();
            Some(format!(
                "{}; ask for a new code",
                words.trim_end_matches('.')
            ))
        }
        AgentError::NotAdopted { .. } => Some(format!("{error}: {}", of(Advice::Enrol))),
        _ => None,
    }
}

/// For a call that got no answer. An operation's own words say how it goes on.
fn on_call(error: &AgentError) -> Option<&'static str> {
    match error {
        AgentError::Unanswered {
            operation: None,
            source,
            ..
        } => match source {
            SendError::UnknownHost { .. }
            | SendError::NoConnection { .. }
            | SendError::HeldBack { .. }
            | SendError::Broken { .. } => Some("check this device's network and try again"),
            SendError::TimedOut { .. } => {
                Some("check this device's network and try again, perhaps with a longer time limit")
            }
            SendError::TooLarge { .. } => Some("stream it instead"),
            SendError::Clock | SendError::Certificate { .. } => {
                Some("check this device's clock and the server's certificate")
            }
        },
        AgentError::Foreign {
            operation: None,
            source,
            ..
        } => match source {
            ForeignAnswer::NotYet(_) | ForeignAnswer::Failure(_) => Some("try again later"),
            ForeignAnswer::Unexpected { .. } => {
                Some("see in a browser whether this network wants a login")
            }
            ForeignAnswer::NotFound | ForeignAnswer::Redirect { .. } => None,
        },
        _ => None,
    }
}

fn of(advice: Advice) -> &'static str {
    match advice {
        Advice::Enrol => "scan a code and initialize with it",
        Advice::GoOn => {
            "initialize with the same code, or refresh, and it goes on where it stopped"
        }
        Advice::FinishOrReplace => "refresh to finish it, or initialize with replace to give it up",
        Advice::Replace => {
            "to give up what is there and enrol anew, initialize with a new code and replace"
        }
        Advice::CorrectAddress => {
            "check the server's address and its path; with the right one, initialize with replace"
        }
        Advice::RestoreOrReplace | Advice::MoveOrReplace => {
            "initialize with a new code, which sets the old vault aside"
        }
        Advice::KeepOrAllow => "choose a folder that is kept",
        Advice::Encrypt => {
            "use https; an app for a network that is trusted can allow http in its AgentConfig"
        }
        Advice::Update => "update the app",
        Advice::Instead(Operation::Initialize) => "call initialize",
        Advice::Instead(Operation::Update) => "call refresh",
        Advice::Instead(Operation::Roll) => "call roll",
        Advice::Instead(Operation::Revoke) => "call revoke",
    }
}
