//! What the process' exit code says, so that scripts can tell failures apart.

use std::process;

use super::enrolment_list::EnrolmentListError;
use super::error::CliError;
#[cfg(feature = "server")]
use super::team_token::TeamTokenError;
use crate::agent::ErrorKind;
use crate::daemon::DaemonError;
use crate::enrolment::picture::PictureError;
#[cfg(feature = "server")]
use crate::fleet::FleetError;
use crate::passphrase::PassphraseError;
#[cfg(feature = "server")]
use crate::server::ServerError;
#[cfg(feature = "server")]
use crate::server::store::{OpenError, OpenFailure};

/// For `--help`; a test holds it against [`ExitCode`].
pub(super) const TABLE: &str = "\
Exit codes, and the word for each as --json has it in `kind`:
   0                       done
   1  failed               failed for a reason not named below
   2  usage                the command was called wrongly
   3  picture-unreadable   the picture can't be read, or holds no code, or
                           several enrolments
   4  enrolment-invalid    the code is none for enrolment, or is incomplete
   5  not-encrypted        the connection would be unencrypted (see --allow-http)
   6  refused              the server refused
   7  foreign-answer       something else than the device API answered
   8  unreachable          the server can't be reached
   9  certificate-invalid  the server's certificate is not valid
  10  vault-unwritable     the vault can't be written, or would be gone at the
                           next boot (see --volatile)
  11  vault-unusable       the vault can't be used: not readable, damaged,
                           sealed with another key, too new
  12  already-enrolled     this device is already enrolled, or a different
                           enrolment is not finished
  13  not-enrolled         this device is not enrolled (yet)
  14  vault-in-use         another process is changing this device
  15  server-unable        the server or its database can't do what was asked
  16  revoked              this device was revoked, on the server or from here
  17  rejected             the server does not accept this device's key
  18  answer-lost          the answer with this device's key was lost
  19  error-status         an answer to gatehand request is of status 400 or above
  20  not-allowed          the code's server or organizer is not among those
                           that this device may enrol at
  21  passphrase-wrong     the passphrase does not open the file
  22  check-warning        gatehand check found what somebody should see to
  23  check-failed         gatehand check found what does not work
  24  other-hardware       the vault was copied from another machine, and
                           is not to be used here (see --copied-card)
  25  not-confirmed        the server's database was restored from a backup,
                           and is not served until that is confirmed";

/// Exit codes; see [`TABLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum ExitCode {
    Failed = 1,
    Usage = 2,
    Picture = 3,
    Code = 4,
    Transport = 5,
    Refused = 6,
    Foreign = 7,
    Unreachable = 8,
    Certificate = 9,
    VaultUnwritable = 10,
    VaultUnusable = 11,
    AlreadyEnrolled = 12,
    NotEnrolled = 13,
    Busy = 14,
    Server = 15,
    Revoked = 16,
    Rejected = 17,
    AnswerLost = 18,
    Status = 19,
    NotAllowed = 20,
    Passphrase = 21,
    CheckWarning = 22,
    CheckFailed = 23,
    OtherHardware = 24,
    #[cfg_attr(
        not(feature = "server"),
        allow(dead_code, reason = "a program without the server tells of all codes")
    )]
    NotConfirmed = 25,
}

impl ExitCode {
    /// The same as a word, which never changes its meaning.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Picture => "picture-unreadable",
            Self::Code => "enrolment-invalid",
            Self::Transport => "not-encrypted",
            Self::Refused => "refused",
            Self::Foreign => "foreign-answer",
            Self::Unreachable => "unreachable",
            Self::Certificate => "certificate-invalid",
            Self::VaultUnwritable => "vault-unwritable",
            Self::VaultUnusable => "vault-unusable",
            Self::AlreadyEnrolled => "already-enrolled",
            Self::NotEnrolled => "not-enrolled",
            Self::Busy => "vault-in-use",
            Self::Server => "server-unable",
            Self::Revoked => "revoked",
            Self::Rejected => "rejected",
            Self::AnswerLost => "answer-lost",
            Self::Status => "error-status",
            Self::NotAllowed => "not-allowed",
            Self::Passphrase => "passphrase-wrong",
            Self::CheckWarning => "check-warning",
            Self::CheckFailed => "check-failed",
            Self::OtherHardware => "other-hardware",
            Self::NotConfirmed => "not-confirmed",
        }
    }
}

#[cfg(test)]
impl ExitCode {
    pub(super) const ALL: [Self; 25] = [
        Self::Failed,
        Self::Usage,
        Self::Picture,
        Self::Code,
        Self::Transport,
        Self::Refused,
        Self::Foreign,
        Self::Unreachable,
        Self::Certificate,
        Self::VaultUnwritable,
        Self::VaultUnusable,
        Self::AlreadyEnrolled,
        Self::NotEnrolled,
        Self::Busy,
        Self::Server,
        Self::Revoked,
        Self::Rejected,
        Self::AnswerLost,
        Self::Status,
        Self::NotAllowed,
        Self::Passphrase,
        Self::CheckWarning,
        Self::CheckFailed,
        Self::OtherHardware,
        Self::NotConfirmed,
    ];
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The exit code for an error.
pub(super) fn of(error: &CliError) -> ExitCode {
    match error {
        CliError::Agent(error) => of_kind(error.kind()),
        CliError::Lost { source, .. }
        | CliError::NotRolled { source }
        | CliError::OldElsewhere { source } => of_kind(source.kind()),
        CliError::DaemonRuns { .. } => ExitCode::Busy,
        CliError::Passphrase {
            source: PassphraseError::Mismatch,
            ..
        } => ExitCode::Passphrase,
        CliError::NoRecovery { .. } | CliError::OtherRecovery { .. } => ExitCode::VaultUnusable,
        CliError::Code(error) => of_kind(error.into()),
        CliError::Daemon(DaemonError::Vault(error)) => of_kind(error.into()),
        CliError::Daemon(DaemonError::Running { .. }) => ExitCode::Busy,
        CliError::Rejected => ExitCode::Rejected,
        CliError::ChecksWarn { .. } => ExitCode::CheckWarning,
        CliError::ChecksFailed { .. } => ExitCode::CheckFailed,
        CliError::Status { .. } => ExitCode::Status,
        CliError::Picture {
            source: PictureError::OtherCodes(_),
            ..
        } => ExitCode::Code,
        CliError::Picture { .. } => ExitCode::Picture,
        CliError::EnrolmentList {
            source: EnrolmentListError::Read(_),
            ..
        } => ExitCode::Failed,
        CliError::Token(_)
        | CliError::Url(_)
        | CliError::OtherServer { .. }
        | CliError::WholeCode(_)
        | CliError::EnrolmentList { .. } => ExitCode::Code,
        CliError::ServerNotAllowed { .. } => ExitCode::NotAllowed,
        CliError::NoInput
        | CliError::NoInputInTime(_)
        | CliError::NoEndInTime(_)
        | CliError::CodeNotConfirmed
        | CliError::NotConfirmed
        | CliError::NewPassphrase(
            PassphraseError::TooShort
            | PassphraseError::TooLong
            | PassphraseError::Lines
            | PassphraseError::Control,
        )
        | CliError::PassphraseFile { .. }
        | CliError::PassphrasesDiffer
        | CliError::NotTyped
        | CliError::NoPassphrase
        | CliError::NoCommand(_)
        | CliError::ListAlone
        | CliError::Existing { .. }
        | CliError::MediaKey { .. }
        | CliError::Settings(_)
        | CliError::Setting(_)
        | CliError::Switch { .. }
        | CliError::Door(_)
        | CliError::MetricsFile(_) => ExitCode::Usage,
        #[cfg(not(feature = "server"))]
        CliError::NoServerProgram | CliError::ServerProgram { .. } => ExitCode::Server,
        #[cfg(feature = "server")]
        CliError::Database(OpenError {
            source: OpenFailure::Unconfirmed { .. },
            ..
        })
        | CliError::Server(ServerError::Database(OpenError {
            source: OpenFailure::Unconfirmed { .. },
            ..
        })) => ExitCode::NotConfirmed,
        #[cfg(feature = "server")]
        CliError::Database(_)
        | CliError::Store(_)
        | CliError::Copy(_)
        | CliError::Backup(_)
        | CliError::Restore(_)
        | CliError::NothingRestored
        | CliError::OrganizersFile { .. }
        | CliError::LoginTeam { .. }
        | CliError::NoDatabase { .. }
        | CliError::NoDevice { .. }
        | CliError::Demo(_)
        | CliError::Server(_) => ExitCode::Server,
        #[cfg(feature = "server")]
        CliError::Time(_) | CliError::EndsBeforeStart | CliError::Slug(_) => ExitCode::Usage,
        #[cfg(feature = "server")]
        CliError::Unlisted { error, .. } => of(error),
        #[cfg(feature = "server")]
        CliError::TeamToken(TeamTokenError::PlainHttp(_)) => ExitCode::Transport,
        #[cfg(feature = "server")]
        CliError::TeamToken(TeamTokenError::File { .. }) => ExitCode::Failed,
        #[cfg(feature = "server")]
        CliError::TeamToken(_)
        | CliError::Roster { .. }
        | CliError::OneName
        | CliError::NoneToWaitFor
        | CliError::SameNames
        | CliError::NoEvents
        | CliError::NoName => ExitCode::Usage,
        #[cfg(feature = "server")]
        CliError::Fleet(error) => of_fleet(error),
        #[cfg(feature = "server")]
        CliError::Undone { source, .. } => of_fleet(source),
        #[cfg(feature = "server")]
        CliError::Sheet(_) => ExitCode::Failed,
        CliError::Done { .. } => ExitCode::Failed,
        CliError::Daemon(_)
        | CliError::Passphrase { .. }
        | CliError::NothingToRecover { .. }
        | CliError::NewPassphrase(_)
        | CliError::HostName { .. }
        | CliError::Remove { .. }
        | CliError::Write { .. }
        | CliError::Bundle { .. }
        | CliError::Draw(_)
        | CliError::Client(_)
        | CliError::Runtime(_)
        | CliError::Output(_)
        | CliError::Input { .. }
        | CliError::InputTooLong { .. } => ExitCode::Failed,
    }
}

/// That of what can't be done to a fleet: what the server lacks, it is not able to do.
#[cfg(feature = "server")]
fn of_fleet(error: &FleetError) -> ExitCode {
    error.kind().map_or(ExitCode::Server, of_kind)
}

/// The exit code for a kind of error of the agent.
fn of_kind(kind: ErrorKind) -> ExitCode {
    match kind {
        ErrorKind::EnrolmentInvalid | ErrorKind::EnrolmentTooNew => ExitCode::Code,
        ErrorKind::ArgumentInvalid | ErrorKind::VaultUnnamed => ExitCode::Usage,
        ErrorKind::NotEncrypted => ExitCode::Transport,
        ErrorKind::NotEnrolled | ErrorKind::Enrolling => ExitCode::NotEnrolled,
        ErrorKind::AlreadyEnrolled | ErrorKind::EnrolmentUnfinished => ExitCode::AlreadyEnrolled,
        ErrorKind::Revoked => ExitCode::Revoked,
        ErrorKind::Rejected | ErrorKind::GivenKeyRejected | ErrorKind::GivenKeyRevoked => {
            ExitCode::Rejected
        }
        ErrorKind::AnswerLost => ExitCode::AnswerLost,
        ErrorKind::Refused
        | ErrorKind::TokenRefused
        | ErrorKind::MediaKeyLost
        | ErrorKind::OtherMediaKey => ExitCode::Refused,
        ErrorKind::Unreachable | ErrorKind::TimedOut => ExitCode::Unreachable,
        ErrorKind::CertificateInvalid => ExitCode::Certificate,
        ErrorKind::ForeignAnswer
        | ErrorKind::AnswerTooLarge
        | ErrorKind::ServerFailed
        | ErrorKind::OtherDevice => ExitCode::Foreign,
        ErrorKind::OtherOrganizer => ExitCode::NotAllowed,
        ErrorKind::OtherHardware => ExitCode::OtherHardware,
        ErrorKind::VaultInUse => ExitCode::Busy,
        ErrorKind::VaultUnwritable => ExitCode::VaultUnwritable,
        ErrorKind::VaultUnreadable | ErrorKind::VaultDamaged | ErrorKind::VaultTooNew => {
            ExitCode::VaultUnusable
        }
        ErrorKind::Failed | ErrorKind::MediaKeysUnreadable => ExitCode::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_code_once_with_its_word() {
        let listed: Vec<(u8, String)> = TABLE
            .lines()
            .skip(1)
            .filter(|line| !line.starts_with("      "))
            .map(|line| {
                let (number, rest) = line.trim_start().split_once(' ').unwrap();
                let word = rest[1..].split("  ").next().unwrap();
                (number.parse().unwrap(), word.to_owned())
            })
            .collect();
        let all = ExitCode::ALL
            .iter()
            .map(|&code| (code as u8, code.kind().to_owned()));
        let all: Vec<_> = std::iter::once((0, String::new())).chain(all).collect();
        assert_eq!(listed, all);
        assert_eq!(ExitCode::ALL.len(), ExitCode::NotConfirmed as usize);
    }

    /// Kinds that the command does not tell from others.
    const COARSER: [(ErrorKind, ExitCode); 19] = [
        (ErrorKind::EnrolmentTooNew, ExitCode::Code),
        (ErrorKind::ArgumentInvalid, ExitCode::Usage),
        (ErrorKind::Enrolling, ExitCode::NotEnrolled),
        (ErrorKind::EnrolmentUnfinished, ExitCode::AlreadyEnrolled),
        (ErrorKind::GivenKeyRejected, ExitCode::Rejected),
        (ErrorKind::GivenKeyRevoked, ExitCode::Rejected),
        (ErrorKind::TokenRefused, ExitCode::Refused),
        (ErrorKind::OtherDevice, ExitCode::Foreign),
        (ErrorKind::OtherOrganizer, ExitCode::NotAllowed),
        (ErrorKind::MediaKeyLost, ExitCode::Refused),
        (ErrorKind::OtherMediaKey, ExitCode::Refused),
        (ErrorKind::MediaKeysUnreadable, ExitCode::Failed),
        (ErrorKind::TimedOut, ExitCode::Unreachable),
        (ErrorKind::AnswerTooLarge, ExitCode::Foreign),
        (ErrorKind::ServerFailed, ExitCode::Foreign),
        (ErrorKind::VaultUnnamed, ExitCode::Usage),
        (ErrorKind::VaultUnreadable, ExitCode::VaultUnusable),
        (ErrorKind::VaultDamaged, ExitCode::VaultUnusable),
        (ErrorKind::VaultTooNew, ExitCode::VaultUnusable),
    ];

    #[test]
    fn a_kind_has_the_exit_code_with_its_word_or_one_that_several_share() {
        for kind in ErrorKind::ALL {
            let code = of_kind(kind);
            let coarser = COARSER.iter().find(|(finer, _)| *finer == kind);
            match coarser {
                Some((_, coarser)) => assert_eq!(code, *coarser, "{kind:?}"),
                None => assert_eq!(code.kind(), kind.code(), "{kind:?}"),
            }
            let has_own = ExitCode::ALL.iter().any(|code| code.kind() == kind.code());
            assert_ne!(coarser.is_some(), has_own, "{kind:?}");
        }
    }
}
