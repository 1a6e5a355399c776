//! `docs/TROUBLESHOOTING.md`, made of errors themselves, so that what stands there is what is printed.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

use rusqlite::ffi;
use serde_json::json;

use super::advice::{self, Told};
use super::enrolment_list::EnrolmentListError;
use super::error::CliError;
use super::exit_code::{self, ExitCode};
use super::output;
use super::team_token::TeamTokenError;
use crate::agent::{
    AgentError, ClientError, Distrust, ErrorKind, Flaw, ForeignAnswer, Identity, MediaKeyError,
    Operation, ProxyRefusal, SendError, Signer,
};
use crate::daemon::MetricsFileError;
use crate::enrolment::picture::PictureError;
use crate::enrolment::{ParseError, ServerUrlError, TokenError};
use crate::fleet::{FleetError, Offer};
use crate::key_envelope::KeyFormError;
use crate::passphrase::PassphraseError;
use crate::roster::RosterError;
use crate::seal::SealError;
use crate::server::ServerError;
use crate::server::store::{
    BackupError, CopyError, Database, OpenError, OpenFailure, RestoreError, StoreError,
};
use crate::serving::{ListenError, TlsError};
use crate::sheet::SheetError;
use crate::vault::{KeyPlace, VaultError};
use crate::wire::{Problem, TOKEN_REVOKED, TOKEN_UNKNOWN, TOKEN_USED};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/TROUBLESHOOTING.md");

const SERVER: &str = "https://tickets.example";

const INTRODUCTION: &str = "\
# Troubleshooting

What gatehand says when something goes wrong, what it means and what to do. Names, numbers and addresses
here are examples. This page is made from the program's own errors; a test holds it to them.

An error is a line `error: …`, a line `because: …` for each cause, and a line `what to do: …` where something can
be done. The exit code says the kind, with `--json` also as a word in `kind` ([JSON](JSON.md)). More of what happened
is told with `--log debug`; neither keys nor tokens are in it. Errors that differ in a name only, as of a gate, an
event or a team, stand here once. Wrong arguments are told beside the help, with exit code 2.

What a server logs, and answers to callers that it refuses, is in [LIMITS](LIMITS.md).

";

fn server() -> String {
    SERVER.to_owned()
}

fn vault() -> PathBuf {
    "/var/lib/gatehand/vault.db".into()
}

fn folder() -> PathBuf {
    "/var/lib/gatehand".into()
}

fn key() -> PathBuf {
    "/var/lib/gatehand/vault.key".into()
}

fn says(detail: &str) -> Problem {
    Problem::read(&json!({ "detail": detail })).unwrap()
}

fn refuses(token: &str) -> AgentError {
    AgentError::Refused {
        operation: Some(Operation::Initialize),
        pending: false,
        server: server(),
        status: reqwest::StatusCode::BAD_REQUEST,
        problem: Problem::read(&json!({ "token": [token] })).unwrap(),
        about_token: true,
    }
}

fn device() -> Box<Identity> {
    let identity = json!({
        "server": SERVER, "organizer": "bigevents", "device_id": 7, "unique_serial": "HHZ9LW9JWP390VFZ",
        "name": "Lane 7", "security_profile": "full", "gate": null, "enrolled": "2027-05-08T16:00:00Z",
        "reported": null,
    });
    Box::new(serde_json::from_value(identity).unwrap())
}

fn postgres() -> Database {
    // An address of that form is one.
    Database::try_from(std::ffi::OsString::from(
        "postgres://gatehand@db1,db2/gatehand",
    ))
    .unwrap()
}

fn sqlite(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
}

fn unanswered(source: SendError) -> AgentError {
    AgentError::Unanswered {
        operation: Some(Operation::Initialize),
        server: server(),
        pending: false,
        source,
    }
}

fn distrusted(distrust: Distrust) -> AgentError {
    unanswered(SendError::Certificate {
        origin: server(),
        distrust: Box::new(distrust),
        clock: None,
    })
}

fn foreign(source: ForeignAnswer) -> AgentError {
    AgentError::Foreign {
        operation: Some(Operation::Initialize),
        server: server(),
        proxy: None,
        source,
    }
}

fn of_vault() -> Vec<VaultError> {
    let denied = io::Error::from_raw_os_error(13);
    vec![
        VaultError::NoFolder,
        VaultError::KeyNotGiven { path: vault() },
        VaultError::Credential {
            path: "/run/credentials/kiosk.service/gatehand.vault-key".into(),
            source: KeyFormError::NoForm,
        },
        VaultError::OtherKey {
            path: vault(),
            key: KeyPlace::Credential,
            source: SealError::Mismatch,
        },
        VaultError::HomeTaken {
            path: "/etc/credstore.encrypted/gatehand.vault-key".into(),
        },
        VaultError::OtherCredential {
            path: "/etc/credstore.encrypted/gatehand.vault-key".into(),
        },
        VaultError::NotKept {
            path: "/etc/credstore.encrypted/gatehand.vault-key.next".into(),
            source: io::Error::other("systemd-creds: TPM2 support is not available on this system"),
        },
        VaultError::NotWritten {
            path: vault(),
            source: sqlite(ffi::SQLITE_FULL),
        },
        VaultError::Unwritable {
            path: folder(),
            source: io::Error::from_raw_os_error(30),
        },
        VaultError::Unwritable {
            path: folder(),
            source: denied,
        },
        VaultError::OpenFolder { path: folder() },
        VaultError::NoPermissions { path: folder() },
        VaultError::OpenFile { path: key() },
        VaultError::Volatile {
            path: folder(),
            file_system: "an overlay whose changes are in memory".to_owned(),
        },
        VaultError::Busy { path: folder() },
        VaultError::Unreadable {
            path: key(),
            source: io::Error::from_raw_os_error(5),
        },
        VaultError::Foreign { path: vault() },
        VaultError::Corrupt {
            path: vault(),
            source: sqlite(ffi::SQLITE_CORRUPT),
        },
        VaultError::Emptied {
            path: vault(),
            key: key(),
        },
        VaultError::OtherVersion {
            path: vault(),
            found: 9,
            known: 1,
        },
        VaultError::KeyMissing {
            path: vault(),
            key: key(),
        },
        VaultError::KeyLength { path: key() },
        VaultError::Seal {
            path: vault(),
            source: SealError::Mismatch,
        },
    ]
}

fn of_agent() -> Vec<AgentError> {
    let at = |time: &str| time.parse().unwrap();
    let origin = server;
    vec![
        AgentError::Address(ServerUrlError::PlainHttp(
            "http://tickets.example".to_owned(),
        )),
        AgentError::NotEnrolled,
        AgentError::Enrolling { server: server() },
        AgentError::AlreadyEnrolled(device()),
        AgentError::Unfinished { server: server() },
        AgentError::Revoked(device()),
        AgentError::RevokedHere(device()),
        AgentError::Rejected {
            server: server(),
            problem: says("Invalid token."),
        },
        AgentError::AnswerLost {
            operation: Operation::Initialize,
            server: server(),
        },
        refuses(TOKEN_USED),
        refuses(TOKEN_UNKNOWN),
        refuses(TOKEN_REVOKED),
        AgentError::Refused {
            operation: None,
            pending: false,
            server: server(),
            status: reqwest::StatusCode::FORBIDDEN,
            problem: says("You do not have permission to perform this action."),
            about_token: false,
        },
        AgentError::NotImported {
            server: server(),
            problem: says("Invalid token."),
        },
        AgentError::NotExported { server: server() },
        AgentError::NotAdopted {
            server: server(),
            problem: says("Invalid token."),
        },
        AgentError::NotAdopted {
            server: server(),
            problem: says("Device access has been revoked."),
        },
        AgentError::OtherMediaKey { server: server() },
        AgentError::GivenMediaKey {
            server: server(),
            status: reqwest::StatusCode::BAD_REQUEST,
            problem: says("You cannot change the public key of the device."),
        },
        AgentError::OtherDevice { server: server() },
        AgentError::OtherOrganizer {
            device: device(),
            is_revoked: true,
        },
        AgentError::OtherHardware {
            differs: vec!["serial of the board", "number of the card"],
        },
        AgentError::NoHardware,
        AgentError::NotAdoptedHere {
            operation: Operation::Revoke,
        },
        AgentError::Unsound {
            operation: Operation::Initialize,
            server: server(),
        },
        AgentError::OwnPath {
            path: "/api/v1/device/roll".to_owned(),
            operation: Operation::Roll,
        },
        AgentError::Thread(io::Error::from_raw_os_error(11)),
        AgentError::MediaKey(MediaKeyError::Coding {
            set: 1,
            source: base64::DecodeError::InvalidPadding,
        }),
        unanswered(SendError::UnknownHost {
            origin: origin(),
            source: "failed to lookup address information: Name or service not known".into(),
        }),
        unanswered(SendError::NoConnection {
            origin: origin(),
            source: "Connection refused (os error 111)".into(),
        }),
        unanswered(SendError::NotEncrypted { origin: origin() }),
        unanswered(SendError::NotHttp {
            origin: "http://tickets.example".to_owned(),
        }),
        unanswered(SendError::TimedOut {
            origin: origin(),
            connecting: true,
            source: "operation timed out".into(),
        }),
        AgentError::Unanswered {
            operation: Some(Operation::Roll),
            server: server(),
            pending: true,
            source: SendError::Broken {
                origin: origin(),
                source: "Connection reset by peer (os error 104)".into(),
            },
        },
        unanswered(SendError::Proxy {
            origin: format!("{SERVER} by way of the proxy http://proxy.example:3128"),
            source: ProxyRefusal::LoginWanted,
        }),
        unanswered(SendError::Proxy {
            origin: format!("{SERVER} by way of the proxy http://proxy.example:3128"),
            source: ProxyRefusal::Refused(reqwest::StatusCode::FORBIDDEN),
        }),
        unanswered(SendError::Clock),
        unanswered(SendError::TooLarge {
            origin: origin(),
            limit: 1024 * 1024,
        }),
        distrusted(Distrust::Unknown {
            signer: Signer::Itself("CN=tickets.example".to_owned()),
            own: Vec::new(),
        }),
        distrusted(Distrust::Unknown {
            signer: Signer::NotSent("CN=R11, O=Let's Encrypt, C=US".to_owned()),
            own: Vec::new(),
        }),
        distrusted(Distrust::Unknown {
            signer: Signer::Authority("CN=Our own authority".to_owned()),
            own: Vec::new(),
        }),
        distrusted(Distrust::OtherName {
            called: "tickets.example".to_owned(),
            names: vec!["www.example".to_owned()],
        }),
        distrusted(Distrust::Expired {
            since: at("2027-05-01T00:00:00Z"),
            now: at("2027-05-08T16:00:00Z"),
        }),
        distrusted(Distrust::NotYetValid {
            from: at("2027-05-01T00:00:00Z"),
            now: at("2001-01-01T00:00:00Z"),
        }),
        distrusted(Distrust::NotPinned),
        distrusted(Distrust::Flawed(Flaw::AuthorityAsServer)),
        foreign(ForeignAnswer::NotFound),
        foreign(ForeignAnswer::LoginRequired),
        foreign(ForeignAnswer::Redirect {
            location: "https://login.example/".to_owned(),
            may_be_login: true,
        }),
        foreign(ForeignAnswer::EncryptedOnly(
            reqwest::StatusCode::BAD_REQUEST,
        )),
        foreign(ForeignAnswer::Failure(reqwest::StatusCode::BAD_GATEWAY)),
        foreign(ForeignAnswer::Unexpected {
            status: reqwest::StatusCode::OK,
            content: "HTML",
        }),
    ]
}

fn of_command() -> Vec<CliError> {
    let picture = |source| CliError::Picture {
        name: "photo.jpg".to_owned(),
        source,
    };
    let list = |source| CliError::EnrolmentList {
        name: "/boot/firmware/enrolment.csv".to_owned(),
        source,
    };
    vec![
        CliError::Code(ParseError::Empty),
        CliError::Code(ParseError::WebAddress),
        CliError::Code(ParseError::TokenAlone),
        CliError::Code(ParseError::TicketLike),
        CliError::Code(ParseError::SomethingElse),
        CliError::Code(ParseError::KeyboardLayout),
        CliError::Code(ParseError::Predecessor),
        CliError::Code(ParseError::UpdateNeeded(9)),
        CliError::Code(ParseError::Missing("a token")),
        CliError::Token(TokenError::Characters),
        CliError::Url(ServerUrlError::NoScheme("tickets.example".to_owned())),
        picture(PictureError::Format),
        picture(PictureError::NoCode),
        picture(PictureError::Unreadable),
        picture(PictureError::SeveralEnrolments(vec![
            server(),
            "https://pretix.eu".to_owned(),
        ])),
        list(EnrolmentListError::Link),
        list(EnrolmentListError::Blank),
        list(EnrolmentListError::Column("serial")),
        list(EnrolmentListError::OpenQuote),
        list(EnrolmentListError::NoSerial),
        list(EnrolmentListError::Twice {
            serial: "10000000a1b2c3d4".to_owned(),
            first: 2,
            second: 7,
        }),
        list(EnrolmentListError::TokenTwice {
            first: 2,
            second: 7,
        }),
        list(EnrolmentListError::HostName { line: 2 }),
        CliError::Done {
            words: "this device is enrolled".to_owned(),
            source: Box::new(CliError::Remove {
                name: "/boot/firmware/gatehand-enrolment.csv".to_owned(),
                source: io::Error::from_raw_os_error(30),
            }),
        },
        CliError::MediaKey {
            name: "media-key.pem".to_owned(),
            source: MediaKeyError::GivenPrivate,
        },
        CliError::Existing {
            name: "old-scanner.json".to_owned(),
        },
        CliError::Client(ClientError::NoCertificate {
            path: "authority.pem".into(),
        }),
        list(EnrolmentListError::NotListed {
            serial: "10000000a1b2c3d4".to_owned(),
            lines: 60,
        }),
        CliError::ServerNotAllowed {
            server: "https://elsewhere.example".to_owned(),
            allowed: vec![server()],
        },
        CliError::ChecksWarn { count: 1, all: 17 },
        CliError::ChecksFailed {
            count: 2,
            all: 17,
            has_skipped: true,
        },
        CliError::Switch {
            variable: "GATEHAND_VOLATILE",
        },
        MetricsFileError::NotOurs("/var/lib/prometheus/node-exporter/node.prom".into()).into(),
        MetricsFileError::InVault("/var/lib/gatehand/vault.prom".into()).into(),
        MetricsFileError::Name("/run/gatehand.txt".into()).into(),
        MetricsFileError::NotRegular("/run/gatehand.prom".into()).into(),
        CliError::Bundle {
            name: "support.json".to_owned(),
            source: io::ErrorKind::AlreadyExists.into(),
        },
        CliError::ListAlone,
        CliError::DaemonRuns { folder: folder() },
        CliError::NothingToRecover {
            home: "/var/lib/gatehand/vault.key".to_owned(),
        },
        CliError::NoRecovery {
            name: "/var/lib/gatehand/vault.recovery".to_owned(),
        },
        CliError::OtherRecovery {
            name: "/var/lib/gatehand/vault.recovery".to_owned(),
            source: VaultError::KeyNotGiven { path: vault() },
        },
        CliError::Passphrase {
            name: "lane-7.gatehand".to_owned(),
            source: PassphraseError::Mismatch,
        },
        CliError::Passphrase {
            name: "lane-7.gatehand".to_owned(),
            source: PassphraseError::Form,
        },
        CliError::NewPassphrase(PassphraseError::TooShort),
        CliError::NewPassphrase(PassphraseError::Lines),
        CliError::NewPassphrase(PassphraseError::Control),
        CliError::PassphrasesDiffer,
        CliError::NotTyped,
        CliError::OldElsewhere {
            source: Box::new(AgentError::OtherHardware {
                differs: vec!["serial of the board"],
            }),
        },
        CliError::NoPassphrase,
        CliError::NotRolled {
            source: Box::new(AgentError::Unanswered {
                operation: Some(Operation::Roll),
                server: server(),
                pending: false,
                source: SendError::NoConnection {
                    origin: server(),
                    source: "Network is unreachable (os error 101)".into(),
                },
            }),
        },
        CliError::NoInput,
        CliError::NoInputInTime(120),
        CliError::CodeNotConfirmed,
        CliError::NotConfirmed,
        CliError::Status {
            status: 403,
            idempotency_key: None,
        },
        CliError::Status {
            status: 404,
            idempotency_key: None,
        },
        CliError::Input {
            name: "none.png".to_owned(),
            source: io::Error::from_raw_os_error(2),
        },
        CliError::Database(OpenError {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
            source: OpenFailure::NoFolder("/var/lib/gatehand-server".into()),
        }),
        CliError::Database(OpenError {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
            source: OpenFailure::OtherSecret,
        }),
        CliError::Database(OpenError {
            database: postgres(),
            source: OpenFailure::NoSecretFile,
        }),
        CliError::Database(OpenError {
            database: postgres(),
            source: OpenFailure::TablesOfOthers,
        }),
        CliError::Copy(Box::new(CopyError::Changed {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
        })),
        CliError::Database(OpenError {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
            source: OpenFailure::Unconfirmed {
                taken: "2027-05-08T16:00:00Z".parse().unwrap(),
            },
        }),
        CliError::Database(OpenError {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
            source: OpenFailure::Backup {
                taken: "2027-05-08T16:00:00Z".parse().unwrap(),
            },
        }),
        CliError::Database(OpenError {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
            source: OpenFailure::HalfRestored {
                kept: "/var/lib/gatehand-server/gatehand.db.before-restore-1".into(),
            },
        }),
        CliError::Backup(Box::new(BackupError::Exists {
            file: "/srv/backups/monday.db".into(),
        })),
        CliError::Backup(Box::new(BackupError::Damaged {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
            fault: "row 7 missing from index kept_answer_by_age".to_owned(),
        })),
        CliError::Restore(Box::new(RestoreError::Occupied {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
        })),
        CliError::Restore(Box::new(RestoreError::InUse {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
        })),
        CliError::Restore(Box::new(RestoreError::Secret {
            file: "/srv/backups/monday.db".into(),
            secret: "/var/lib/gatehand-server/gatehand.db.secret".into(),
            source: OpenFailure::OtherSecret,
        })),
        CliError::NothingRestored,
        CliError::Store(StoreError::NotWaiting { device: 7 }),
        CliError::LoginTeam {
            organizer: "bigevents".to_owned(),
            teams: Vec::new(),
        },
        CliError::LoginTeam {
            organizer: "bigevents".to_owned(),
            teams: vec!["admins".to_owned(), "gates".to_owned()],
        },
        CliError::Store(StoreError::Revoked { device: 7 }),
        CliError::NoDatabase {
            database: Database::Sqlite("/var/lib/gatehand-server/gatehand.db".into()),
        },
        CliError::Unlisted {
            error: Box::new(CliError::Store(StoreError::Unknown {
                kind: "gate",
                name: "north".to_owned(),
            })),
            list: "gatehand-server admin gate list bigevents".to_owned(),
        },
        CliError::Store(StoreError::Exists {
            kind: "an organizer",
            name: "bigevents".to_owned(),
        }),
        CliError::Server(ServerError::Listen(ListenError::Tcp {
            address: "127.0.0.1:8345".parse().unwrap(),
            source: io::Error::from_raw_os_error(98),
        })),
        CliError::Server(ServerError::Listen(ListenError::InUse {
            path: "/run/gatehand-server/server.sock".into(),
        })),
        CliError::Server(ServerError::Tls(TlsError::Unreadable {
            path: "/etc/gatehand/tls/privkey.pem".into(),
            source: io::Error::from_raw_os_error(13),
        })),
        CliError::Server(ServerError::Tls(TlsError::Unfit {
            certificate: "/etc/gatehand/tls/fullchain.pem".into(),
            key: "/etc/gatehand/tls/privkey.pem".into(),
            source: rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch),
        })),
    ]
}

fn of_fleet() -> Vec<CliError> {
    let file = || "team.env".to_owned();
    let refused = |status: u16, detail| {
        CliError::from(FleetError::Call(AgentError::Refused {
            operation: None,
            pending: false,
            server: server(),
            status: reqwest::StatusCode::from_u16(status).unwrap(),
            problem: says(detail),
            about_token: false,
        }))
    };
    let lacks = |offer| {
        CliError::from(FleetError::NotOffered {
            server: server(),
            offer,
        })
    };
    vec![
        CliError::TeamToken(TeamTokenError::NoToken),
        CliError::TeamToken(TeamTokenError::NoUrl),
        CliError::TeamToken(TeamTokenError::NoOrganizer),
        CliError::TeamToken(TeamTokenError::Open { name: file() }),
        CliError::TeamToken(TeamTokenError::Lacks {
            name: file(),
            variable: "GATEHAND_FLEET_URL",
        }),
        CliError::TeamToken(TeamTokenError::PlainHttp(
            "http://tickets.example".to_owned(),
        )),
        refused(401, "Invalid token."),
        refused(403, "You do not have permission to perform this action."),
        lacks(Offer::Gates),
        lacks(Offer::LastSeen),
        lacks(Offer::Revocation),
        lacks(Offer::Reconnection),
        lacks(Offer::Log),
        CliError::from(FleetError::Ignored {
            server: server(),
            what: "its name",
        }),
        CliError::from(FleetError::NoDevice("Lane 9".to_owned())),
        CliError::from(FleetError::Several {
            name: "Lane 7".to_owned(),
            numbers: vec![7, 12],
        }),
        CliError::from(FleetError::Differs {
            number: 7,
            what: "its security profile",
        }),
        CliError::from(FleetError::NameTaken {
            name: "Lane 7".to_owned(),
            number: 7,
        }),
        CliError::from(FleetError::CodeEnded { number: 7 }),
        CliError::from(FleetError::Revoked { number: 7 }),
        CliError::from(FleetError::Overtaken { numbers: vec![7] }),
        CliError::Undone {
            undone: 2,
            all: 60,
            source: Box::new(FleetError::Ignored {
                server: server(),
                what: "its security profile",
            }),
        },
        CliError::Roster {
            name: "lanes.csv".to_owned(),
            source: RosterError::Nameless(3),
        },
        CliError::OneName,
        CliError::NoneToWaitFor,
        CliError::SameNames,
        CliError::NoEvents,
        CliError::Sheet(SheetError::Empty),
    ]
}

/// One of each message that somebody meets.
fn examples() -> Vec<CliError> {
    let vault = of_vault().into_iter().map(AgentError::from);
    let agent = vault.chain(of_agent()).map(CliError::from);
    agent.chain(of_command()).chain(of_fleet()).collect()
}

/// What an exit code means, as `--help` has it.
fn meaning(code: ExitCode) -> String {
    let number = format!("{:>4}  ", code as u8);
    let mut lines = exit_code::TABLE
        .lines()
        .skip_while(|line| !line.starts_with(&number));
    let (_, first) = lines.next().unwrap().split_once(code.kind()).unwrap();
    let more = lines.take_while(|line| line.starts_with("      "));
    let words: Vec<&str> = [first].into_iter().chain(more).map(str::trim).collect();
    words.join(" ")
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut examples = examples();
    examples.sort_by_key(|error| exit_code::of(error) as u8);
    let mut section = None;
    for error in &examples {
        let code = exit_code::of(error);
        if section != Some(code) {
            let number = code as u8;
            writeln!(page, "## {number}: {}\n", code.kind()).unwrap();
            writeln!(page, "Exit code {number}: {}.\n", meaning(code)).unwrap();
            section = Some(code);
        }
        let told = output::as_told(error, &advice::told(error));
        let told = anstream::adapter::strip_str(&told).to_string();
        let (first, more) = told.split_once('\n').unwrap();
        writeln!(page, "- **{first}**").unwrap();
        for line in more.lines() {
            writeln!(page, "  <br>{}", line.trim_start()).unwrap();
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page + "\n"
}

#[test]
fn the_page_on_troubles_says_what_the_program_says() {
    let page = page();
    if env::var_os("GATEHAND_DOCS").is_some_and(|how| how == "renew") {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        kept == page,
        "docs/TROUBLESHOOTING.md is of other errors: renew it with GATEHAND_DOCS=renew"
    );
}

#[test]
fn every_exit_code_and_kind_of_error_has_an_example() {
    let examples = examples();
    let codes: Vec<ExitCode> = examples.iter().map(exit_code::of).collect();
    for code in ExitCode::ALL {
        assert!(codes.contains(&code), "{code:?}");
    }
    let kinds: Vec<ErrorKind> = examples.iter().filter_map(kind).collect();
    for kind in ErrorKind::ALL {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

fn kind(error: &CliError) -> Option<ErrorKind> {
    match error {
        CliError::Agent(error) => Some(error.kind()),
        CliError::Code(error) => Some(error.into()),
        _ => None,
    }
}

#[test]
fn whatever_can_be_mended_says_how() {
    for error in examples() {
        let Told {
            error: words,
            advice,
            ..
        } = advice::told(&error);
        // Some say it themselves, behind a colon.
        let says_itself = words.contains(": ") || error.source().is_some();
        assert!(advice.is_some() || says_itself, "{words}");
    }
}
