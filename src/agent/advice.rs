//! What can be done about an error. Whoever shows it says it in words of its own: commands for a
//! shell, functions for an app.

use super::answer::ForeignAnswer;
use super::client::{Distrust, Flaw, ProxyRefusal, SendError, Signer};
use super::error::{AgentError, ErrorKind};
use super::state::Operation;
use crate::vault::{Hindrance, VaultError};
use crate::wire::{TOKEN_REVOKED, TOKEN_UNKNOWN};

/// What the person at the device, or the app, can do about an error that does not say it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Enrol with a code.
    Enrol,
    /// Enrol again with the same code.
    GoOn,
    /// Enrol again with that other code, or with a new one that replaces it.
    FinishOrReplace,
    /// Ask again for what was begun, and it goes on.
    GoOnLater,
    /// See whether the network is there, and ask again.
    TryAgain,
    /// The same, perhaps with more time.
    TryLonger,
    /// See who the device is; only what replaces it takes its place.
    SeeOrReplace,
    /// Enrol with the code of a new device.
    NewDevice,
    /// Enrol with the code of a device of an organizer that is allowed.
    CodeOfAllowed,
    /// End the device's access on the server, and enrol with the code of a new one.
    RevokeAndRenew,
    /// See on the server how the device stands, or replace it.
    LookOrReplace,
    /// The same, unless another copy of the vault is the device now.
    OtherCopyOrReplace,
    /// See whether address, key and serial are those of one device.
    CheckExisting,
    /// Enrol with a new code that replaces what is there.
    Replace,
    /// Enrol again at the right address.
    CorrectAddress,
    /// Log in to the network first; if it wants none, enrol again at the right address.
    LogInOrCorrectAddress,
    /// Enrol at the server's encrypted address.
    CallEncrypted,
    /// Enrol at the server's address without encryption, or have it encrypt.
    CallPlain,
    /// Give the proxy a name and a password.
    GiveProxyLogin,
    /// See whether the proxy's name and password are right.
    CheckProxyLogin,
    /// Have the proxy let the device through, or go without it.
    AskProxy,
    /// See whether the server can be reached from where the proxy is.
    CheckBeyondProxy,
    /// See whether the server still has its address.
    CheckServer,
    /// Ask whoever runs the server, before what may be done already is given up.
    AskServer,
    /// Log in to the network first, or see whether the server still has its address.
    LogIn,
    /// The token was used: by this device, as its vault tells, or by another one.
    TokenUsed,
    /// The token is not whole, of another server, or of a device that is gone or has a new one.
    TokenUnknown,
    /// The token's device was revoked before it was enrolled.
    TokenRevoked,
    /// Restore the vault, or enrol with a new code that sets it aside.
    RestoreOrReplace,
    /// Put the vault elsewhere, or enrol with a new code that sets aside what is there.
    MoveOrReplace,
    /// Put the vault on a file system that keeps permissions.
    MoveVault,
    /// Make room on the vault's disk.
    MakeRoom,
    /// Have the vault's file system writable, or put the vault elsewhere.
    MakeWritable,
    /// Have the vault's files belong to whom gatehand runs as, or run it as theirs.
    BecomeOwner,
    /// Put the vault where it is kept, or allow that it is not.
    KeepOrAllow,
    /// Adopt with the RSA key that was reported, or without any.
    GiveReportedMediaKey,
    /// Use https, or allow plain http.
    Encrypt,
    /// Log in to the network first, or trust the server's own certificate.
    LogInOrTrust {
        /// Whether others are trusted, so that it is a further certificate that is missing.
        is_another: bool,
    },
    /// Trust the authority that issued the server's certificate, or have the server send its whole chain.
    TrustOrComplete {
        /// Whether others are trusted.
        is_another: bool,
    },
    /// Have the server send its whole chain.
    CompleteChain,
    /// Trust the authority that issued the server's certificate, if it is one's own.
    TrustAuthority {
        /// Whether others are trusted.
        is_another: bool,
    },
    /// Call the server by a name that its certificate is for.
    UseItsName,
    /// Give this device the certificate that the server has now, if it is the server's.
    GiveItsCertificate,
    /// Have the server's certificate made as one for a server.
    MakeForServer,
    /// Have certificates made with stronger keys and signatures, or trust the authority's present one.
    MakeStronger,
    /// Have the certificate of the server's authority made as one for an authority.
    MakeAuthority,
    /// Have the server's certificate replaced.
    ReplaceCertificate,
    /// Set this device's clock, or have the server's certificate renewed.
    SetClockOrRenew,
    /// Enrol as a device of its own, or take the vault over for this hardware.
    EnrolOrAdoptHardware,
    /// Say what tells this hardware from other.
    GiveHardwareId,
    /// Install a newer version.
    Update,
    /// Ask for this operation instead.
    Instead(Operation),
}

impl Advice {
    /// What can be done about an error, if its own words don't say.
    pub fn on(error: &AgentError) -> Option<Self> {
        // Its words say it all.
        #[cfg(feature = "cli")]
        if matches!(error, AgentError::NotImported { .. }) {
            return None;
        }
        #[cfg(feature = "cli")]
        if let AgentError::NotAdoptedHere { operation } = error {
            return Some(Self::Instead(*operation));
        }
        match error.kind() {
            ErrorKind::NotEnrolled => Some(Self::Enrol),
            ErrorKind::Enrolling => Some(Self::GoOn),
            ErrorKind::EnrolmentUnfinished => Some(Self::FinishOrReplace),
            ErrorKind::AlreadyEnrolled => Some(Self::SeeOrReplace),
            ErrorKind::MediaKeyLost => Some(Self::Replace),
            ErrorKind::OtherMediaKey => Some(Self::GiveReportedMediaKey),
            ErrorKind::Revoked | ErrorKind::GivenKeyRevoked => Some(Self::NewDevice),
            ErrorKind::AnswerLost => Some(Self::RevokeAndRenew),
            ErrorKind::OtherDevice | ErrorKind::GivenKeyRejected => Some(Self::CheckExisting),
            ErrorKind::NotEncrypted => Some(Self::Encrypt),
            ErrorKind::VaultTooNew => Some(Self::Update),
            ErrorKind::ArgumentInvalid
            | ErrorKind::Rejected
            | ErrorKind::Refused
            | ErrorKind::TokenRefused
            | ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::CertificateInvalid
            | ErrorKind::AnswerTooLarge
            | ErrorKind::ServerFailed
            | ErrorKind::ForeignAnswer
            | ErrorKind::VaultUnwritable
            | ErrorKind::VaultDamaged => of_details(error),
            ErrorKind::EnrolmentInvalid
            | ErrorKind::EnrolmentTooNew
            | ErrorKind::MediaKeysUnreadable
            | ErrorKind::VaultUnnamed
            | ErrorKind::VaultInUse
            | ErrorKind::VaultUnreadable
            | ErrorKind::Failed => None,
            ErrorKind::OtherOrganizer => Some(Self::CodeOfAllowed),
            ErrorKind::OtherHardware => Some(Self::EnrolOrAdoptHardware),
        }
    }

    /// What to do once that is mended, where something was begun.
    pub fn after(error: &AgentError) -> Option<Self> {
        let begun = match error {
            AgentError::Foreign { operation, .. } => *operation,
            AgentError::Unanswered {
                operation, pending, ..
            } => operation.filter(|_| *pending),
            _ => None,
        };
        let afterwards = begun.map(going_on);
        afterwards.filter(|_| Self::on(error) != afterwards)
    }
}

/// Where what helps differs within a kind.
fn of_details(error: &AgentError) -> Option<Advice> {
    match error {
        AgentError::Rejected { problem, .. } => Some(match problem.says_unknown_key() {
            true => Advice::OtherCopyOrReplace,
            false => Advice::LookOrReplace,
        }),
        AgentError::Refused {
            operation: Some(Operation::Initialize),
            pending: true,
            ..
        } => Some(Advice::AskServer),
        AgentError::Refused {
            about_token: true,
            problem,
            ..
        } => Some(of_token(&problem.to_string())),
        AgentError::Refused { pending: true, .. } => Some(Advice::GoOnLater),
        AgentError::Foreign {
            operation, source, ..
        } => of_foreign(*operation, source),
        AgentError::Unsound { operation, .. } => Some(going_on(*operation)),
        AgentError::Unanswered {
            operation,
            pending,
            source,
            ..
        } => match source {
            SendError::Certificate { distrust, .. } => Some(of_certificate(distrust)),
            SendError::Proxy { source, .. } => Some(of_proxy(*source)),
            SendError::NotEncrypted { .. } => Some(Advice::CallPlain),
            SendError::NotHttp { .. } => {
                Some(at_another_address(*operation, Advice::CallEncrypted))
            }
            source => of_silence(*operation, *pending, source),
        },
        AgentError::NoHardware => Some(Advice::GiveHardwareId),
        AgentError::OwnPath { operation, .. } => Some(Advice::Instead(*operation)),
        AgentError::Vault(VaultError::Volatile { .. }) => Some(Advice::KeepOrAllow),
        AgentError::Vault(VaultError::NoPermissions { .. }) => Some(Advice::MoveVault),
        AgentError::Vault(VaultError::Foreign { .. }) => Some(Advice::MoveOrReplace),
        AgentError::Vault(error) if error.hindrance().is_some() => {
            error.hindrance().map(|hindrance| match hindrance {
                Hindrance::Full => Advice::MakeRoom,
                Hindrance::ReadOnly => Advice::MakeWritable,
                Hindrance::Denied => Advice::BecomeOwner,
            })
        }
        AgentError::Entry { .. } => Some(Advice::Update),
        error if error.kind() == ErrorKind::VaultDamaged => Some(Advice::RestoreOrReplace),
        _ => None,
    }
}

/// For an operation that is in the vault.
fn going_on(operation: Operation) -> Advice {
    match operation {
        Operation::Initialize => Advice::GoOn,
        Operation::Update | Operation::Roll | Operation::Revoke => Advice::GoOnLater,
    }
}

fn of_silence(operation: Option<Operation>, pending: bool, error: &SendError) -> Option<Advice> {
    match (operation, error) {
        (_, SendError::Clock) => None,
        (Some(operation), _) if pending => Some(going_on(operation)),
        (_, SendError::TooLarge { .. } | SendError::Certificate { .. }) => None,
        (None, SendError::TimedOut { .. }) => Some(Advice::TryLonger),
        _ => Some(Advice::TryAgain),
    }
}

fn of_certificate(distrust: &Distrust) -> Advice {
    match distrust {
        Distrust::Unknown { signer, own } => {
            let is_another = !own.is_empty();
            match signer {
                Signer::Itself(_) => Advice::LogInOrTrust { is_another },
                Signer::NotSent(_) => Advice::TrustOrComplete { is_another },
                Signer::BetweenNotSent(_) => Advice::CompleteChain,
                Signer::Authority(_) => Advice::TrustAuthority { is_another },
            }
        }
        Distrust::OtherName { .. } => Advice::UseItsName,
        Distrust::NotPinned => Advice::GiveItsCertificate,
        Distrust::Expired { .. } | Distrust::NotYetValid { .. } => Advice::SetClockOrRenew,
        Distrust::Flawed(flaw) => match flaw {
            Flaw::AuthorityAsServer | Flaw::OldForm | Flaw::NoName(_) | Flaw::NotForServers => {
                Advice::MakeForServer
            }
            Flaw::Signature | Flaw::Algorithm => Advice::MakeStronger,
            Flaw::IssuerIsNoAuthority | Flaw::BeyondLimits => Advice::MakeAuthority,
            Flaw::Revoked | Flaw::Unreadable | Flaw::Other(_) => Advice::ReplaceCertificate,
        },
    }
}

fn of_proxy(refusal: ProxyRefusal) -> Advice {
    match refusal {
        ProxyRefusal::LoginWanted => Advice::GiveProxyLogin,
        ProxyRefusal::LoginRefused => Advice::CheckProxyLogin,
        ProxyRefusal::NetworkLogin(_) => Advice::LogIn,
        ProxyRefusal::Unreachable(_) => Advice::CheckBeyondProxy,
        ProxyRefusal::Refused(_) | ProxyRefusal::Unknown => Advice::AskProxy,
    }
}

/// Who is enrolled has had the right address.
fn at_another_address(operation: Option<Operation>, enrol: Advice) -> Advice {
    match operation {
        Some(Operation::Initialize) => enrol,
        _ => Advice::CheckServer,
    }
}

fn of_foreign(operation: Option<Operation>, answer: &ForeignAnswer) -> Option<Advice> {
    match answer {
        ForeignAnswer::Redirect {
            may_be_login: true, ..
        }
        | ForeignAnswer::LoginRequired
        | ForeignAnswer::Unexpected { .. } => Some(Advice::LogIn),
        ForeignAnswer::Redirect { .. } => {
            Some(at_another_address(operation, Advice::LogInOrCorrectAddress))
        }
        ForeignAnswer::NotFound => Some(at_another_address(operation, Advice::CorrectAddress)),
        ForeignAnswer::EncryptedOnly(_) => {
            Some(at_another_address(operation, Advice::CallEncrypted))
        }
        ForeignAnswer::NotYet(_) | ForeignAnswer::Failure(_) => operation.map(going_on),
    }
}

/// Words on a token that are not known are taken for those on a used one.
fn of_token(words: &str) -> Advice {
    if words.contains(TOKEN_UNKNOWN) {
        Advice::TokenUnknown
    } else if words.contains(TOKEN_REVOKED) {
        Advice::TokenRevoked
    } else {
        Advice::TokenUsed
    }
}
