//! What to do about an error of the agent, in commands.

use super::CliError;
use crate::agent::{Advice, Operation};
use crate::enrolment::ParseError;

impl CliError {
    /// What to do, where the error's own words don't say it.
    pub(super) fn advice(&self) -> Option<&'static str> {
        match self {
            Self::Agent(error) => error.advice().map(words),
            Self::Code(ParseError::TokenAlone | ParseError::WebAddress) => {
                Some("give the address with --url and the token with --token, both of them")
            }
            _ => None,
        }
    }
}

fn words(advice: Advice) -> &'static str {
    match advice {
        Advice::Enrol => "scan its QR code with: gatehand init --qr-image FILE",
        Advice::GoOn => "run gatehand init again, and it goes on where it stopped",
        Advice::FinishOrReplace => {
            "run gatehand init with that code, or without any, to finish it, or add --replace to give it up"
        }
        Advice::Replace => {
            "to give up what is there and enrol anew, run gatehand init with a new code and --replace"
        }
        Advice::CorrectAddress => {
            "check the server's address and its path; with the right one, run gatehand init with --replace"
        }
        Advice::RestoreOrReplace => {
            "restore the vault and its key from a backup, or enrol anew with gatehand init --replace, which sets them aside"
        }
        Advice::MoveOrReplace => {
            "name another folder with GATEHAND_HOME, or enrol with gatehand init --replace, which sets the file aside"
        }
        Advice::Encrypt => "use https, or add --allow-http if this network is trusted",
        Advice::Update => "update gatehand",
        Advice::Instead(Operation::Initialize) => "use gatehand init",
        Advice::Instead(Operation::Update) => "use gatehand update",
        Advice::Instead(Operation::Roll) => "use gatehand roll",
        Advice::Instead(Operation::Revoke) => "use gatehand revoke",
    }
}
