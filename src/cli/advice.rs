//! What to do about an error, in commands.

use std::borrow::Cow;
use std::io;

use super::error::CliError;
use super::program_name::ProgramName;
#[cfg(feature = "server")]
use super::team_token::TeamTokenError;
use crate::agent::{Advice, AgentError, ClientError, Operation};
use crate::causes;
use crate::enrolment::{ParseError, ServerUrlError};
#[cfg(feature = "server")]
use crate::fleet::FleetError;
use crate::passphrase::PassphraseError;
#[cfg(feature = "server")]
use crate::server::ServerError;
#[cfg(feature = "server")]
use crate::server::organizers_file::OrganizersFileError;
#[cfg(feature = "server")]
use crate::server::store::StoreError;
use crate::vault::{KeyPlace, VaultError};

const LOG_IN: &str = "log in to this network first, in a browser; if it wants no login, check that the server still has this address";

/// A server that knows no such key most often knows a later one.
const OTHER_COPY: &str = "ask whoever runs the server: the device may have been reconnected for another scanner, or a backup restored; or another copy of this vault, as on a cloned machine or one that it was imported on, has rolled the key, and only that copy is this device. With a new code of this device, as by gatehand fleet reconnect, run gatehand init --replace; gatehand info asks the server again";

const PROXY_ADDRESS: &str = "write the proxy's address as in http://proxy.example:3128";

/// An error as it is told.
pub(super) struct Told {
    /// What failed.
    pub(super) error: String,
    /// Why, from the nearest cause on.
    pub(super) causes: Vec<String>,
    /// What to do, where something can be done.
    pub(super) advice: Option<String>,
}

/// What is told of an error.
pub(super) fn told(error: &CliError) -> Told {
    let advice = on(error).or_else(|| of_given(error));
    Told {
        error: error.to_string(),
        causes: causes::of(error),
        advice: advice.or_else(|| usual(error).map(str::to_owned)),
    }
}

/// What the error of what a person gives says itself.
fn of_given(error: &CliError) -> Option<String> {
    let advice = match error {
        CliError::Picture { source, .. } => source.advice(),
        CliError::Code(error) => error.advice(),
        CliError::Token(error) => Some(error.advice().into()),
        CliError::Url(error) | CliError::Agent(AgentError::Address(error)) => error.advice(),
        _ => None,
    };
    advice.map(Cow::into_owned)
}

/// For what is wrong with what a person gives, where nothing better is known.
fn usual(error: &CliError) -> Option<&'static str> {
    match error {
        CliError::Code(_) | CliError::Token(_) => Some(
            "scan or copy the device's whole code again as the server shows it, or give --url ADDRESS and --token TOKEN",
        ),
        CliError::Picture { .. } => Some(
            "make a sharp picture of the device's whole code as the server shows it, or give --url ADDRESS and --token TOKEN",
        ),
        CliError::Agent(AgentError::Address(
            ServerUrlError::Elsewhere { .. } | ServerUrlError::Outside(_),
        )) => Some("give a path below the server's address, as in /api/v1/device/info"),
        CliError::Url(_) | CliError::Agent(AgentError::Address(_)) => {
            Some("write the server's address as in https://pretix.eu")
        }
        _ => None,
    }
}

/// What to do, where the error's own words don't say it.
fn on(error: &CliError) -> Option<String> {
    if let Some(advice) = plain(error) {
        return Some(advice.to_owned());
    }
    match error {
        CliError::Agent(AgentError::Vault(error)) if of_key(error).is_some() => {
            of_key(error).map(str::to_owned)
        }
        CliError::Agent(error) => of_agent(error),
        CliError::Code(ParseError::TokenAlone | ParseError::WebAddress | ParseError::AddressWithToken | ParseError::Ambiguous) => Some(
            "scan the device's code as the server shows it, or give the address with --url and the token with --token, both of them".to_owned(),
        ),
        #[cfg(feature = "server")]
        CliError::Store(error) => of_store(error),
        #[cfg(feature = "server")]
        CliError::Copy(error) => error.advice(),
        #[cfg(feature = "server")]
        CliError::Backup(error) => error.advice(),
        #[cfg(feature = "server")]
        CliError::Restore(error) => error.advice(),
        #[cfg(feature = "server")]
        CliError::NothingRestored => Some(format!("{} admin restore FILE restores one", typed())),
        CliError::NoCommand(_) => Some(format!("{} --help lists the commands", typed())),
        #[cfg(feature = "server")]
        CliError::LoginTeam { organizer, teams } => Some(match teams.is_empty() {
            true => format!(
                "make one with {} admin team create {organizer} NAME --permission all",
                typed()
            ),
            false => "name one with --team".to_owned(),
        }),
        #[cfg(feature = "server")]
        CliError::NoDatabase { .. } => Some(format!(
            "name it with --database, or begin one with {} admin organizer create",
            typed()
        )),
        #[cfg(feature = "server")]
        CliError::OrganizersFile {
            source: OrganizersFileError::Syntax(_),
            ..
        } => Some(format!(
            "an organizers file is JSON in UTF-8, not a table; {} admin import --help shows a small one, docs/ORGANIZERS_FILE.md all that may be in it",
            typed()
        )),
        #[cfg(feature = "server")]
        CliError::TeamToken(error) => of_team_token(error),
        #[cfg(feature = "server")]
        CliError::Fleet(error) => of_fleet(error),
        #[cfg(feature = "server")]
        CliError::Undone { source, .. } => {
            const AGAIN: &str = "the same command again does what is left";
            Some(match of_fleet(source) {
                Some(advice) => format!("{advice}; after that, {AGAIN}"),
                None => AGAIN.to_owned(),
            })
        }
        #[cfg(feature = "server")]
        CliError::Roster { .. } => Some(format!(
            "correct the table, whose columns are name, gate, events and security_profile; {} fleet create --help shows a small one",
            typed()
        )),
        #[cfg(feature = "server")]
        CliError::Unlisted { list, .. } => Some(format!("{list} shows those that are there")),
        #[cfg(feature = "server")]
        CliError::Database(error) | CliError::Server(ServerError::Database(error)) => {
            error.advice().map(Cow::into_owned)
        }
        _ => {
            let repeat = error.idempotency_key().map(|key| {
                format!(
                    "it may have been done: to hear what became of it, repeat the call with the same body and --idempotency-key {key}"
                )
            });
            let first = match error {
                CliError::Status { status, .. } => Some(of_status(*status)),
                _ => None,
            };
            match (first, repeat) {
                (Some(first), Some(repeat)) => Some(format!("{first}; {repeat}")),
                (first, repeat) => first.map(str::to_owned).or(repeat),
            }
        }
    }
}

/// For who may be asked about a fleet.
#[cfg(feature = "server")]
fn of_team_token(error: &TeamTokenError) -> Option<String> {
    const FILE: &str = "write it as lines: GATEHAND_FLEET_URL=https://tickets.example, GATEHAND_FLEET_TOKEN=… and perhaps GATEHAND_FLEET_ORGANIZER=bigevents";
    let advice = match error {
        TeamTokenError::NoToken => {
            return Some(format!(
                "name a file with --token-file, or set GATEHAND_FLEET_TOKEN and GATEHAND_FLEET_URL; {} admin token create makes a token of a team here, a pretix in the team's settings",
                typed()
            ));
        }
        TeamTokenError::NoUrl => "set GATEHAND_FLEET_URL to the address of that server",
        TeamTokenError::NoOrganizer => {
            "name the organizer's slug with --organizer, or in GATEHAND_FLEET_ORGANIZER"
        }
        TeamTokenError::File { .. } => "check the file's name and who may read it",
        TeamTokenError::Open { .. } => "take that from them, as with chmod 600",
        TeamTokenError::Url(error) => {
            return error
                .advice()
                .map(Cow::into_owned)
                .or_else(|| Some("write it as in https://tickets.example".to_owned()));
        }
        TeamTokenError::PlainHttp(_) => "use https, or add --allow-http if this network is trusted",
        TeamTokenError::Encoding { .. }
        | TeamTokenError::Line { .. }
        | TeamTokenError::Variable { .. }
        | TeamTokenError::Lacks { .. } => FILE,
    };
    Some(advice.to_owned())
}

/// For what can't be done to a fleet.
#[cfg(feature = "server")]
fn of_fleet(error: &FleetError) -> Option<String> {
    let plain = match error {
        FleetError::Call(AgentError::Refused { status, .. }) => match status.as_u16() {
            401 => "check the token, and that it is for this server",
            403 => {
                "check the organizer's slug, and that the token's team may do this: reading takes the permission organizer.devices:read, changing organizer.devices:write"
            }
            400 | 422 => "give it what its words ask for",
            404 => "check the organizer's slug, and the address that stands with the token",
            409 | 412 | 429 | 503 => "try it again",
            _ => "ask whoever runs the server",
        },
        FleetError::Call(error) => {
            return match Advice::on(error) {
                // Nobody enrols here.
                Some(
                    Advice::CorrectAddress
                    | Advice::LogInOrCorrectAddress
                    | Advice::CallEncrypted
                    | Advice::CallPlain,
                ) => Some(
                    "check the address that stands with the token; if this network wants a login, log in first, in a browser".to_owned(),
                ),
                Some(advice) => Some(words(advice).to_owned()),
                None => Some("try it again".to_owned()),
            };
        }
        FleetError::Entries { .. } => "correct those that it names, and run it again",
        FleetError::Token => "copy the token again, as one word",
        FleetError::Organizer(_) => {
            "give the slug, which is in the address of the organizer's pages"
        }
        FleetError::NoDevice(_) => {
            return Some(format!(
                "{} fleet list --with-revoked shows those that are there",
                typed()
            ));
        }
        FleetError::Several { .. } => "name it by its number",
        FleetError::NotOffered { .. } => {
            "do it in the server's own pages, as a pretix has them under Devices"
        }
        FleetError::Ignored { .. } => {
            "do it in the server's own pages, and ask whoever runs it why it does not"
        }
        FleetError::NameTaken { .. } => {
            "take another name; or add --yes, and go by numbers from then on"
        }
        FleetError::CodeEnded { number } => {
            return Some(format!(
                "{} fleet reconnect {number} makes another code",
                typed()
            ));
        }
        FleetError::Revoked { .. } => "create another device",
        FleetError::Differs { .. } => {
            return Some(format!(
                "take another name, or have {0} fleet edit or {0} fleet move make it so",
                typed()
            ));
        }
        FleetError::TooMany { .. } => "search for more letters",
        FleetError::NotReadBack(_) | FleetError::Overtaken { .. } => {
            return Some(format!(
                "{} fleet list shows how they are; then run it again",
                typed()
            ));
        }
        FleetError::Endless { .. } => "ask whoever runs the server",
    };
    Some(plain.to_owned())
}

/// How commands of this program begin.
fn typed() -> &'static str {
    ProgramName::of_this_process().typed()
}

/// The same where it is no more than a sentence.
fn plain(error: &CliError) -> Option<&'static str> {
    match error {
        CliError::Rejected => Some(OTHER_COPY),
        CliError::ChecksFailed {
            has_skipped: true, ..
        } => Some("each says what to do; what was skipped needs what failed"),
        CliError::ChecksWarn { .. } | CliError::ChecksFailed { .. } => Some("each says what to do"),
        #[cfg(feature = "server")]
        CliError::OneName => Some("name one device, or leave the name out"),
        #[cfg(feature = "server")]
        CliError::NoneToWaitFor => {
            Some("fleet list with the same filters shows which devices there are")
        }
        #[cfg(feature = "server")]
        CliError::SameNames => {
            Some("write where the number goes into the name, as in 'Lane {:02}'")
        }
        #[cfg(feature = "server")]
        CliError::NoEvents => Some("add --all-events, or --event SLUG, which may be repeated"),
        #[cfg(feature = "server")]
        CliError::NoName => Some("give a shorter one, or any at all"),
        #[cfg(feature = "server")]
        CliError::Sheet(_) => Some("gatehand fleet show DEVICE tells how each stands"),
        CliError::Switch { .. } => Some("set it to true or false, or to nothing"),
        CliError::EnrolmentList { source, .. } => source.advice(),
        CliError::DaemonRuns { .. } => {
            Some("stop it, as with systemctl stop, and start it again afterwards")
        }
        CliError::NothingToRecover { .. } => Some(
            "gatehand vault rekey makes a new key, gatehand vault rekey --to file or --to credential moves it",
        ),
        CliError::NoRecovery { .. } => Some(
            "without key and passphrase nothing in the vault can be read: revoke the device on its server, and enrol anew with gatehand init --replace, which sets the vault aside",
        ),
        CliError::OtherRecovery { .. } => {
            Some("give it the recovery file of this vault, as from a backup")
        }
        CliError::Passphrase { source, .. } => of_passphrase(source),
        CliError::NewPassphrase(PassphraseError::TooShort) => {
            Some("take a longer one, as of four words or more")
        }
        CliError::NoPassphrase => Some(
            "run it at a terminal, or give a file with --passphrase-file, or - for standard input",
        ),
        CliError::NewPassphrase(PassphraseError::Lines | PassphraseError::Control) => {
            Some("take one that can be typed, as of four words with blanks between them")
        }
        CliError::PassphraseFile { .. } => {
            Some("write the passphrase into it, as text in one line")
        }
        CliError::PassphrasesDiffer => {
            Some("run it again, and type the same passphrase twice, of 12 characters or more")
        }
        CliError::NotTyped => Some("run it again, or give a file with --passphrase-file"),
        CliError::NotRolled { .. } => Some(
            "the next command, as gatehand info, replaces it as soon as the server can be reached",
        ),
        CliError::OldElsewhere { .. } => Some(
            "run it without --revoke-old: the old device is the other machine, and this one becomes a device of its own",
        ),
        CliError::ServerNotAllowed { .. } => Some(
            "scan the code of a device of that server, or allow this one with --allowed-server",
        ),
        CliError::Bundle { .. } => Some(
            "name a new file in a folder that this user may write to, as in /tmp/gatehand.json",
        ),
        CliError::MetricsFile(_) => Some(
            "name a new file in the folder of node_exporter's textfile collector, as in /var/lib/prometheus/node-exporter/gatehand.prom",
        ),
        CliError::HostName { .. } => Some("run it as root, or leave --set-host-name away"),
        CliError::Remove { .. } => Some("remove it by hand"),
        CliError::Input { source, .. } => match source.kind() {
            io::ErrorKind::NotFound => Some("check the file's name, and the folder that it is in"),
            io::ErrorKind::PermissionDenied => Some("run it as a user who may read the file"),
            _ => None,
        },
        CliError::Done { source, .. } => plain(source),
        CliError::Client(error) | CliError::Agent(AgentError::Client(error)) => of_client(error),
        CliError::NoInput => {
            Some("give --qr-image FILE, --payload TEXT, or --url ADDRESS and --token TOKEN")
        }
        CliError::NoInputInTime(_) => Some(
            "see whether the scanner is on and connected to this machine, or give --timeout more seconds",
        ),
        CliError::CodeNotConfirmed => {
            Some("run it again, and answer yes if the server it names is the right one")
        }
        CliError::NoEndInTime(_) => Some("scan the code once, and nothing else"),
        CliError::NotConfirmed => Some("answer yes, or give --yes"),
        #[cfg(not(feature = "server"))]
        CliError::NoServerProgram => Some(
            "install the package gatehand-server, as with: apt install ./gatehand-server_*.deb",
        ),
        CliError::Existing { .. } => Some(
            r#"write it as {"url": "https://pretix.eu", "key": "…", "serial": "…"}, with what the other app has"#,
        ),
        CliError::MediaKey { .. } => Some(
            "give the private key that the other app has reported, in PEM form; openssl pkey -in FILE -out FILE.pem makes it of other forms and decrypts it",
        ),
        #[cfg(feature = "server")]
        CliError::Server(ServerError::Listen(error)) => error.advice(),
        #[cfg(feature = "server")]
        CliError::Server(ServerError::Tls(error)) => error.advice(),
        #[cfg(feature = "server")]
        CliError::OrganizersFile {
            source: OrganizersFileError::Utf16,
            ..
        } => Some("save it in UTF-8"),
        #[cfg(feature = "server")]
        CliError::EndsBeforeStart => Some("give a --to that is not before --from"),
        _ => None,
    }
}

fn of_passphrase(error: &PassphraseError) -> Option<&'static str> {
    match error {
        PassphraseError::Mismatch => {
            Some("try it again, or with another copy of the file; nothing was changed")
        }
        PassphraseError::Form => Some(
            "give the file that gatehand vault export has written, whole; vault.recovery is read from the vault's folder",
        ),
        PassphraseError::Method(_) => Some("update gatehand"),
        _ => None,
    }
}

/// Where the vault's key or what it should be is in the way.
fn of_key(error: &VaultError) -> Option<&'static str> {
    match error {
        VaultError::KeyNotGiven { .. } => Some(
            "start the service, as with systemctl start gatehand: commands use its credential while it runs; or run the command in a unit that loads it: systemd-run --quiet --pipe --wait --uid=gatehand --setenv=GATEHAND_HOME=/var/lib/gatehand -p LoadCredentialEncrypted=gatehand.vault-key:/etc/credstore.encrypted/gatehand.vault-key gatehand info; if systemd can't open that any more, gatehand vault recover opens the vault with its passphrase",
        ),
        VaultError::Credential { .. }
        | VaultError::OtherKey {
            key: KeyPlace::Credential,
            ..
        } => Some(
            "have the unit load the credential that gatehand vault rekey has made, with LoadCredentialEncrypted=gatehand.vault-key:FILE; if that is lost, gatehand vault recover opens the vault with its passphrase",
        ),
        VaultError::HomeTaken { .. } => Some(
            "move it away if nothing else needs it, or name another file with --credential-file",
        ),
        VaultError::OtherCredential { .. } => Some(
            "name the file that the unit loads with --credential-file, or say --to credential, and have the units load this one from now on",
        ),
        VaultError::NotKept { .. } => Some(
            "run it as root, on a system whose systemd-creds works; --with-key host does without a TPM",
        ),
        _ => None,
    }
}

fn of_client(error: &ClientError) -> Option<&'static str> {
    match error {
        ClientError::CaFile { .. } => {
            Some("check the file's name and permissions, and that it is in PEM form and whole")
        }
        ClientError::DamagedFile { .. } => {
            Some("copy the whole file again, or export the certificate again in PEM or DER form")
        }
        ClientError::NoCertificate { .. } | ClientError::NotCertificate { .. } => Some(
            "export the authority's certificate in PEM or DER form; of a .p7b file, openssl pkcs7 -print_certs -in FILE -out FILE.pem makes it (with -inform DER if it is no text), of a .p12 file openssl pkcs12 -nokeys -in FILE -out FILE.pem",
        ),
        ClientError::BadCertificate { .. } => {
            Some("export the authority's certificate again, in PEM or DER form")
        }
        ClientError::GivenCertificate(_) | ClientError::PinnedCertificate(_) => {
            Some("give a certificate in PEM or DER form")
        }
        ClientError::GivenProxy(_) => Some(PROXY_ADDRESS),
        ClientError::TooManyCertificates { .. } | ClientError::TooManyGiven { .. } => Some(
            "give those of the server's own authority, or --system-certificates for all that this system trusts",
        ),
        ClientError::SystemCertificates(_) | ClientError::NoSystemCertificates => Some(
            "install this system's certificates (on Debian the package ca-certificates), or name a file with --ca-file",
        ),
        ClientError::Proxy { .. } | ClientError::ProxyKind { .. } => Some(PROXY_ADDRESS),
        ClientError::Tls(_) | ClientError::Verifier(_) | ClientError::Http(_) => None,
    }
}

fn of_status(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "gatehand status tells how this device stands; its security profile on the server may not allow this call"
        }
        404 | 405 => "check method and path, and what this device may access on the server",
        409 | 429 | 503 => "try it again in a while",
        511 => LOG_IN,
        500.. => "try it again later; if that does not help, ask whoever runs the server",
        _ => "see in the answer what is wrong with the call",
    }
}

#[cfg(feature = "server")]
fn of_store(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Exists { .. } => Some("take another name, or use what is there".to_owned()),
        error => error.advice().map(str::to_owned),
    }
}

/// The way out of an enrolment that was begun where no server of the device is.
const WRONG_ADDRESS: &str = "if its address is wrong, run it with the right one and --replace";

fn of_agent(error: &AgentError) -> Option<String> {
    let (first, then) = (Advice::on(error), Advice::after(error));
    match (first, then.map(words)) {
        (None, then) => then.map(str::to_owned),
        (Some(Advice::GoOn), None) => Some(format!("{}; {WRONG_ADDRESS}", words(Advice::GoOn))),
        (Some(first), None) => Some(words(first).to_owned()),
        (
            Some(
                first @ (Advice::CorrectAddress
                | Advice::LogInOrCorrectAddress
                | Advice::CallEncrypted),
            ),
            Some(then),
        ) => Some(format!("{}; if it was right, {then}", words(first))),
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
        Advice::CodeOfAllowed => "make a device of an organizer that is allowed, and use its code",
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
        Advice::LogInOrCorrectAddress => {
            "log in to this network first, in a browser, if it wants that; if not, check the server's address and its path; with another one, run gatehand init with --replace"
        }
        Advice::CallEncrypted => {
            "give the server's address with https://; if an enrolment was begun without, add --replace"
        }
        Advice::CallPlain => {
            "have TLS put before the server, or give its address with http:// and --allow-http if this network is trusted"
        }
        Advice::GiveProxyLogin => {
            "give name and password with the proxy's address, as in https_proxy=http://name:password@proxy.example:3128"
        }
        Advice::CheckProxyLogin => {
            "check the name and the password in the proxy's address; what is neither letter nor digit is written in them as %40 is for @"
        }
        Advice::AskProxy => {
            "ask whoever runs the proxy to let this device through to the server, or name the server in NO_PROXY if it is reached without"
        }
        Advice::CheckBeyondProxy => {
            "check the server's address, and ask whoever runs the proxy whether it is reached from there; name the server in NO_PROXY if it is reached without the proxy"
        }
        Advice::CheckServer => {
            "open the server's address in a browser, or ask whoever runs it, to see whether it is still there"
        }
        Advice::AskServer => {
            "try it again; if it is refused again and again, ask whoever runs the server; what is begun is given up by gatehand init --replace with another code"
        }
        Advice::LogIn => LOG_IN,
        Advice::TokenUsed => {
            "if this device used the code, gatehand status shows what it is enrolled as; else another device has used it: create a device of its own for this one on the server, and enrol with its code; a scanner that was reset becomes its device again by gatehand fleet reconnect there"
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
        Advice::MakeRoom => "make room on that disk, and run it again",
        Advice::MakeWritable => {
            "mount it writable, or name a folder on a disk that is with GATEHAND_HOME; a system that is read-only on purpose needs a partition of its own for the vault"
        }
        Advice::BecomeOwner => {
            "run it as the user whom the vault's folder belongs to, as with sudo, or name another folder with GATEHAND_HOME"
        }
        Advice::KeepOrAllow => {
            "name a folder on a disk with GATEHAND_HOME, or add --volatile if this device is needed until then only"
        }
        Advice::GiveReportedMediaKey => {
            "give the key that the other app has reported with --media-key, or none: NFC media then need a new device"
        }
        Advice::Encrypt => "use https, or add --allow-http if this network is trusted",
        Advice::LogInOrTrust { is_another: false } => {
            "open a browser and log in to the network, if it wants that; if the certificate is the server's own, trust it with --ca-file FILE"
        }
        Advice::LogInOrTrust { is_another: true } => {
            "open a browser and log in to the network, if it wants that; if the certificate is the server's own, give --ca-file a file with it: what is trusted so far is another certificate"
        }
        Advice::TrustOrComplete { is_another: false } => {
            "if that is an authority of your own, trust it with --ca-file FILE or --system-certificates; if it is one between, as public authorities have, have the server send its whole chain of certificates (fullchain.pem)"
        }
        Advice::TrustOrComplete { is_another: true } => {
            "if that is an authority of your own, give --ca-file a file with its certificate: what is trusted so far is another one; if it is one between, below an authority that is trusted, have the server send its whole chain of certificates (fullchain.pem)"
        }
        Advice::CompleteChain => {
            "have the server send its whole chain of certificates (fullchain.pem)"
        }
        Advice::TrustAuthority { is_another: false } => {
            "if the authority is your own, trust it with --ca-file FILE or --system-certificates; if it is nobody's you know, something on the way looks into connections: ask whoever runs the network"
        }
        Advice::TrustAuthority { is_another: true } => {
            "if the authority is your own, give --ca-file a file with its certificate, or --system-certificates: what is trusted so far is another one; if it is nobody's you know, something on the way looks into connections: ask whoever runs the network"
        }
        Advice::GiveItsCertificate => {
            "if the server has another certificate now, open its app with that one, or trust it with --ca-file FILE"
        }
        Advice::UseItsName => {
            "use the server's address with a name that its certificate is for, or have it made for this name too"
        }
        Advice::MakeForServer => {
            "have the server's certificate made anew as one for a server: with basicConstraints=CA:FALSE, its name in subjectAltName, and serverAuth if it has an extendedKeyUsage; openssl takes them in an -extfile, or from req -x509 as in -addext subjectAltName=DNS:tickets.example -addext basicConstraints=CA:FALSE; if the certificate is not the server's, log in to this network first, in a browser"
        }
        Advice::MakeStronger => {
            "if the authority is your own and was made anew, trust its present certificate; else have the certificates of server and authority made anew, with SHA-256 and with keys of P-256 or of RSA with 2048 bits or more"
        }
        Advice::MakeAuthority => {
            "have the authority's certificate made anew as one of an authority, with basicConstraints=CA:TRUE and allowed to issue for this server, and then the server's"
        }
        Advice::ReplaceCertificate => {
            "have the server's certificate replaced; openssl s_client -showcerts -connect HOST:443 shows what the server sends"
        }
        Advice::SetClockOrRenew => {
            "set this device's clock if it is wrong; if it is right, have the server's certificate renewed"
        }
        Advice::EnrolOrAdoptHardware => {
            "give this machine a device of its own: create one on the server, and run gatehand init with its code and --replace; if the other machine is gone, or this one was repaired, run gatehand vault adopt-hardware"
        }
        Advice::GiveHardwareId => {
            "say what tells it with hardware_id in the settings, or --hardware-id; what root alone may read, only root is told"
        }
        Advice::Update => "update gatehand",
        Advice::Instead(Operation::Initialize) => "use gatehand init",
        Advice::Instead(Operation::Update) => "use gatehand update",
        Advice::Instead(Operation::Roll) => "use gatehand roll",
        Advice::Instead(Operation::Revoke) => "use gatehand revoke",
    }
}
