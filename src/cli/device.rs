//! What the commands on a device's identity share.

use std::sync::Arc;

use clap::Args;
use clap::builder::BoolishValueParser;
use serde::Serialize;

use super::connection_arguments::ConnectionArguments;
use super::error::CliError;
use super::{output, status, vault_folder};
use crate::agent::{
    Afterlife, Agent, AgentError, Client, Course, Done, Identity, Kinship, OwnHardware, Replaced,
    SameMachine, ThisMachine,
};
use crate::enrolment::ServerUrl;
use crate::vault::Folder;
use crate::wire::Gate;

/// Flattened into every command that gets a key to keep.
#[derive(Args)]
pub(super) struct KeepingArguments {
    /// Do it though the vault is gone at the next boot, as in memory or on a live system.
    #[arg(long, env = "GATEHAND_VOLATILE", value_parser = BoolishValueParser::new())]
    volatile: bool,
}

impl KeepingArguments {
    /// The agent of this device.
    pub(super) fn agent(&self, connection: &ConnectionArguments) -> Result<Agent, CliError> {
        agent_in(self.folder()?, connection.client()?, connection)
    }

    /// The same, made for many calls.
    pub(super) fn lasting_agent(
        &self,
        connection: &ConnectionArguments,
    ) -> Result<Agent, CliError> {
        let folder = self.folder()?;
        let machine = ThisMachine {
            folder: folder.clone(),
        };
        let describe = Arc::new(SameMachine::from(machine));
        let own = connection.hardware.own(&folder);
        let agent = Agent::new(folder, connection.lasting_client()?, describe);
        Ok(agent.on_hardware(own).with_memory())
    }

    pub(super) fn folder(&self) -> Result<Folder, CliError> {
        let folder = vault_folder::locate()?;
        Ok(match self.volatile {
            true => folder.volatile_allowed(),
            false => folder,
        })
    }
}

/// The agent of this device.
pub(super) fn agent(connection: &ConnectionArguments) -> Result<Agent, CliError> {
    agent_in(vault_folder::locate()?, connection.client()?, connection)
}

fn agent_in(
    folder: Folder,
    client: Client,
    connection: &ConnectionArguments,
) -> Result<Agent, CliError> {
    let own = connection.hardware.own(&folder);
    Ok(agent_of(folder, client).on_hardware(own))
}

/// The agent of the device in this folder.
pub(super) fn agent_of(folder: Folder, client: Client) -> Agent {
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    Agent::new(folder, client, Arc::new(describe))
}

/// Whether the vault was copied here from other hardware. One that can't be read may be replaced all the same.
pub(super) fn is_copy(agent: &Agent, own: &OwnHardware) -> bool {
    let status = agent.status();
    status.is_ok_and(|status| matches!(status.kinship(own), Kinship::Copied(_)))
}

/// Why no device takes the place of the one that is here.
pub(super) fn not_replaced(error: AgentError, revoke_old: bool) -> CliError {
    match error {
        AgentError::OtherHardware { .. } if revoke_old => CliError::OldElsewhere {
            source: Box::new(error),
        },
        error => error.into(),
    }
}

/// What a command on the identity led to.
pub(super) struct Outcome {
    /// The command, as `--json` names it.
    pub(super) command: &'static str,
    pub(super) course: Course,
    /// The device that was here before.
    pub(super) replaced: Option<Replaced>,
    /// The server of an unfinished enrolment that was given up.
    pub(super) given_up: Option<ServerUrl>,
    /// Whether that device is another machine, which this vault was copied from.
    pub(super) is_elsewhere: bool,
    /// What was undone to read the code.
    pub(super) mapping: Option<String>,
    /// What the enrolment list said beside the code.
    pub(super) from_list: Option<FromList>,
}

/// What a line of an enrolment list says of a machine.
#[derive(Serialize)]
pub(super) struct FromList {
    /// The name that the machine is to have.
    pub(super) host_name: Option<String>,
    /// The gate that it is meant for.
    pub(super) gate: Option<String>,
    /// Whether the list is still there, with everybody's tokens.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_kept: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct DeviceDocument<'a> {
    /// The command that was done; null if it had been done before, so that nothing happened.
    done: Option<&'static str>,
    /// Whether it had been begun by an earlier command, and this one has finished it.
    begun_before: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<ReplacedReport<'a>>,
    /// The server of an unfinished enrolment that was given up, at which its device may be active.
    #[serde(skip_serializing_if = "Option::is_none")]
    given_up: Option<&'a ServerUrl>,
    /// What was undone to read the code, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<&'a str>,
    /// What its line of an enrolment list says; the list is removed, unless it was to be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment_list: Option<&'a FromList>,
    #[serde(flatten)]
    status: status::StatusDocument<'a>,
}

#[derive(Serialize)]
struct ReplacedReport<'a> {
    #[serde(flatten)]
    device: status::OtherDevice<'a>,
    state: Afterlife,
}

impl Outcome {
    /// Of an operation that replaces nobody.
    pub(super) fn of(command: &'static str, done: &Done) -> Self {
        Self {
            command,
            course: match done.went_on {
                true => Course::WentOn,
                false => Course::Done,
            },
            replaced: None,
            given_up: None,
            mapping: None,
            is_elsewhere: false,
            from_list: None,
        }
    }

    /// Shows it, and who the device is now.
    pub(super) fn show(&self, agent: &Agent, heading: &str, json: bool) -> Result<(), CliError> {
        let status = agent.status()?;
        if json {
            let told = output::print_json(&DeviceDocument {
                done: (self.course != Course::DoneBefore).then_some(self.command),
                begun_before: self.course == Course::WentOn,
                replaced: self.replaced.as_ref().map(|replaced| ReplacedReport {
                    device: status::OtherDevice::of(&replaced.identity),
                    state: replaced.afterlife,
                }),
                given_up: self.given_up.as_ref(),
                mapping: self.mapping.as_deref(),
                enrolment_list: self.from_list.as_ref(),
                status: status::report(&status),
            });
            return output::has_told(told, heading);
        }
        let told = output::print_heading(heading).and_then(|()| match &status.identity {
            Some(identity) => output::print_table(&status::rows(identity, &status)),
            None => Ok(()),
        });
        if self.course == Course::WentOn {
            output::say(match self.command {
                "init" => "This finished an enrolment begun before, with what was reported then.",
                _ => "This finished what an earlier command had begun.",
            });
        }
        if let Some(replaced) = &self.replaced {
            output::say(&afterlife(replaced, self.is_elsewhere));
        }
        if let Some(list) = &self.from_list {
            output::say(match list.is_kept {
                true => "The enrolment list is still there, with everybody's tokens.",
                false => "The enrolment list is removed.",
            });
            if let Some(words) = of_gate(list, status.identity.as_ref()) {
                output::say(&words);
            }
        }
        if let Some(server) = &self.given_up {
            output::say(&format!(
                "The enrolment at {server} that was not finished is given up; its code may have made a device there: if so, revoke it."
            ));
        }
        if self.has_arrived() {
            output::say("Next: gatehand check tells whether all is as it should be here.");
        }
        output::has_told(told, heading)
    }

    /// Whether the device is new on this machine, so that nothing has shown yet that it works here.
    fn has_arrived(&self) -> bool {
        let arrivals = ["init", "adopt", "vault adopt-hardware"];
        self.course != Course::DoneBefore && arrivals.contains(&self.command)
    }
}

/// What a list said that differs from what the server says.
fn of_gate(list: &FromList, identity: Option<&Identity>) -> Option<String> {
    let meant = list.gate.as_deref()?;
    let gate = identity?.gate.as_ref();
    let is_it = |gate: &Gate| meant == gate.name || meant == gate.identifier;
    match gate {
        Some(gate) if is_it(gate) => None,
        Some(gate) => Some(format!(
            "The list says gate {meant}, the server {}: change it there, if the list is right.",
            gate.name
        )),
        None => Some(format!(
            "The list says gate {meant}, the server none: choose it there."
        )),
    }
}

/// What became of the device that was here before, and what to do about it.
fn afterlife(replaced: &Replaced, is_elsewhere: bool) -> String {
    let which = replaced.identity.in_words();
    let what = match replaced.afterlife {
        Afterlife::Active if is_elsewhere => {
            "is that of the machine that this vault was copied from, and stays active there."
        }
        Afterlife::Active => {
            "is still active on its server: revoke it there. The next time, --revoke-old does it."
        }
        Afterlife::ToRevoke => {
            "is not revoked yet: the next gatehand info, update or roll goes on with it."
        }
        Afterlife::Revoked => "is revoked.",
        Afterlife::Unclear => {
            "may be another one than the new one: look at both on their servers, and revoke it there if it is."
        }
        Afterlife::Rejected => {
            "had a key that its server does not accept: if another copy of its vault is in use, that is the device now, so leave it; else revoke it there."
        }
    };
    format!("The device that was here before, {which}, {what}")
}

/// The server, for the progress line of a command.
pub(super) fn server_name(agent: &Agent) -> String {
    let identity = agent.status().ok().and_then(|status| status.identity);
    identity.map_or_else(
        || "the server".to_owned(),
        |Identity { server, .. }| server.origin(),
    )
}
