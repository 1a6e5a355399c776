//! `gatehand init`: enrols this device.

mod asked;
mod code_arguments;
mod list_arguments;
mod picture;
mod questions;

use std::io::{self, Write};

use clap::Args;

use super::allowed_arguments::AllowedArguments;
use super::connection_arguments::ConnectionArguments;
use super::device::{KeepingArguments, Outcome, not_replaced};
use super::error::CliError;
use super::override_arguments::OverrideArguments;
use super::scan::Listener;
use super::{output, progress, runtime};
use crate::agent::{
    Agent, AgentError, CopiedCard, Course, Identity, InitializeOptions, Kinship, State,
};
use crate::enrolment::{Reading, ServerUrl, TokenSlip};
use code_arguments::CodeArguments;
use list_arguments::ListArguments;
use questions::Questions;

#[cfg(feature = "server")]
pub(super) use picture::read_picture;

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
    #[command(flatten)]
    code: CodeArguments,
    #[command(flatten)]
    list: ListArguments,
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
        if let Some(line) = self.list.own_line()? {
            return Ok(io::stdout().write_all(line.as_bytes())?);
        }
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
                is_elsewhere: false,
                mapping: None,
                from_list: None,
            };
            return self.show(&agent, &outcome);
        }
        let own = self.connection.hardware.own(&self.keeping.folder()?);
        // A vault that can't be read may be replaced all the same.
        let kinship = agent.status().map(|status| status.kinship(&own));
        let kinship = kinship.unwrap_or(Kinship::Unknown);
        if let Some(identity) = self.enrolled(&agent)? {
            if let (Kinship::Copied(differs), CopiedCard::Refuse) = (kinship, own.copied_card) {
                return Err(AgentError::OtherHardware { differs }.into());
            }
            return Err(AgentError::AlreadyEnrolled(Box::new(identity)).into());
        }
        let listed = self.list.listed(&self.allowed)?;
        let listener = Listener::default();
        let questions = Questions {
            listener: &listener,
            connection: &self.connection,
        };
        let asked = match &listed {
            Some(listed) => Reading::from(listed.enrolment.clone()).into(),
            None => self.code.asked(&agent, &questions)?,
        };
        self.allowed.check(asked.reading.enrolment())?;
        questions.agreement(&asked, self.json)?;
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
            listener.deaf_during(|| runtime.block_on(progress::shown(&what, initialize)));
        let initialized = initialized.map_err(|error| not_replaced(error, self.revoke_old))?;
        let from_list = listed.map(|listed| self.list.end(&listed)).transpose()?;
        let outcome = Outcome {
            command: "init",
            course: initialized.course,
            replaced: initialized.replaced,
            given_up: initialized.given_up,
            is_elsewhere: matches!(kinship, Kinship::Copied(_)),
            mapping: reading.mapping().map(ToString::to_string),
            from_list: from_list.flatten(),
        };
        self.show(&agent, &outcome)
    }

    fn is_given(&self) -> bool {
        self.code.are_given() || self.list.are_given() || self.replace
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
}
