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
    /// A number that is another one when facts or software may be others; none if that can't be told without them.
    fn version(&self) -> Option<u64> {
        None
    }
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
    seen: Mutex<Option<Looked>>,
}

/// What was found.
struct Looked {
    at: Instant,
    facts: Facts,
    /// How often something else was found than before.
    version: u64,
}

/// How long what was found is not looked for again.
const HOLDS: Duration = Duration::from_secs(60);

impl From<ThisMachine> for SameMachine {
    fn from(machine: ThisMachine) -> Self {
        let seen = Mutex::default();
        Self { machine, seen }
    }
}

impl SameMachine {
    /// Looks, if it was not looked for a while.
    fn looked<T>(&self, tell: impl FnOnce(&Looked) -> T) -> T {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match seen.take() {
            Some(looked) if looked.at.elapsed() < HOLDS => return tell(seen.insert(looked)),
            before => before,
        };
        let facts = self.machine.facts();
        let version = match &before {
            Some(before) if before.facts == facts => before.version,
            Some(before) => before.version + 1,
            None => 0,
        };
        let at = Instant::now();
        tell(seen.insert(Looked { at, facts, version }))
    }
}

impl Describe for SameMachine {
    fn facts(&self) -> Facts {
        self.looked(|looked| looked.facts.clone())
    }

    fn version(&self) -> Option<u64> {
        Some(self.looked(|looked| looked.version))
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
