//! What to do about an error of the agent, in functions of the Kotlin library.

use crate::agent::{Advice, AgentError, ForeignAnswer, Operation, SendError};
use crate::shown;

/// What an error says, and what to do: one line, as it may repeat what a server said.
pub(super) fn words(error: &AgentError) -> String {
    let advised = || {
        let first = Advice::on(error).map(of).or_else(|| on_call(error));
        let advice = [first, Advice::after(error).map(of)];
        match advice.into_iter().flatten().collect::<Vec<_>>() {
            none if none.is_empty() => error.to_string(),
            advice => format!("{error}: {}", advice.join("; then ")),
        }
    };
    shown::line(&on_operation(error).unwrap_or_else(advised))
}

/// For what an operation's own words say in part only.
fn on_operation(error: &AgentError) -> Option<String> {
    match error {
        AgentError::Refused { pending: true, .. } => {
            let advice = Advice::on(error).map(of)?;
            Some(format!("{error}; {advice}"))
        }
        AgentError::Refused {
            about_token: true, ..
        } => {
            let advice = Advice::on(error).map(of)?;
            let words = error.to_string();
            Some(format!("{}; {advice}", words.trim_end_matches('.')))
        }
        AgentError::Address(source) => source.advice().map(|advice| format!("{error}; {advice}")),
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
            SendError::TooLarge { .. } => Some("stream it instead"),
            SendError::Certificate { .. } => {
                Some("check this device's clock and the server's certificate")
            }
            // They have advice of their own, or say it.
            SendError::UnknownHost { .. }
            | SendError::NoConnection { .. }
            | SendError::Proxy { .. }
            | SendError::NotEncrypted { .. }
            | SendError::NotHttp { .. }
            | SendError::HeldBack { .. }
            | SendError::Broken { .. }
            | SendError::TimedOut { .. }
            | SendError::Clock => None,
        },
        AgentError::Foreign {
            operation: None,
            source,
            ..
        } => match source {
            ForeignAnswer::NotYet(_) | ForeignAnswer::Failure(_) => Some("try again later"),
            // They have advice of their own.
            ForeignAnswer::LoginRequired
            | ForeignAnswer::Unexpected { .. }
            | ForeignAnswer::EncryptedOnly(_)
            | ForeignAnswer::NotFound
            | ForeignAnswer::Redirect { .. } => None,
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
        Advice::GoOnLater => "refresh, and it goes on where it stopped",
        Advice::TryAgain => "check this device's network and try again",
        Advice::TryLonger => {
            "check this device's network and try again, perhaps with a longer time limit"
        }
        Advice::SeeOrReplace => {
            "its state shows who it is; to have another device in its place, initialize with a new code and replace"
        }
        Advice::CodeOfAllowed => {
            "create a device of an organizer that is allowed, and enrol with its code"
        }
        Advice::NewDevice => "create a new device on the server, and enrol with its code",
        Advice::RevokeAndRenew => {
            "revoke the device on the server, create a new one there, and enrol with its code"
        }
        Advice::LookOrReplace => {
            "look at the device on the server; to give it up, initialize with a new code and replace"
        }
        Advice::OtherCopyOrReplace => {
            "ask whoever runs the server: the device may have been reconnected for another scanner, or a backup restored; or another copy of this vault, as on a cloned machine, has rolled the key, and only that copy is this device. With a new code of this device, initialize and replace"
        }
        Advice::CheckExisting => "check address, key and serial",
        Advice::Replace => {
            "to give up what is there and enrol anew, initialize with a new code and replace"
        }
        Advice::CorrectAddress => {
            "check the server's address and its path; with the right one, initialize with replace"
        }
        Advice::LogInOrCorrectAddress => {
            "log in to this network first, in a browser, if it wants that; if not, check the server's address and its path; with another one, initialize with replace"
        }
        Advice::CallEncrypted => {
            "give the server's address with https://; if an enrolment was begun without, initialize with replace"
        }
        Advice::CallPlain => {
            "the server needs TLS; an app for a network that is trusted can allow http in its AgentConfig"
        }
        Advice::GiveProxyLogin => "give name and password with the proxy's address",
        Advice::CheckProxyLogin => "check the name and the password in the proxy's address",
        Advice::AskProxy => "ask whoever runs the proxy to let this device through to the server",
        Advice::CheckBeyondProxy => {
            "check the server's address, and ask whoever runs the proxy whether it is reached from there"
        }
        Advice::CheckServer => "see in a browser whether the server is still at its address",
        Advice::AskServer => {
            "try it again; if it is refused again and again, ask whoever runs the server; what is begun is given up by initializing with another code and replace"
        }
        Advice::LogIn => {
            "log in to this network first, in a browser; if it wants no login, check that the server still has this address"
        }
        Advice::TokenUsed => {
            "if this device used the code, its state shows what it is enrolled as; else another device has used it: ask for a code of its own for this one, or, if this device was reset, for another code of its own device"
        }
        Advice::TokenUnknown => {
            "check that the code is whole and for this server; if it is, its device was deleted there or has a new code by now: ask for the code that the server shows for the device"
        }
        Advice::TokenRevoked => {
            "the device was revoked on the server before it was enrolled: ask for the code of a new device"
        }
        Advice::RestoreOrReplace | Advice::MoveOrReplace => {
            "initialize with a new code, which sets the old vault aside"
        }
        Advice::MoveVault => "choose a folder in the app's own storage",
        Advice::MakeRoom => "free storage on this device",
        Advice::MakeWritable | Advice::BecomeOwner => "choose a folder that the app can write to",
        Advice::KeepOrAllow => "choose a folder that is kept",
        Advice::GiveReportedMediaKey => {
            "give the alias of the key that the app has reported, or none: NFC media then need a new device"
        }
        Advice::Encrypt => {
            "use https; an app for a network that is trusted can allow http in its AgentConfig"
        }
        Advice::LogInOrTrust { .. } => {
            "log in to the network first, if it wants that; else the server needs a certificate of an authority that this device knows"
        }
        Advice::TrustOrComplete { .. } => {
            "have someone make the server send its whole chain of certificates, or give it a certificate of an authority that this device knows"
        }
        Advice::CompleteChain => {
            "have someone make the server send its whole chain of certificates"
        }
        Advice::TrustAuthority { .. } => {
            "the server needs a certificate of an authority that this device knows, or something on the way looks into connections"
        }
        Advice::UseItsName => "use the server's address with a name that its certificate is for",
        Advice::GiveItsCertificate => {
            "log in to the network first, if it wants that; if the server has another certificate now, the app needs it in trust(...)"
        }
        Advice::MakeForServer
        | Advice::MakeStronger
        | Advice::MakeAuthority
        | Advice::ReplaceCertificate => "have the server's certificate replaced",
        Advice::SetClockOrRenew => {
            "check this device's clock; if it is right, have the server's certificate renewed"
        }
        Advice::EnrolOrAdoptHardware => {
            "initialize with the code of a device of its own, and replace"
        }
        Advice::GiveHardwareId => "say which hardware this is",
        Advice::Update => "update the app",
        Advice::Instead(Operation::Initialize) => "call initialize",
        Advice::Instead(Operation::Update) => "call refresh",
        Advice::Instead(Operation::Roll) => "call roll",
        Advice::Instead(Operation::Revoke) => "call revoke",
    }
}
