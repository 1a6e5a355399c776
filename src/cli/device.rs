//! What the commands on a device's identity share.

use std::sync::Arc;

use clap::Args;

use super::connection::ConnectionArguments;
use super::{CliError, output, status};
use crate::agent::{Agent, Identity, ThisMachine};
use crate::vault::Folder;

/// Flattened into every command that gets a key to keep.
#[derive(Args)]
pub(super) struct KeepingArguments {
    /// Do it though the vault is gone at the next boot, as in memory or on a live system.
    #[arg(long, env = "GATEHAND_VOLATILE")]
    volatile: bool,
}

impl KeepingArguments {
    /// The agent of this device.
    pub(super) fn agent(&self, connection: &ConnectionArguments) -> Result<Agent, CliError> {
        let folder = Folder::locate()?;
        let folder = match self.volatile {
            true => folder.volatile_allowed(),
            false => folder,
        };
        agent_in(folder, connection)
    }
}

/// The agent of this device.
pub(super) fn agent(connection: &ConnectionArguments) -> Result<Agent, CliError> {
    agent_in(Folder::locate()?, connection)
}

fn agent_in(folder: Folder, connection: &ConnectionArguments) -> Result<Agent, CliError> {
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    Ok(Agent::new(folder, connection.client()?, Arc::new(describe)))
}

/// Shows who the device is after an operation.
pub(super) fn show(agent: &Agent, heading: &str, json: bool) -> Result<(), CliError> {
    let status = agent.status()?;
    if json {
        return output::print_json(&status::report(&status));
    }
    output::print_heading(heading)?;
    if let Some(identity) = &status.identity {
        output::print_table(&status::rows(identity, &status.vault))?;
    }
    Ok(())
}

/// The server, for the progress line of a command.
pub(super) fn server_name(agent: &Agent) -> String {
    let identity = agent.status().ok().and_then(|status| status.identity);
    identity.map_or_else(
        || "the server".to_owned(),
        |Identity { server, .. }| server.origin(),
    )
}
