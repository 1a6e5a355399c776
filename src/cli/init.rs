//! `gatehand init`: enrols this device.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::allowed_arguments::AllowedArguments;
use super::connection_arguments::ConnectionArguments;
use super::device::{FromList, KeepingArguments, Outcome};
use super::enrolment_list::{self, EnrolmentListError, Listed};
use super::error::CliError;
use super::override_arguments::OverrideArguments;
use super::runtime;
use super::scan::{Listener, Scanned, Wanted};
use super::{host_name, input, output, progress, system_layout};
use crate::agent::{Agent, AgentError, Course, Identity, InitializeOptions, State};
use crate::enrolment::picture::{self, PictureError};
use crate::enrolment::{
    Enrolment, ParseError, Reading, ServerUrl, ServerUrlError, TokenSlip, plain, token_alone,
};
use crate::secret::Secret;

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
  gatehand init --enrolment-list /boot/firmware/enrolment.csv --set-host-name \\
      --allowed-server https://pretix.eu --allowed-organizer bigevents
  gatehand init              (goes on where it stopped, or asks in a terminal)";

/// Enrol this device: redeem an initialization token.
///
/// If the answer gets lost, run the same command again: the token is not lost with it.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Init {
    /// Read the QR code from this picture (PNG, JPEG, WebP, GIF or BMP; - for standard input).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["payload", "url", "token"])]
    qr_image: Option<PathBuf>,
    /// What the QR code holds, or the link to enrol with (- for standard input).
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["url", "token"])]
    payload: Option<String>,
    /// Address of the server. Without --token it is asked for, or read from standard input.
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// The initialization token.
    #[arg(long, requires = "url")]
    token: Option<String>,
    /// Take this machine's line of a table with the columns serial, server and token, and perhaps
    /// host_name and gate; once the key is safe, the list is removed. It takes --allowed-server and
    /// --allowed-organizer.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["qr_image", "payload", "url", "token"])]
    enrolment_list: Option<PathBuf>,
    /// The serial that stands in the list for this machine, instead of its hardware's.
    #[arg(long, value_name = "SERIAL", requires = "enrolment_list")]
    hardware_serial: Option<String>,
    /// Give the machine the host name of its line.
    #[arg(long, requires = "enrolment_list")]
    set_host_name: bool,
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
    allowed: AllowedArguments,
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
            let (listener, runtime) = (Listener::default(), runtime::for_calls()?);
            listener.expect_nothing()?;
            let resumed = listener
                .deaf_during(|| runtime.block_on(progress::shown(&what, agent.resume())))?;
            // Another command may have finished it meanwhile.
            let course = match resumed {
                Some(_) => Course::WentOn,
                None => Course::DoneBefore,
            };
            let replaced = resumed.and_then(|done| done.replaced);
            let outcome = Outcome {
                command: "init",
                course,
                replaced,
                given_up: None,
                mapping: None,
                from_list: None,
            };
            return self.show(&agent, &outcome);
        }
        if let Some(identity) = self.enrolled(&agent)? {
            return Err(AgentError::AlreadyEnrolled(Box::new(identity)).into());
        }
        let listed = match self.listed() {
            // Its end was cut short after the key was safe.
            Err(CliError::EnrolmentList {
                source: EnrolmentListError::Blank,
                ..
            }) if agent.status()?.identity.is_some() => {
                let from_list = self.end_list(None)?;
                return self.show(&agent, &Outcome::done_before("init", from_list));
            }
            listed => listed?,
        };
        let listener = Listener::default();
        let asked = match &listed {
            Some(listed) => Reading::from(listed.enrolment.clone()).into(),
            None => self.asked(&agent, &listener)?,
        };
        self.allowed.check(asked.reading.enrolment())?;
        self.confirm(&asked, &listener)?;
        if let Some(slip) = TokenSlip::of(asked.reading.enrolment().token()) {
            output::notice(
                &format!("If the code is refused, copy it again: {slip}."),
                self.json,
            );
        }
        let reading = asked.reading;
        let options = InitializeOptions {
            replace: self.replace,
            allow_http: self.allow_http,
            overrides: self.overrides.overrides(),
            revoke_old: self.revoke_old,
            allowed_organizers: self.allowed.organizers(),
        };
        let what = format!("Enrolling at {}", reading.enrolment().url());
        let initialize =
            agent.initialize_first_known(reading.enrolment(), reading.others(), &options);
        let runtime = runtime::for_calls()?;
        let initialized =
            listener.deaf_during(|| runtime.block_on(progress::shown(&what, initialize)))?;
        let from_list = listed
            .map(|listed| self.end_list(Some(listed)))
            .transpose()?;
        let outcome = Outcome {
            command: "init",
            course: initialized.course,
            replaced: initialized.replaced,
            given_up: initialized.given_up,
            mapping: reading.mapping().map(ToString::to_string),
            from_list: from_list.flatten(),
        };
        self.show(&agent, &outcome)
    }

    fn is_given(&self) -> bool {
        self.qr_image.is_some()
            || self.payload.is_some()
            || self.url.is_some()
            || self.enrolment_list.is_some()
            || self.replace
    }

    /// This machine's line of the list, if one is given.
    fn listed(&self) -> Result<Option<Listed>, CliError> {
        let Some(path) = &self.enrolment_list else {
            return Ok(None);
        };
        if !self.allowed.are_both_given() {
            return Err(CliError::ListAlone);
        }
        let listed = enrolment_list::read(path, self.hardware_serial.as_deref());
        listed.map(Some).map_err(|source| CliError::EnrolmentList {
            name: path.display().to_string(),
            source,
        })
    }

    /// What is to follow once the key is safe. What fails is done by the same command again: the list
    /// goes last.
    fn end_list(&self, listed: Option<Listed>) -> Result<Option<FromList>, CliError> {
        let Some(path) = &self.enrolment_list else {
            return Ok(None);
        };
        let (host_name, gate) = listed.map_or((None, None), |own| (own.host_name, own.gate));
        let done = self.name_machine(host_name.as_deref()).and_then(|()| {
            enrolment_list::remove(path).map_err(|source| CliError::Remove {
                name: path.display().to_string(),
                source,
            })
        });
        done.map_err(|source| CliError::Done {
            words: "this device is enrolled".to_owned(),
            source: Box::new(source),
        })?;
        Ok(Some(FromList { host_name, gate }))
    }

    fn name_machine(&self, name: Option<&str>) -> Result<(), CliError> {
        let Some(name) = name.filter(|_| self.set_host_name) else {
            return Ok(());
        };
        host_name::set(Path::new("/"), name).map_err(|source| CliError::HostName {
            name: name.to_owned(),
            source,
        })
    }

    /// The server of an enrolment that is to be gone on with, because no other is given.
    fn unfinished(&self, agent: &Agent) -> Result<Option<ServerUrl>, CliError> {
        match self.is_given() {
            true => Ok(None),
            false => Ok(agent.status()?.unfinished.map(|begun| begun.server)),
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

    fn show(&self, agent: &Agent, outcome: &Outcome) -> Result<(), CliError> {
        let heading = match outcome.course {
            Course::DoneBefore => "This device is enrolled with this code already.",
            Course::Done | Course::WentOn => "This device is enrolled.",
        };
        outcome.show(agent, heading, self.json)?;
        if outcome.course == Course::DoneBefore && self.replace && !self.json {
            output::say("Nothing was replaced: another device needs another code.");
        }
        Ok(())
    }

    fn asked(&self, agent: &Agent, listener: &Listener) -> Result<Asked, CliError> {
        if let Some(path) = &self.qr_image {
            return Ok(read_picture(path)?.into());
        }
        if let Some(text) = self.payload.as_ref().filter(|text| *text != "-") {
            return Ok(Reading::of(text, system_layout::find())?.into());
        }
        let url = self.url.as_deref().map(given_address).transpose()?;
        if let (Some(url), Some(token)) = (&url, &self.token) {
            let enrolment = Enrolment::new(url.clone(), given_token(token)?)?;
            return Ok(Reading::from(enrolment).into());
        }
        let attempts = match listener.is_a_persons() {
            true => {
                agent.refuse_if_volatile()?;
                ATTEMPTS
            }
            false => 1,
        };
        let ask = || match &url {
            Some(url) => self.ask_for_token(url, false, listener),
            None => self.ask_for_code(listener),
        };
        // A slip at a kiosk's keyboard should not mean starting over.
        for _ in 1..attempts {
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
    fn ask_for_code(&self, listener: &Listener) -> Result<Asked, CliError> {
        let question = "Scan the QR code, paste the link, or type the server's address:";
        let first = self.ask(question, Wanted::CodeOrAddress, listener)?;
        let error = match Reading::of(&first.text, system_layout::find()) {
            Ok(reading) => return Ok(reading.into()),
            Err(error) => error,
        };
        let text = plain(&first.text);
        let is_address = error.is_no_code() && text.starts_with("http");
        match error {
            _ if !listener.is_a_persons() => Err(error.into()),
            ParseError::WebAddress => self.ask_for_token(&text.parse()?, first.is_burst, listener),
            ParseError::TokenAlone => self.ask_for_address(&token_alone(&text), listener),
            // Nearly one: what is wrong with it is worth more than that it is no code.
            error if is_address => match text.parse::<ServerUrl>() {
                Err(address) => Err(address.into()),
                Ok(_) => Err(error.into()),
            },
            error => Err(error.into()),
        }
    }

    /// Asks for the token that goes with an address. What comes may be a whole code, which is then used for
    /// the server that it is for.
    fn ask_for_token(
        &self,
        url: &ServerUrl,
        is_url_scanned: bool,
        listener: &Listener,
    ) -> Result<Asked, CliError> {
        let question = format!("Initialization token for {url}:");
        let scanned = self.ask(&question, Wanted::Token, listener)?;
        match Reading::of(&scanned.text, system_layout::find()) {
            Ok(reading) => Asked::instead_of(url, reading, listener),
            Err(error) if error.is_no_code() => Ok(Asked {
                reading: Enrolment::new(url.clone(), token_alone(&scanned.text))?.into(),
                doubt: is_url_scanned.then_some(Doubt::ScannedAddress),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for the address that goes with a token, in whose place a whole code may come, too.
    fn ask_for_address(&self, token: &Secret, listener: &Listener) -> Result<Asked, CliError> {
        let question = "That is a token. Type the server's address, or scan the whole QR code:";
        let scanned = self.ask(question, Wanted::CodeOrAddress, listener)?;
        match Reading::of(&scanned.text, system_layout::find()) {
            Ok(reading) => Ok(reading.into()),
            Err(error) if error.is_no_code() => {
                let url = plain(&scanned.text).parse()?;
                Ok(Asked {
                    reading: Enrolment::new(url, token.clone())?.into(),
                    doubt: scanned.is_burst.then_some(Doubt::ScannedAddress),
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks until there is more than Enter alone.
    fn ask(
        &self,
        question: &str,
        wanted: Wanted,
        listener: &Listener,
    ) -> Result<Scanned, CliError> {
        let (timeout, strict) = (
            self.connection.timeout(),
            self.connection.is_timeout_given(),
        );
        loop {
            let scanned = listener.scan(question, wanted, timeout, strict)?;
            if !scanned.text.is_empty() {
                return Ok(scanned);
            }
        }
    }

    /// Tells of what may be meant otherwise, and at a terminal has a person agree to the server.
    fn confirm(&self, asked: &Asked, listener: &Listener) -> Result<(), CliError> {
        let Some(notice) = asked.notice() else {
            return Ok(());
        };
        output::notice(&notice, self.json);
        if !listener.is_a_persons() {
            return Ok(());
        }
        let server = asked.reading.enrolment().url();
        let question = format!("Enrol at {server}? Answer yes or no:");
        let (begun, timeout) = (Instant::now(), self.connection.timeout());
        // What is neither may be the same code once more.
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            let answer = match listener.scan(&question, Wanted::Answer, left, true) {
                Err(CliError::NoInput) => return Err(CliError::CodeNotConfirmed),
                Err(CliError::NoInputInTime(_) | CliError::NoEndInTime(_)) => {
                    return Err(CliError::NoInputInTime(timeout.as_secs()));
                }
                answer => answer?,
            };
            match plain(&answer.text).to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(()),
                "n" | "no" => return Err(CliError::CodeNotConfirmed),
                _ if begun.elapsed() >= timeout => return Err(CliError::CodeNotConfirmed),
                _ => {}
            }
        }
    }
}

/// An enrolment, and why a person has to agree to it beside what was undone to read it.
struct Asked {
    reading: Reading,
    doubt: Option<Doubt>,
}

enum Doubt {
    /// Any code with an address may have been scanned, as a poster's.
    ScannedAddress,
    /// This address was given first, and the code is for another server.
    OtherServer(ServerUrl),
}

impl From<Reading> for Asked {
    fn from(reading: Reading) -> Self {
        let doubt = None;
        Self { reading, doubt }
    }
}

impl Asked {
    /// A code that came where the token of a server was asked for.
    fn instead_of(
        url: &ServerUrl,
        reading: Reading,
        listener: &Listener,
    ) -> Result<Self, CliError> {
        let is_other = reading.enrolment().url() != url;
        if is_other && !listener.is_a_persons() {
            return Err(CliError::OtherServer {
                given: url.to_string(),
                code: reading.enrolment().url().to_string(),
            });
        }
        let doubt = is_other.then(|| Doubt::OtherServer(url.clone()));
        Ok(Self { reading, doubt })
    }

    fn notice(&self) -> Option<String> {
        let server = self.reading.enrolment().url();
        if let Some(mapping) = self.reading.mapping() {
            return Some(format!(
                "It seems that {mapping}. With that undone, this is a code for {server}."
            ));
        }
        if self.reading.is_put_together() {
            return Some(format!(
                "This is no code, but an address and a token that seem to belong together: {server}."
            ));
        }
        match &self.doubt {
            Some(Doubt::ScannedAddress) => {
                Some(format!("The address was scanned or pasted: {server}."))
            }
            Some(Doubt::OtherServer(given)) => {
                Some(format!("This is a code for {server}, not for {given}."))
            }
            None => None,
        }
    }
}

/// The address of `--url`.
fn given_address(text: &str) -> Result<ServerUrl, CliError> {
    refuse_code("--url takes an address", text)?;
    let address = plain(text);
    address.parse().map_err(|error| match error {
        ServerUrlError::NoAddress if is_token(text) => ParseError::TokenAlone.into(),
        error => error.into(),
    })
}

/// The token of `--token`.
fn given_token(text: &str) -> Result<Secret, CliError> {
    refuse_code("--token takes a token", text)?;
    Ok(token_alone(text))
}

fn is_token(text: &str) -> bool {
    let read = Reading::of(text, None);
    matches!(read, Err(ParseError::TokenAlone)) || TokenSlip::of(&token_alone(text)).is_some()
}

fn refuse_code(wanted: &'static str, text: &str) -> Result<(), CliError> {
    match Reading::of(text, system_layout::find()) {
        Err(error) if error.is_no_code() => Ok(()),
        Err(ParseError::TooLong) => Ok(()),
        _ => Err(CliError::WholeCode(wanted)),
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
