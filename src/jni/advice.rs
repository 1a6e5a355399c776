//! What to do about an error of the agent, in functions of the Kotlin library.

use crate::agent::{Advice, AgentError, Operation};

/// What an error says, and what to do.
pub(super) fn words(error: &AgentError) -> String {
    match error.advice() {
        Some(advice) => format!("{error}: {}", of(advice)),
        None => error.to_string(),
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
        Advice::Update => "update the app",
        Advice::Instead(Operation::Initialize) => "call initialize",
        Advice::Instead(Operation::Update) => "call refresh",
        Advice::Instead(Operation::Roll) => "call roll",
        Advice::Instead(Operation::Revoke) => "call revoke",
    }
}
