//! The one classification of errors, from which exit codes, the app's codes and words in JSON follow.

use crate::agent::answer::ForeignAnswer;
use crate::agent::client::SendError;
use crate::enrolment::ParseError;
use crate::vault::VaultError;

/// What class of failure an error is.
///
/// Whoever has codes of its own, as a command or an app, maps kinds to them, several to one where it makes
/// no difference there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ErrorKind {
    /// A text is no code for enrolment.
    EnrolmentInvalid,
    /// A code for enrolment is of a newer kind than this program knows.
    EnrolmentTooNew,
    /// The caller gave something that can't be used.
    ArgumentInvalid,
    /// The connection would be unencrypted.
    NotEncrypted,
    /// There is no identity.
    NotEnrolled,
    /// A token was sent, and its answer not read.
    Enrolling,
    /// Another token was sent, and its answer not read.
    EnrolmentUnfinished,
    /// There is an identity, and it was not said to be replaced.
    AlreadyEnrolled,
    /// The device's access was ended for good, by the server or from here.
    Revoked,
    /// The server does not accept the device's key, for a reason that need not last.
    Rejected,
    /// The server does not accept a key that was to be adopted.
    GivenKeyRejected,
    /// A key that was to be adopted is of a device that was revoked.
    GivenKeyRevoked,
    /// A key was given out in an answer that will never arrive.
    AnswerLost,
    /// The server refused, in its own words.
    Refused,
    /// The server refused the initialization token.
    TokenRefused,
    /// The server told of another device.
    OtherDevice,
    /// A code is for a device of an organizer that is not allowed here.
    OtherOrganizer,
    /// The vault was copied from another machine, and is not to be used here.
    OtherHardware,
    /// The server keeps another RSA key for this device.
    MediaKeyLost,
    /// The server keeps another RSA key for a device that is to be adopted.
    OtherMediaKey,
    /// The server's keys for NFC media can't be decrypted.
    MediaKeysUnreadable,
    /// No connection, or it broke.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The server's certificate is not valid to this device.
    CertificateInvalid,
    /// The answer is larger than what is read.
    AnswerTooLarge,
    /// The server says that it can't answer, or its answer can't be used.
    ServerFailed,
    /// Something else than the device API answered.
    ForeignAnswer,
    /// Nothing says where the vault is to be.
    VaultUnnamed,
    /// Another process is changing this device.
    VaultInUse,
    /// The vault can't be written, or would not be kept.
    VaultUnwritable,
    /// The vault can't be read now, and may be whole.
    VaultUnreadable,
    /// The vault is past use: only setting it aside makes room for another.
    VaultDamaged,
    /// The vault is of a newer version than this program knows.
    VaultTooNew,
    /// What this device gave is missing or wrong, as random bytes or certificates, or gatehand has a defect.
    Failed,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 34] = [
        Self::EnrolmentInvalid,
        Self::EnrolmentTooNew,
        Self::ArgumentInvalid,
        Self::NotEncrypted,
        Self::NotEnrolled,
        Self::Enrolling,
        Self::EnrolmentUnfinished,
        Self::AlreadyEnrolled,
        Self::Revoked,
        Self::Rejected,
        Self::GivenKeyRejected,
        Self::GivenKeyRevoked,
        Self::AnswerLost,
        Self::Refused,
        Self::TokenRefused,
        Self::OtherDevice,
        Self::OtherOrganizer,
        Self::OtherHardware,
        Self::MediaKeyLost,
        Self::OtherMediaKey,
        Self::MediaKeysUnreadable,
        Self::Unreachable,
        Self::TimedOut,
        Self::CertificateInvalid,
        Self::AnswerTooLarge,
        Self::ServerFailed,
        Self::ForeignAnswer,
        Self::VaultUnnamed,
        Self::VaultInUse,
        Self::VaultUnwritable,
        Self::VaultUnreadable,
        Self::VaultDamaged,
        Self::VaultTooNew,
        Self::Failed,
    ];

    /// The kind as a word for JSON and logs, which never changes its meaning: small letters and hyphens.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EnrolmentInvalid => "enrolment-invalid",
            Self::EnrolmentTooNew => "enrolment-too-new",
            Self::ArgumentInvalid => "argument-invalid",
            Self::NotEncrypted => "not-encrypted",
            Self::NotEnrolled => "not-enrolled",
            Self::Enrolling => "enrolling",
            Self::EnrolmentUnfinished => "enrolment-unfinished",
            Self::AlreadyEnrolled => "already-enrolled",
            Self::Revoked => "revoked",
            Self::Rejected => "rejected",
            Self::GivenKeyRejected => "given-key-rejected",
            Self::GivenKeyRevoked => "given-key-revoked",
            Self::AnswerLost => "answer-lost",
            Self::Refused => "refused",
            Self::TokenRefused => "token-refused",
            Self::OtherDevice => "other-device",
            Self::OtherOrganizer => "other-organizer",
            Self::OtherHardware => "other-hardware",
            Self::MediaKeyLost => "media-key-lost",
            Self::OtherMediaKey => "other-media-key",
            Self::MediaKeysUnreadable => "media-keys-unreadable",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::CertificateInvalid => "certificate-invalid",
            Self::AnswerTooLarge => "answer-too-large",
            Self::ServerFailed => "server-failed",
            Self::ForeignAnswer => "foreign-answer",
            Self::VaultUnnamed => "vault-unnamed",
            Self::VaultInUse => "vault-in-use",
            Self::VaultUnwritable => "vault-unwritable",
            Self::VaultUnreadable => "vault-unreadable",
            Self::VaultDamaged => "vault-damaged",
            Self::VaultTooNew => "vault-too-new",
            Self::Failed => "failed",
        }
    }
}

impl From<&VaultError> for ErrorKind {
    fn from(error: &VaultError) -> Self {
        match error {
            VaultError::NoFolder => Self::VaultUnnamed,
            VaultError::Busy { .. } => Self::VaultInUse,
            VaultError::OtherVersion { .. } | VaultError::KeyVersion { .. } => Self::VaultTooNew,
            VaultError::OpenFolder { .. }
            | VaultError::NoPermissions { .. }
            | VaultError::Volatile { .. }
            | VaultError::Unwritable { .. }
            | VaultError::NotWritten { .. }
            | VaultError::NotSealed { .. }
            | VaultError::HomeTaken { .. }
            | VaultError::OtherCredential { .. }
            | VaultError::NotKept { .. } => Self::VaultUnwritable,
            VaultError::OpenFile { .. }
            | VaultError::Unreadable { .. }
            | VaultError::NotRead { .. }
            | VaultError::Foreign { .. }
            | VaultError::Corrupt { .. }
            | VaultError::Emptied { .. }
            | VaultError::KeyMissing { .. }
            | VaultError::KeyNotGiven { .. }
            | VaultError::Credential { .. }
            | VaultError::KeyWrapped { .. }
            | VaultError::KeyLength { .. }
            | VaultError::KeyMethod { .. }
            | VaultError::OtherKey { .. }
            | VaultError::Seal { .. }
            | VaultError::Sqlite { .. } => match error.is_beyond_use() {
                true => Self::VaultDamaged,
                false => Self::VaultUnreadable,
            },
        }
    }
}

impl From<&SendError> for ErrorKind {
    fn from(error: &SendError) -> Self {
        match error {
            SendError::TimedOut { .. } => Self::TimedOut,
            SendError::TooLarge { .. } => Self::AnswerTooLarge,
            SendError::Certificate { .. } | SendError::Clock => Self::CertificateInvalid,
            SendError::UnknownHost { .. }
            | SendError::NoConnection { .. }
            | SendError::Proxy { .. }
            | SendError::NotEncrypted { .. }
            | SendError::NotHttp { .. }
            | SendError::HeldBack { .. }
            | SendError::Broken { .. } => Self::Unreachable,
        }
    }
}

impl From<&ForeignAnswer> for ErrorKind {
    fn from(answer: &ForeignAnswer) -> Self {
        match answer.failure() {
            Some(_) => Self::ServerFailed,
            None => Self::ForeignAnswer,
        }
    }
}

impl From<&ParseError> for ErrorKind {
    fn from(error: &ParseError) -> Self {
        match error {
            ParseError::UpdateNeeded(_) => Self::EnrolmentTooNew,
            _ => Self::EnrolmentInvalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        // In their order and up to the last one, so that none is left out.
        for (place, kind) in ErrorKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place, "{kind:?}");
        }
        assert_eq!(ErrorKind::ALL.last(), Some(&ErrorKind::Failed));
        let words: HashSet<&str> = ErrorKind::ALL.map(ErrorKind::code).into();
        assert_eq!(words.len(), ErrorKind::ALL.len());
        let is_of_words = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(words.iter().all(|word| word.chars().all(is_of_words)));
    }
}
