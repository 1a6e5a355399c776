//! What the device tells of itself.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// The same for an agent that makes many calls: looks at most once a minute, as it takes dozens of files.
pub struct SameMachine {
    machine: ThisMachine,
    seen: Mutex<Option<(Instant, Facts)>>,
}

/// How long what was found is not looked for again.
const HOLDS: Duration = Duration::from_secs(60);

impl From<ThisMachine> for SameMachine {
    fn from(machine: ThisMachine) -> Self {
        let seen = Mutex::default();
        Self { machine, seen }
    }
}

impl Describe for SameMachine {
    fn facts(&self) -> Facts {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match &*seen {
            Some((at, facts)) if at.elapsed() < HOLDS => facts.clone(),
            _ => {
                let facts = self.machine.facts();
                *seen = Some((Instant::now(), facts.clone()));
                facts
            }
        }
    }

    fn software(&self) -> (Text, Text) {
        self.machine.software()
    }

    fn info(&self) -> Option<Value> {
        self.machine.info()
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
