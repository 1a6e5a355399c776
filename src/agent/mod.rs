//! The operations on a device's identity: what an app, the command line or a bridge asks for.
//!
//! The agent keeps all state in the [vault](crate::vault). An operation that changes the identity is
//! written down there before anything is sent, and is finished there with the server's answer.

mod answer;
mod client;
mod clock;
mod error;
mod identity;
mod initialize;
mod operation;
mod status;

use serde_json::Value;

use crate::facts::Facts;
use crate::vault::Folder;
use crate::wire::{DeviceReport, Text};

pub use answer::ForeignAnswer;
pub use client::{App, Client, ClientConfig, ClientError, SendError};
pub use error::AgentError;
pub use identity::Identity;
pub use initialize::{InitializeOptions, Initialized};
pub use status::Status;

/// The agent of one device.
pub struct Agent {
    folder: Folder,
    client: Client,
}

impl Agent {
    /// The agent whose vault is in `folder`.
    pub fn new(folder: Folder, client: Client) -> Self {
        Self { folder, client }
    }
}

/// What a device reports that runs gatehand itself and no app on top.
pub fn report(facts: &Facts, info: Option<Value>) -> DeviceReport {
    facts.report(
        Text::own("gatehand"),
        Text::own(env!("CARGO_PKG_VERSION")),
        info,
    )
}
