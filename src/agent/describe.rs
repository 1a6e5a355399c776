//! What the device tells of itself.

use std::path::Path;

use serde_json::Value;

use crate::facts::{BlankOverride, Diagnostics, Facts, Overrides};
use crate::vault::Folder;
use crate::wire::{DeviceReport, Text};

/// Tells the agent what runs it, each time it needs to know.
pub trait Describe: Send + Sync {
    /// Hardware and operating system.
    fn facts(&self) -> Facts;
    /// Name and version of the program that the device is used with.
    fn software(&self) -> (Text, Text);
    /// Diagnostics of any shape; only asked for when a report is sent.
    fn info(&self) -> Option<Value>;
}

/// A Linux machine that runs gatehand itself and no app on top.
pub struct ThisMachine {
    /// Where the vault is; its file system is looked at.
    pub folder: Folder,
}

impl Describe for ThisMachine {
    fn facts(&self) -> Facts {
        Facts::read(Path::new("/"))
    }

    fn software(&self) -> (Text, Text) {
        (Text::own("gatehand"), Text::own(env!("CARGO_PKG_VERSION")))
    }

    fn info(&self) -> Option<Value> {
        Some(Diagnostics::read(Path::new("/"), self.folder.path()).to_json())
    }
}

/// The report of a device, without diagnostics.
pub(super) fn report(
    device: &dyn Describe,
    overrides: &Overrides,
    rsa_pubkey: Option<String>,
) -> Result<DeviceReport, BlankOverride> {
    let (brand, version) = device.software();
    let facts = device.facts().with(overrides)?;
    Ok(DeviceReport {
        rsa_pubkey,
        ..facts.report(brand, version, None)
    })
}
