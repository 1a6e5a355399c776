//! `gatehand init`: enrols this device.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;

use super::connection::ConnectionArguments;
use super::device::{KeepingArguments, Outcome};
use super::facts::OverrideArguments;
use super::{CliError, input, output, progress};
use crate::agent::{Agent, AgentError, Course, Identity, InitializeOptions, Replaced, State};
use crate::enrolment::{Enrolment, ServerUrl, picture};
use crate::secret::Secret;

/// Largest picture that is read, in bytes.
const PICTURE_LIMIT: u64 = 64 * 1024 * 1024;
/// Longest text that is read from standard input, in bytes.
const PAYLOAD_LIMIT: u64 = input::TEXT_LIMIT;

/// How often is asked in a terminal.
const ATTEMPTS: u32 = 3;

const EXAMPLES: &str = "\
Examples:
  gatehand init --qr-image photo.jpg
  gatehand init --payload 'pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6'
  some-scanner | gatehand init --payload -
  gatehand init --url https://pretix.eu --token kpp4jn8g2ynzonp6
  gatehand init --replace --revoke-old --qr-image photo.jpg
  gatehand init                        (goes on where it stopped, or asks in a terminal)";

/// Enrol this device: redeem an initialization token.
///
/// If the answer gets lost, run the same command again: the token is not lost with it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Init {
    /// Read the QR code from this picture (PNG or JPEG; - for standard input).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["payload", "url", "token"])]
    qr_image: Option<PathBuf>,
    /// What the QR code holds, or the link to enrol with (- for standard input).
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["url", "token"])]
    payload: Option<String>,
    /// Address of the server.
    #[arg(long, value_name = "ADDRESS", requires = "token")]
    url: Option<String>,
    /// The initialization token.
    #[arg(long, requires = "url")]
    token: Option<String>,
    /// Give up the device that is enrolled here, an unfinished enrolment or an unusable vault.
    #[arg(long)]
    replace: bool,
    /// Revoke the device that is given up, once the new one is safe in the vault. Without it that
    /// device stays active on its server.
    #[arg(long, requires = "replace")]
    revoke_old: bool,
    /// Send the token unencrypted to a server that is not on this machine.
    #[arg(long)]
    allow_http: bool,
    #[command(flatten)]
    keeping: KeepingArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    overrides: OverrideArguments,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl Init {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = self.keeping.agent(&self.connection)?;
        if let Some(server) = self.unfinished(&agent)? {
            let what = format!("Enrolling at {server}");
            let resumed = super::runtime()?.block_on(progress::shown(&what, agent.resume()))?;
            // Another command may have finished it meanwhile.
            let course = match resumed {
                Some(_) => Course::WentOn,
                None => Course::DoneBefore,
            };
            return self.show(&agent, course, resumed.and_then(|done| done.replaced));
        }
        if let Some(identity) = self.enrolled(&agent)? {
            return Err(AgentError::AlreadyEnrolled(Box::new(identity)).into());
        }
        let enrolment = self.enrolment(&agent)?;
        let options = InitializeOptions {
            replace: self.replace,
            allow_http: self.allow_http,
            overrides: self.overrides.overrides(),
            revoke_old: self.revoke_old,
        };
        let what = format!("Enrolling at {}", enrolment.url());
        let initialize = agent.initialize(&enrolment, &options);
        let initialized = super::runtime()?.block_on(progress::shown(&what, initialize))?;
        self.show(&agent, initialized.course, initialized.replaced)
    }

    fn is_given(&self) -> bool {
        self.qr_image.is_some() || self.payload.is_some() || self.url.is_some() || self.replace
    }

    /// The server of an enrolment that is to be gone on with, because no other is given.
    fn unfinished(&self, agent: &Agent) -> Result<Option<ServerUrl>, CliError> {
        match self.is_given() {
            true => Ok(None),
            false => Ok(agent.status()?.unfinished),
        }
    }

    /// Who the device is already, where there is nothing else to ask for.
    fn enrolled(&self, agent: &Agent) -> Result<Option<Identity>, CliError> {
        if self.is_given() {
            return Ok(None);
        }
        let status = agent.status()?;
        let is_enrolled = matches!(status.state, State::Enrolled | State::Rejected);
        Ok(status.identity.filter(|_| is_enrolled))
    }

    fn show(
        &self,
        agent: &Agent,
        course: Course,
        replaced: Option<Replaced>,
    ) -> Result<(), CliError> {
        let heading = match course {
            Course::DoneBefore => "This device is enrolled with this code already.",
            Course::Done | Course::WentOn => "This device is enrolled.",
        };
        let outcome = Outcome {
            command: "init",
            course,
            replaced,
        };
        outcome.show(agent, heading, self.json)?;
        if course == Course::DoneBefore && self.replace && !self.json {
            output::say("Nothing was replaced: another device needs another code.");
        }
        Ok(())
    }

    fn enrolment(&self, agent: &Agent) -> Result<Enrolment, CliError> {
        if let Some(path) = &self.qr_image {
            return read_picture(path);
        }
        if let Some(text) = &self.payload {
            return match text.as_str() {
                "-" => {
                    if io::stdin().is_terminal() {
                        output::say("Scan the code or paste the link, then press Ctrl+D.");
                    }
                    let text = input::read_standard_input(PAYLOAD_LIMIT)?;
                    Ok(Enrolment::parse(&String::from_utf8_lossy(&text))?)
                }
                text => Ok(Enrolment::parse(text)?),
            };
        }
        if let (Some(url), Some(token)) = (&self.url, &self.token) {
            return Ok(Enrolment::new(url.parse()?, Secret::new(token.clone()))?);
        }
        if io::stdin().is_terminal() {
            agent.refuse_if_volatile()?;
            ask_until_understood()
        } else {
            Err(CliError::NoInput)
        }
    }
}

/// Reads the enrolment from the picture of its QR code.
pub(super) fn read_picture(path: &Path) -> Result<Enrolment, CliError> {
    let picture = input::read_file(path, PICTURE_LIMIT)?;
    let code = picture::read(&picture).map_err(|source| CliError::Picture {
        name: path.display().to_string(),
        source,
    })?;
    Ok(Enrolment::parse(code.expose())?)
}

/// A slip at a kiosk's keyboard should not mean starting over.
fn ask_until_understood() -> Result<Enrolment, CliError> {
    for _ in 1..ATTEMPTS {
        match ask() {
            Err(error @ (CliError::Code(_) | CliError::Url(_) | CliError::Token(_))) => {
                output::complain(&error);
            }
            answer => return answer,
        }
    }
    ask()
}

/// Asks for a code or link, which a hand scanner may type, or for address and token.
fn ask() -> Result<Enrolment, CliError> {
    let first = input::ask_for("Scan the QR code, paste the link, or type the server's address: ")?;
    if first.starts_with('{') || !first.starts_with("http") && first.contains("://setup") {
        return Ok(Enrolment::parse(&first)?);
    }
    let url: ServerUrl = first.parse()?;
    let token = input::ask_for(&format!("Initialization token for {url}: "))?;
    Ok(Enrolment::new(url, Secret::new(token.to_string()))?)
}
