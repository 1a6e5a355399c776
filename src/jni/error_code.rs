//! What an error is called in Kotlin's `ErrorCode`.

use crate::agent::ErrorKind;

/// The id of an `ErrorCode`: the kind's word, or that of the kinds from which the app need not tell it.
pub(super) fn of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::EnrolmentInvalid => "enrolment_invalid",
        ErrorKind::EnrolmentTooNew => "enrolment_too_new",
        ErrorKind::ArgumentInvalid | ErrorKind::NotEncrypted => "argument_invalid",
        ErrorKind::NotEnrolled => "not_enrolled",
        ErrorKind::EnrolmentUnfinished | ErrorKind::Enrolling => "enrolment_unfinished",
        ErrorKind::AlreadyEnrolled => "already_enrolled",
        ErrorKind::Revoked | ErrorKind::GivenKeyRevoked => "revoked",
        ErrorKind::Rejected | ErrorKind::GivenKeyRejected => "rejected",
        ErrorKind::AnswerLost => "answer_lost",
        ErrorKind::Refused => "refused",
        // Only a command names the organizers that are allowed.
        ErrorKind::TokenRefused | ErrorKind::OtherOrganizer => "token_refused",
        ErrorKind::OtherDevice => "other_device",
        ErrorKind::MediaKeyLost => "key_lost",
        ErrorKind::OtherMediaKey => "other_media_key",
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::CertificateInvalid => "certificate_invalid",
        ErrorKind::AnswerTooLarge => "answer_too_large",
        ErrorKind::ServerFailed | ErrorKind::MediaKeysUnreadable => "server_failed",
        ErrorKind::ForeignAnswer => "foreign_answer",
        ErrorKind::VaultInUse => "vault_in_use",
        ErrorKind::VaultUnwritable | ErrorKind::VaultUnreadable | ErrorKind::VaultUnnamed => {
            "vault_unwritable"
        }
        ErrorKind::VaultDamaged => "vault_damaged",
        ErrorKind::VaultTooNew => "vault_too_new",
        // An app does not name its hardware.
        ErrorKind::OtherHardware | ErrorKind::Failed => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kinds that the app does not tell from others, or that have another name there.
    const COARSER: [(ErrorKind, &str); 11] = [
        (ErrorKind::NotEncrypted, "argument_invalid"),
        (ErrorKind::Enrolling, "enrolment_unfinished"),
        (ErrorKind::GivenKeyRejected, "rejected"),
        (ErrorKind::GivenKeyRevoked, "revoked"),
        (ErrorKind::MediaKeyLost, "key_lost"),
        (ErrorKind::MediaKeysUnreadable, "server_failed"),
        (ErrorKind::OtherOrganizer, "token_refused"),
        (ErrorKind::OtherHardware, "internal"),
        (ErrorKind::VaultUnnamed, "vault_unwritable"),
        (ErrorKind::VaultUnreadable, "vault_unwritable"),
        (ErrorKind::Failed, "internal"),
    ];

    #[test]
    fn a_kind_has_its_own_word_or_that_of_others() {
        for kind in ErrorKind::ALL {
            let coarser = COARSER.iter().find(|(finer, _)| *finer == kind);
            match coarser {
                Some((_, id)) => assert_eq!(of(kind), *id, "{kind:?}"),
                None => assert_eq!(of(kind), kind.code().replace('-', "_"), "{kind:?}"),
            }
        }
    }
}
