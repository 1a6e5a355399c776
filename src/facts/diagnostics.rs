//! How the device is doing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sysinfo::{Components, DiskRefreshKind, Disks, MemoryRefreshKind, System};

use super::power::{Battery, Power};
use super::{celsius, kernel};
use crate::wire::Text;

/// How the device is doing: the `info` of its report. What can't be had is left out.
///
/// ```json
/// {
///   "architecture": "x86_64",
///   "kernel_version": "6.1.0-37-amd64",
///   "uptime_seconds": 86400,
///   "memory": {"total_bytes": 8254390272, "available_bytes": 5872025600},
///   "disk": {"total_bytes": 250375106560, "available_bytes": 187904819200},
///   "load": {"one": 0.52, "five": 0.48, "fifteen": 0.41},
///   "temperature_celsius": 47.5,
///   "battery": {"percent": 87, "status": "discharging", "health": "Good",
///               "temperature_celsius": 29.1, "technology": "Li-ion"},
///   "mains_online": false
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnostics {
    /// The kernel's architecture, as `aarch64`.
    pub architecture: Text,
    /// Version of the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_version: Option<Text>,
    /// Time since the device was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// Main memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// The file system that holds the vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// Processes that run or wait to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// The hottest sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<f64>,
    /// The battery that runs the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub battery: Option<Battery>,
    /// Whether mains, USB or another supply from outside is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mains_online: Option<bool>,
}

/// Main memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All there is.
    pub total_bytes: u64,
    /// What programs can still get without swapping.
    pub available_bytes: u64,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// Its size.
    pub total_bytes: u64,
    /// What users other than root can still write.
    pub available_bytes: u64,
}

/// Mean number of processes that run or wait to run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
}

impl Diagnostics {
    /// Looks at the device now. `folder`, which need not exist yet, tells the file system to look at.
    ///
    /// Power and kernel are read below `root`; all else is always that of the running system.
    /// Blocks for some file reads.
    pub fn read(root: &Path, folder: &Path) -> Self {
        let power = Power::read(root);
        Self {
            architecture: kernel::architecture(root),
            kernel_version: kernel::version(root),
            uptime_seconds: System::uptime().ok(),
            memory: memory(),
            disk: disk(folder),
            load: load(),
            temperature_celsius: temperature(),
            battery: power.battery,
            mains_online: power.mains_online,
        }
    }

    /// The same as JSON.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

fn memory() -> Option<Memory> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    (system.total_memory() > 0).then(|| Memory {
        total_bytes: system.total_memory(),
        available_bytes: system.available_memory(),
    })
}

fn disk(folder: &Path) -> Option<Disk> {
    let folder = std::path::absolute(folder).ok()?;
    let mut existing = folder
        .ancestors()
        .filter_map(|path| fs::metadata(path).ok());
    let device = existing.next()?.dev();
    // Asking only the one disk spares waiting for others, such as a sleeping drive.
    let mut disks = Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing()).ok()?;
    let disk = disks.iter_mut().find(|disk| disk.id() == Some(device))?;
    disk.refresh_specifics(DiskRefreshKind::nothing().with_storage());
    (disk.total_space() > 0).then(|| Disk {
        total_bytes: disk.total_space(),
        available_bytes: disk.available_space(),
    })
}

fn load() -> Option<Load> {
    let load = System::load_average().ok()?;
    Some(Load {
        one: load.one,
        five: load.five,
        fifteen: load.fifteen,
    })
}

fn temperature() -> Option<f64> {
    Components::new_with_refreshed_list()
        .ok()?
        .iter()
        .filter_map(|component| celsius::plausible(component.temperature()?.into()))
        .max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_a_folder_that_is_not_there_yet_is_that_of_its_parent() {
        let root = disk(Path::new("/"));
        assert!(root.is_some_and(|disk| disk.total_bytes >= disk.available_bytes));
        assert_eq!(
            disk(Path::new("/no/such/folder")).map(|disk| disk.total_bytes),
            disk(Path::new("/")).map(|disk| disk.total_bytes)
        );
    }
}
