//! What to do about an error, in commands.

use super::CliError;
use crate::agent::{Advice, AgentError, Operation};
use crate::enrolment::ParseError;

const LOG_IN: &str = "log in to this network first, in a browser; if it wants no login, check that the server still has this address";

/// A server that knows no such key most often knows a later one.
const OTHER_COPY: &str = "another copy of this vault, as in a restored backup or a cloned machine, may have rolled the key, and then only that copy is this device; else, look at the device on the server, after which gatehand info asks again; to give it up, run gatehand init with a new code and --replace";

impl CliError {
    /// What to do, where the error's own words don't say it.
    pub(super) fn advice(&self) -> Option<String> {
        match self {
            Self::Agent(error) => of_agent(error),
            Self::Code(ParseError::TokenAlone | ParseError::WebAddress | ParseError::Ambiguous) => {
                Some(
                    "give the address with --url and the token with --token, both of them"
                        .to_owned(),
                )
            }
            Self::Rejected => Some(OTHER_COPY.to_owned()),
            #[cfg(feature = "server")]
            Self::Store(error) => error.advice().map(str::to_owned),
            _ => {
                let repeat = self.idempotency_key().map(|key| {
                    format!(
                        "it may have been done: to hear what became of it, repeat the call with the same body and --idempotency-key {key}"
                    )
                });
                match (self, repeat) {
                    (Self::Status { status: 511, .. }, Some(repeat)) => {
                        Some(format!("{LOG_IN}; {repeat}"))
                    }
                    (Self::Status { status: 511, .. }, None) => Some(LOG_IN.to_owned()),
                    (_, repeat) => repeat,
                }
            }
        }
    }

    /// The key of a call that may have been done, under which the server repeats its answer.
    pub(super) fn idempotency_key(&self) -> Option<&str> {
        match self {
            Self::Lost {
                idempotency_key, ..
            } => Some(idempotency_key),
            Self::Status {
                idempotency_key, ..
            } => idempotency_key.as_deref(),
            _ => None,
        }
    }
}

fn of_agent(error: &AgentError) -> Option<String> {
    let (first, then) = (error.advice(), error.afterwards());
    match (first, then.map(words)) {
        (None, then) => then.map(str::to_owned),
        (Some(first), None) => Some(words(first).to_owned()),
        (Some(first @ Advice::CorrectAddress), Some(then)) => {
            Some(format!("{}; if it was right, {then}", words(first)))
        }
        (Some(first), Some(then)) => Some(format!("{}; after that, {then}", words(first))),
    }
}

fn words(advice: Advice) -> &'static str {
    match advice {
        Advice::Enrol => "scan its QR code with: gatehand init --qr-image FILE",
        Advice::GoOn => {
            "run gatehand init again with the same code, or without any, and it goes on where it stopped"
        }
        Advice::FinishOrReplace => {
            "run gatehand init with that code, or without any, to finish it, or add --replace to give it up"
        }
        Advice::GoOnLater => "run it again, and it goes on where it stopped",
        Advice::TryAgain => "check this device's network, and try it again",
        Advice::TryLonger => {
            "check this device's network, and try it again, perhaps with a longer --timeout"
        }
        Advice::SeeOrReplace => {
            "gatehand status shows it; to have another device in its place, run gatehand init with a new code, or gatehand adopt, with --replace, and with --revoke-old to revoke this one too"
        }
        Advice::NewDevice => {
            "create a new device on the server, and enrol with its code: gatehand init --qr-image FILE"
        }
        Advice::RevokeAndRenew => {
            "revoke the device on the server, create a new one there, and enrol with its code"
        }
        Advice::LookOrReplace => {
            "look at the device on the server, after which gatehand info asks again; to give it up, run gatehand init with a new code and --replace"
        }
        Advice::OtherCopyOrReplace => OTHER_COPY,
        Advice::CheckExisting => "check address, key and serial",
        Advice::Replace => {
            "to give up what is there and enrol anew, run gatehand init with a new code and --replace"
        }
        Advice::CorrectAddress => {
            "check the server's address and its path; with the right one, run gatehand init with --replace"
        }
        Advice::CheckServer => {
            "open the server's address in a browser, or ask whoever runs it, to see whether it is still there"
        }
        Advice::AskServer => {
            "try it again; if it is refused again and again, ask whoever runs the server; what is begun is given up by gatehand init --replace with another code"
        }
        Advice::LogIn => LOG_IN,
        Advice::TokenUsed => {
            "if this device used the code, gatehand status shows what it is enrolled as; else another device has used it: create a device of its own for this one on the server, and enrol with its code"
        }
        Advice::TokenUnknown => {
            "check that the code is whole and for this server; if it is, its device was deleted there or has a new code by now: use the code that the server shows for the device"
        }
        Advice::TokenRevoked => {
            "the device was revoked on the server before it was enrolled: create a new one there, and enrol with its code"
        }
        Advice::RestoreOrReplace => {
            "restore the vault and its key from a backup, or enrol anew with gatehand init --replace, which sets them aside"
        }
        Advice::MoveOrReplace => {
            "name another folder with GATEHAND_HOME, or enrol with gatehand init --replace, which sets the file aside"
        }
        Advice::MoveVault => {
            "name a folder on another file system with GATEHAND_HOME, as on this machine's own disk"
        }
        Advice::KeepOrAllow => {
            "name a folder on a disk with GATEHAND_HOME, or add --volatile if this device is needed until then only"
        }
        Advice::Encrypt => "use https, or add --allow-http if this network is trusted",
        Advice::LogInOrTrust => {
            "open a browser and log in to the network, if it wants that; if the certificate is the server's own, trust it with --ca-file FILE"
        }
        Advice::CompleteChain => {
            "have the server send its whole chain of certificates (fullchain.pem); if the authority is your own, trust it with --ca-file FILE or --system-certificates"
        }
        Advice::TrustAuthority => {
            "if the authority is your own, trust it with --ca-file FILE or --system-certificates; if it is nobody's you know, something on the way looks into connections: ask whoever runs the network"
        }
        Advice::UseItsName => "use the server's address with a name that its certificate is for",
        Advice::SetClockOrRenew => {
            "set this device's clock if it is wrong; if it is right, have the server's certificate renewed"
        }
        Advice::Update => "update gatehand",
        Advice::Instead(Operation::Initialize) => "use gatehand init",
        Advice::Instead(Operation::Update) => "use gatehand update",
        Advice::Instead(Operation::Roll) => "use gatehand roll",
        Advice::Instead(Operation::Revoke) => "use gatehand revoke",
    }
}
