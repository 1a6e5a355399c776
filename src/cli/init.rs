//! `gatehand init`: enrols this device.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::connection::ConnectionArguments;
use super::device::{KeepingArguments, Outcome};
use super::facts::OverrideArguments;
use super::scan::{Wanted, scan};
use super::{CliError, input, output, progress, system_layout, terminal};
use crate::agent::{
    Agent, AgentError, Course, Identity, InitializeOptions, Initialized, Replaced, State,
};
use crate::enrolment::picture::{self, PictureError};
use crate::enrolment::{Enrolment, ParseError, Reading, ServerUrl, unframed};
use crate::secret::Secret;
use crate::wire::TOKEN_UNKNOWN;

/// Largest picture that is read, in bytes.
const PICTURE_LIMIT: u64 = 64 * 1024 * 1024;

/// How often is asked in a terminal.
const ATTEMPTS: u32 = 3;

const EXAMPLES: &str = "\
Examples:
  gatehand init --qr-image photo.jpg
  gatehand init --payload \\
      'pretixscan://setup?url=https%3A%2F%2Fpretix.eu&token=kpp4jn8g2ynzonp6'
  some-scanner | gatehand init --payload -
  gatehand init --url https://pretix.eu --token kpp4jn8g2ynzonp6
  gatehand init --replace --revoke-old --qr-image photo.jpg
  gatehand init              (goes on where it stopped, or asks in a terminal)";

/// Enrol this device: redeem an initialization token.
///
/// If the answer gets lost, run the same command again: the token is not lost with it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Init {
    /// Read the QR code from this picture (PNG, JPEG or WebP; - for standard input).
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
            let replaced = resumed.and_then(|done| done.replaced);
            return self.show(&agent, course, replaced, None);
        }
        if let Some(identity) = self.enrolled(&agent)? {
            return Err(AgentError::AlreadyEnrolled(Box::new(identity)).into());
        }
        let reading = self.reading(&agent)?;
        confirm(&reading, self.connection.timeout())?;
        let options = InitializeOptions {
            replace: self.replace,
            allow_http: self.allow_http,
            overrides: self.overrides.overrides(),
            revoke_old: self.revoke_old,
        };
        let what = format!("Enrolling at {}", reading.enrolment().url());
        let initialize = initialize(&agent, &reading, &options);
        let initialized = super::runtime()?.block_on(progress::shown(&what, initialize))?;
        let (course, replaced) = (initialized.course, initialized.replaced);
        self.show(&agent, course, replaced, initialized.given_up)
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
        given_up: Option<ServerUrl>,
    ) -> Result<(), CliError> {
        let heading = match course {
            Course::DoneBefore => "This device is enrolled with this code already.",
            Course::Done | Course::WentOn => "This device is enrolled.",
        };
        let outcome = Outcome {
            command: "init",
            course,
            replaced,
            given_up,
        };
        outcome.show(agent, heading, self.json)?;
        if course == Course::DoneBefore && self.replace && !self.json {
            output::say("Nothing was replaced: another device needs another code.");
        }
        Ok(())
    }

    fn reading(&self, agent: &Agent) -> Result<Reading, CliError> {
        if let Some(path) = &self.qr_image {
            return read_picture(path);
        }
        if let Some(text) = self.payload.as_ref().filter(|text| *text != "-") {
            return Ok(Reading::of(text, system_layout::find())?);
        }
        if let (Some(url), Some(token)) = (&self.url, &self.token) {
            let enrolment = Enrolment::new(url.parse()?, Secret::new(token.clone()))?;
            return Ok(enrolment.into());
        }
        let attempts = match terminal::is_a_persons() {
            true => {
                agent.refuse_if_volatile()?;
                ATTEMPTS
            }
            false => 1,
        };
        // A slip at a kiosk's keyboard should not mean starting over.
        for _ in 1..attempts {
            match self.ask() {
                Err(error @ (CliError::Code(_) | CliError::Url(_) | CliError::Token(_))) => {
                    output::complain(&error);
                }
                answer => return answer,
            }
        }
        self.ask()
    }

    /// Asks for a code or link, which a hand scanner may type, or for address and token.
    fn ask(&self) -> Result<Reading, CliError> {
        let (timeout, strict) = (
            self.connection.timeout(),
            self.connection.is_timeout_given(),
        );
        let question = "Scan the QR code, paste the link, or type the server's address:";
        let first = scan(question, Wanted::CodeOrAddress, timeout, strict)?;
        let reading = Reading::of(&first, system_layout::find());
        let (Err(error), true) = (&reading, terminal::is_a_persons()) else {
            return Ok(reading?);
        };
        let lines = first.split(['\r', '\n', '\t']).map(unframed);
        let mut lines = lines.filter(|line| !line.is_empty());
        let address = lines.next().unwrap_or_default();
        if !matches!(error, ParseError::WebAddress) && !address.starts_with("http") {
            return Ok(reading?);
        }
        let url: ServerUrl = address.parse()?;
        let token = match lines.next() {
            Some(token) => Secret::new(token.to_owned()),
            None => {
                let question = format!("Initialization token for {url}:");
                let token = scan(&question, Wanted::Token, timeout, strict)?;
                Secret::new(unframed(&token).to_owned())
            }
        };
        Ok(Enrolment::new(url, token)?.into())
    }
}

/// Reads the enrolment from the picture of its QR code.
pub(super) fn read_picture(path: &Path) -> Result<Reading, CliError> {
    let picture = input::read_file(path, PICTURE_LIMIT)?;
    picture::read(&picture, system_layout::find()).map_err(|error| match error {
        PictureError::Code(error) => CliError::Code(error),
        source => CliError::Picture {
            name: path.display().to_string(),
            source,
        },
    })
}

/// Tells of a code that was not read as it is, and at a terminal has a person agree to its server.
fn confirm(reading: &Reading, timeout: Duration) -> Result<(), CliError> {
    let Some(mapping) = reading.mapping() else {
        return Ok(());
    };
    let server = reading.enrolment().url();
    output::say(&format!(
        "It seems that {mapping}. With that undone, this is a code for {server}."
    ));
    if !terminal::is_a_persons() {
        return Ok(());
    }
    let question = format!("Enrol at {server}? Answer yes or no:");
    let answer = match scan(&question, Wanted::Answer, timeout, true) {
        // Enter alone.
        Err(CliError::NoInput) => return Err(CliError::CodeNotConfirmed),
        answer => answer?,
    };
    match unframed(&answer).to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CliError::CodeNotConfirmed),
    }
}

/// Redeems the token, or of several that were read the one that the server knows.
async fn initialize(
    agent: &Agent,
    reading: &Reading,
    options: &InitializeOptions,
) -> Result<Initialized, AgentError> {
    let mut initialized = agent.initialize(reading.enrolment(), options).await;
    for other in reading.others() {
        match &initialized {
            Err(AgentError::Refused {
                about_token: true,
                pending: false,
                problem,
                ..
            }) if problem.to_string().contains(TOKEN_UNKNOWN) => {
                initialized = agent.initialize(other, options).await;
            }
            _ => break,
        }
    }
    initialized
}
