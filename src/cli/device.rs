//! What the commands on a device's identity share.

use std::sync::Arc;

use super::connection::ConnectionArguments;
use super::{CliError, output, status};
use crate::agent::{Agent, Identity, ThisMachine};
use crate::vault::Folder;

/// The agent of this device.
pub(super) fn agent(connection: &ConnectionArguments) -> Result<Agent, CliError> {
    let folder = Folder::locate()?;
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
