//! Why a command failed.

use std::io;
use std::path::PathBuf;

use super::doors::DoorSettingsError;
use super::enrolment_list::EnrolmentListError;
use super::settings::SettingsError;
#[cfg(feature = "server")]
use super::team_token::TeamTokenError;
use crate::agent::{AgentError, ClientError, MediaKeyError};
use crate::daemon::{DaemonError, MetricsFileError};
use crate::enrolment::draw::DrawError;
use crate::enrolment::picture::PictureError;
use crate::enrolment::{ParseError, ServerUrlError, TokenError};
#[cfg(feature = "server")]
use crate::fleet::FleetError;
use crate::passphrase::{PassphraseError, SHORTEST};
#[cfg(feature = "server")]
use crate::roster::RosterError;
#[cfg(feature = "server")]
use crate::server::ServerError;
#[cfg(feature = "server")]
use crate::server::model::SlugError;
#[cfg(feature = "server")]
use crate::server::organizers_file::OrganizersFileError;
#[cfg(feature = "server")]
use crate::server::store::{BackupError, CopyError, Database, OpenError, RestoreError, StoreError};
#[cfg(feature = "server")]
use crate::sheet::SheetError;
use crate::vault::VaultError;

/// Why a command failed; printed once with its causes, see [`super::output::complain`].
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Agent(#[from] AgentError),
    #[error("can't enrol from the picture {name}")]
    Picture {
        name: String,
        #[source]
        source: PictureError,
    },
    #[error(transparent)]
    Code(#[from] ParseError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Url(#[from] ServerUrlError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(
        "the server does not accept this device's key; the key is kept, and works again as soon as the server takes it"
    )]
    Rejected,
    #[error("{count} of {all} checks {}", if *.count == 1 { "warns" } else { "warn" })]
    ChecksWarn { count: usize, all: usize },
    #[error("{count} of {all} checks failed")]
    ChecksFailed {
        count: usize,
        all: usize,
        /// Whether some were skipped because of that.
        has_skipped: bool,
    },
    #[error("can't enrol from the list {name}")]
    EnrolmentList {
        name: String,
        #[source]
        source: EnrolmentListError,
    },
    #[error(
        "this device may not enrol at {server}, only at {}; nothing was sent",
        .allowed.join(", ")
    )]
    ServerNotAllowed {
        server: String,
        allowed: Vec<String>,
    },
    #[error(
        "an enrolment list takes --allowed-server and --allowed-organizer: nobody is there to see where it leads"
    )]
    ListAlone,
    #[error("the machine can't be called {name}")]
    HostName {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("can't remove {name}, whose tokens are as good as keys")]
    Remove {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} is not JSON with url, key and serial")]
    Existing { name: String },
    #[error("can't use the RSA key in {name}")]
    MediaKey {
        name: String,
        #[source]
        source: MediaKeyError,
    },
    /// The daemon holds the key in its memory.
    #[error("gatehand run has {}, whose key can't change meanwhile; nothing was changed", folder.display())]
    DaemonRuns { folder: PathBuf },
    #[error("there is nothing to recover: the vault opens with its key in {home}")]
    NothingToRecover { home: String },
    #[error("there is no {name}: without a recovery file no passphrase opens the vault")]
    NoRecovery { name: String },
    #[error(
        "the key in {name} does not open the vault beside it: it is of another one, or of an earlier key"
    )]
    OtherRecovery {
        name: String,
        #[source]
        source: VaultError,
    },
    #[error("can't open {name}")]
    Passphrase {
        name: String,
        #[source]
        source: PassphraseError,
    },
    #[error("nothing was changed: {0}")]
    NewPassphrase(#[source] PassphraseError),
    #[error("{name} holds no passphrase in UTF-8")]
    PassphraseFile { name: String },
    #[error(
        "no passphrase of {SHORTEST} characters or more was typed twice alike; nothing was changed"
    )]
    PassphrasesDiffer,
    #[error("no passphrase was typed; nothing was changed")]
    NotTyped,
    #[error("a passphrase is needed, and there is no terminal to ask for it")]
    NoPassphrase,
    #[error(
        "the device is in this vault, but its key is not replaced yet, so that the machine it comes from still works"
    )]
    NotRolled {
        #[source]
        source: Box<AgentError>,
    },
    /// The old device is the one that the other copy is.
    #[error("the old device is another machine's, so nothing was revoked, and nobody enrolled")]
    OldElsewhere { source: Box<AgentError> },
    #[error("nothing was done")]
    NotConfirmed,
    #[error("the server answered with status {status}")]
    Status {
        status: u16,
        /// The call's, if it may have been done all the same.
        idempotency_key: Option<String>,
    },
    /// The answer to a call that may have been done did not come.
    #[error("{source}")]
    Lost {
        source: Box<AgentError>,
        idempotency_key: String,
    },
    #[error("there is nothing to enrol with")]
    NoInput,
    #[error("nothing was scanned or typed for {0} s")]
    NoInputInTime(u64),
    #[error("what is scanned or typed has no end after {0} s")]
    NoEndInTime(u64),
    #[error("nothing was sent: the code's server was not confirmed with yes")]
    CodeNotConfirmed,
    #[error("this is a code for {code}, not for {given}: give it with --payload, or --payload -")]
    OtherServer { given: String, code: String },
    #[error("{0}, but this is of a whole enrolment code: give it with --payload")]
    WholeCode(&'static str),
    #[error("there is no command {0}")]
    NoCommand(String),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("a setting is wrong: {0}")]
    Setting(String),
    #[error("{variable} is neither true nor false")]
    Switch { variable: &'static str },
    #[error(transparent)]
    Door(#[from] DoorSettingsError),
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    #[error(transparent)]
    MetricsFile(#[from] MetricsFileError),
    #[cfg(not(feature = "server"))]
    #[error("this is a command of gatehand-server, which is not installed here")]
    NoServerProgram,
    #[cfg(not(feature = "server"))]
    #[error("can't start {}", program.display())]
    ServerProgram {
        program: std::path::PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("can't read {name}")]
    Input {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("{name} is larger than {limit} bytes")]
    InputTooLong { name: String, limit: u64 },
    #[error("can't write {name}")]
    Write {
        name: String,
        #[source]
        source: io::Error,
    },
    /// The file for others to help with.
    #[error("can't write {name}")]
    Bundle {
        name: String,
        #[source]
        source: io::Error,
    },
    #[error("can't draw the QR code")]
    Draw(#[from] DrawError),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Database(#[from] OpenError),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Store(#[from] StoreError),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Copy(#[from] Box<CopyError>),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Backup(#[from] Box<BackupError>),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Restore(#[from] Box<RestoreError>),
    #[cfg(feature = "server")]
    #[error("no restored backup waits to be confirmed")]
    NothingRestored,
    #[cfg(feature = "server")]
    #[error(transparent)]
    Slug(#[from] SlugError),
    #[cfg(feature = "server")]
    #[error("can't import {name}")]
    OrganizersFile {
        name: String,
        #[source]
        source: OrganizersFileError,
    },
    /// With the names of those that may, if there are several.
    #[cfg(feature = "server")]
    #[error(
        "{} of {organizer} may see its devices{}{}",
        if teams.is_empty() { "no team in use" } else { "several teams" },
        if teams.is_empty() { "" } else { ": " },
        teams.join(", ")
    )]
    LoginTeam {
        organizer: String,
        teams: Vec<String>,
    },
    #[cfg(feature = "server")]
    #[error("there is no database {database}")]
    NoDatabase { database: Database },
    /// With the command that shows what there is.
    #[cfg(feature = "server")]
    #[error("{error}")]
    Unlisted { error: Box<CliError>, list: String },
    #[cfg(feature = "server")]
    #[error("there is no device {device}")]
    NoDevice { device: u64 },
    #[cfg(feature = "server")]
    #[error("the event would end before it starts")]
    EndsBeforeStart,
    #[cfg(feature = "server")]
    #[error("a time is out of range")]
    Time(#[from] jiff::Error),
    #[cfg(feature = "server")]
    #[error("the demo's server gave no proper answer")]
    Demo(#[source] reqwest::Error),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Server(#[from] ServerError),
    #[cfg(feature = "server")]
    #[error(transparent)]
    TeamToken(#[from] TeamTokenError),
    #[cfg(feature = "server")]
    #[error(transparent)]
    Fleet(Box<FleetError>),
    /// Some of several devices were not done.
    #[cfg(feature = "server")]
    #[error("{undone} of {all} devices are not as they are to be")]
    Undone {
        undone: usize,
        all: usize,
        #[source]
        source: Box<FleetError>,
    },
    #[cfg(feature = "server")]
    #[error("no device was made of {name}")]
    Roster {
        name: String,
        #[source]
        source: RosterError,
    },
    #[cfg(feature = "server")]
    #[error("a name is for one device")]
    OneName,
    #[cfg(feature = "server")]
    #[error("there is no such device, so that none can be waited for")]
    NoneToWaitFor,
    #[cfg(feature = "server")]
    #[error("several devices would have the same name")]
    SameNames,
    #[cfg(feature = "server")]
    #[error("nothing says which events the devices may have access to")]
    NoEvents,
    #[cfg(feature = "server")]
    #[error(
        "a name has 1 to {} characters, not only blanks",
        crate::wire::TEXT_LIMIT
    )]
    NoName,
    #[cfg(feature = "server")]
    #[error("can't draw the sheet")]
    Sheet(#[from] SheetError),
    #[error("it was done, but not all of it could be told: {words}")]
    Done {
        words: String,
        #[source]
        source: Box<CliError>,
    },
    #[error("can't write the output")]
    Output(#[from] io::Error),
    #[error("can't start the runtime")]
    Runtime(#[source] io::Error),
}

impl CliError {
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

#[cfg(feature = "server")]
impl From<FleetError> for CliError {
    fn from(error: FleetError) -> Self {
        Self::Fleet(Box::new(error))
    }
}

impl From<VaultError> for CliError {
    fn from(error: VaultError) -> Self {
        Self::Agent(error.into())
    }
}
