//! What the process' exit code says, so that scripts can tell failures apart.

use std::process;

use super::CliError;
use crate::agent::{AgentError, SendError};
use crate::enrolment::ServerUrlError;
use crate::vault::VaultError;

/// For `--help`; a test holds it against [`ExitCode`].
pub(super) const TABLE: &str = "\
Exit codes:
   0  done
   1  failed for a reason not named below
   2  the command was called wrongly
   3  the picture holds no code that can be read, or several
   4  the code is none for enrolment, or is incomplete
   5  the connection would not be encrypted (see --allow-http)
   6  the server refused
   7  something else than the device API answered
   8  the server can't be reached
   9  the server's certificate is not valid
  10  the vault can't be written, or would be gone at the next boot (see --volatile)
  11  the vault can't be used: not readable, damaged, sealed with another key, too new
  12  this device is already enrolled, or a different enrolment is not finished
  13  this device is not enrolled (yet)
  14  another process is changing this device
  15  the server or its database can't do what was asked
  16  this device was revoked, on the server or from here
  17  the server does not accept this device's key
  18  the answer with this device's key was lost
  19  an answer to gatehand request has a status of 400 or above";

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
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

/// The exit code for an error.
pub(super) fn of(error: &CliError) -> ExitCode {
    match error {
        CliError::Agent(error) => of_agent(error),
        CliError::Lost { source, .. } => of_agent(source),
        CliError::Rejected => ExitCode::Rejected,
        CliError::Status { .. } => ExitCode::Status,
        CliError::Picture { .. } => ExitCode::Picture,
        CliError::Code(_) | CliError::Token(_) | CliError::Url(_) => ExitCode::Code,
        CliError::NoInput
        | CliError::NoInputInTime(_)
        | CliError::NoEndInTime(_)
        | CliError::CodeNotConfirmed
        | CliError::NotConfirmed
        | CliError::Existing { .. } => ExitCode::Usage,
        #[cfg(feature = "server")]
        CliError::Database(_)
        | CliError::Store(_)
        | CliError::OrganizersFile { .. }
        | CliError::NoDatabase { .. }
        | CliError::NoDevice { .. }
        | CliError::Demo(_)
        | CliError::Server(_) => ExitCode::Server,
        #[cfg(feature = "server")]
        CliError::Done { .. } => ExitCode::Failed,
        CliError::Write { .. }
        | CliError::Draw(_)
        | CliError::Client(_)
        | CliError::Runtime(_)
        | CliError::Output(_)
        | CliError::Input { .. }
        | CliError::InputTooLong { .. } => ExitCode::Failed,
    }
}

fn of_agent(error: &AgentError) -> ExitCode {
    match error {
        AgentError::Vault(error) => of_vault(error),
        AgentError::Address(ServerUrlError::PlainHttp(_)) => ExitCode::Transport,
        AgentError::Address(_)
        | AgentError::Override(_)
        | AgentError::OwnPath { .. }
        | AgentError::Method(_)
        | AgentError::Header(_)
        | AgentError::OwnHeader(_) => ExitCode::Usage,
        AgentError::NotEnrolled | AgentError::Enrolling { .. } => ExitCode::NotEnrolled,
        AgentError::AlreadyEnrolled(_) | AgentError::Unfinished { .. } => ExitCode::AlreadyEnrolled,
        AgentError::Revoked(_) | AgentError::RevokedHere(_) => ExitCode::Revoked,
        AgentError::Rejected { .. } | AgentError::NotAdopted { .. } => ExitCode::Rejected,
        AgentError::AnswerLost { .. } => ExitCode::AnswerLost,
        AgentError::Refused { .. } | AgentError::OtherMediaKey { .. } => ExitCode::Refused,
        AgentError::Unanswered { source, .. } => match source {
            SendError::Certificate { .. } | SendError::Clock => ExitCode::Certificate,
            SendError::TooLarge { .. } => ExitCode::Foreign,
            SendError::UnknownHost { .. }
            | SendError::NoConnection { .. }
            | SendError::HeldBack { .. }
            | SendError::TimedOut { .. }
            | SendError::Broken { .. } => ExitCode::Unreachable,
        },
        AgentError::Foreign { .. }
        | AgentError::Unsound { .. }
        | AgentError::OtherDevice { .. } => ExitCode::Foreign,
        AgentError::Entry { .. } | AgentError::NoKey { .. } => ExitCode::VaultUnusable,
        AgentError::Random(_)
        | AgentError::Encode(_)
        | AgentError::Client(_)
        | AgentError::Key(_)
        | AgentError::MediaKey(_) => ExitCode::Failed,
    }
}

fn of_vault(error: &VaultError) -> ExitCode {
    match error {
        VaultError::NoFolder => ExitCode::Usage,
        VaultError::Busy { .. } => ExitCode::Busy,
        VaultError::OpenFolder { .. }
        | VaultError::Volatile { .. }
        | VaultError::Unwritable { .. }
        | VaultError::NotWritten { .. }
        | VaultError::NotSealed { .. } => ExitCode::VaultUnwritable,
        VaultError::OpenFile { .. }
        | VaultError::Unreadable { .. }
        | VaultError::NotRead { .. }
        | VaultError::Foreign { .. }
        | VaultError::Corrupt { .. }
        | VaultError::Emptied { .. }
        | VaultError::OtherVersion { .. }
        | VaultError::KeyMissing { .. }
        | VaultError::KeyLength { .. }
        | VaultError::OtherKey { .. }
        | VaultError::Seal { .. }
        | VaultError::Sqlite { .. } => ExitCode::VaultUnusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_lists_every_code_once() {
        let listed: Vec<u8> = TABLE
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
            .collect();
        let all: Vec<u8> = (0..=ExitCode::Status as u8).collect();
        assert_eq!(listed, all);
    }
}
