//! What this device is (hardware, operating system) and how it is doing.
//!
//! [`Facts`] name the device to people: they go into `initialize` and `update` beside its
//! [`Diagnostics`], the `info` of those calls. The readers take a root folder, `/` in production,
//! so that tests run them on recorded trees. What can't be read is left out; nothing here fails.

mod bounded;
mod celsius;
mod device_tree;
mod diagnostics;
mod dmi;
mod fallback;
mod getprop;
#[cfg(feature = "cli")]
mod hardware_ids;
mod kernel;
mod os_release;
mod overrides;
mod power;
mod serial;
mod source;

use std::path::Path;

use serde_json::Value;

use overrides::given;
use source::Hardware;

use crate::wire::{DeviceReport, Text};

pub use diagnostics::{Diagnostics, Disk, Load, Memory};
#[cfg(feature = "cli")]
pub use hardware_ids::{HardwareId, HardwareSource, hardware_file, hardware_ids};
pub use overrides::{BlankOverride, Overrides};
pub use power::{Battery, BatteryStatus};
pub use serial::hardware_serial;

/// What this device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Manufacturer, as `Zebra`; `Unknown` if nothing tells.
    pub hardware_brand: Text,
    /// Model, as `TC25`; a description like `Virtual machine (AMD EPYC, x86_64)` if nothing tells.
    pub hardware_model: Text,
    /// Operating system, as `Debian GNU/Linux`.
    pub os_name: Option<Text>,
    /// Version of the operating system, as `12.11`.
    pub os_version: Option<Text>,
}

impl Facts {
    /// Reads the facts below `root`: on Android from the `getprop` program, elsewhere the hardware
    /// from DMI, else the device tree, else a description of the processor; the operating system
    /// from `os-release`, else the kernel's own name.
    ///
    /// Blocks: for some file reads, on Android for as long as `getprop` takes, 3 seconds at most.
    pub fn read(root: &Path) -> Self {
        let (hardware, os) = match getprop::read(root) {
            Some((hardware, os)) => (hardware, Some(os)),
            None => (
                hardware(root),
                os_release::read(root).or_else(|| kernel::read(root)),
            ),
        };
        let (os_name, os_version) = match os {
            Some(os) => (Some(os.name), os.version),
            None => (None, None),
        };
        Self {
            hardware_brand: hardware.brand.unwrap_or_else(|| Text::own("Unknown")),
            hardware_model: hardware
                .model
                .unwrap_or_else(|| Text::own(&fallback::describe(root))),
            os_name,
            os_version,
        }
    }

    /// These facts with `overrides` in place of what was found.
    pub fn with(self, overrides: &Overrides) -> Result<Self, BlankOverride> {
        let brand = given("hardware brand", &overrides.hardware_brand)?;
        let model = given("hardware model", &overrides.hardware_model)?;
        let os_name = given("name of the operating system", &overrides.os_name)?;
        let os_version = given("version of the operating system", &overrides.os_version)?;
        Ok(Self {
            hardware_brand: brand.unwrap_or(self.hardware_brand),
            hardware_model: model.unwrap_or(self.hardware_model),
            os_name: os_name.or(self.os_name),
            os_version: os_version.or(self.os_version),
        })
    }

    /// The report that a device sends of itself, without an RSA key. `info` is usually
    /// [`Diagnostics::to_json`].
    pub fn report(
        &self,
        software_brand: Text,
        software_version: Text,
        info: Option<Value>,
    ) -> DeviceReport {
        DeviceReport {
            hardware_brand: self.hardware_brand.clone(),
            hardware_model: self.hardware_model.clone(),
            os_name: self.os_name.clone(),
            os_version: self.os_version.clone(),
            software_brand,
            software_version,
            info,
            rsa_pubkey: None,
        }
    }
}

/// A source that tells no model is passed over, unless no other tells more.
fn hardware(root: &Path) -> Hardware {
    let dmi = dmi::read(root);
    match dmi.model {
        Some(_) => dmi,
        None => device_tree::read(root).unwrap_or(dmi),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            hardware_brand: Text::own("Zebra"),
            hardware_model: Text::own("TC25"),
            os_name: None,
            os_version: Some(Text::own("8.1.0")),
        }
    }

    #[test]
    fn an_override_replaces_only_its_own_field_and_is_cut_to_fit() {
        let overrides = Overrides {
            hardware_model: Some("  Gate 3 ".to_owned()),
            os_name: Some("ü".repeat(300)),
            ..Overrides::default()
        };
        let expected = Facts {
            hardware_model: Text::own("Gate 3"),
            os_name: Some(Text::own(&"ü".repeat(190))),
            ..facts()
        };
        assert_eq!(facts().with(&overrides), Ok(expected));
        assert_eq!(facts().with(&Overrides::default()), Ok(facts()));
    }

    #[test]
    fn a_blank_override_is_named() {
        let overrides = Overrides {
            os_version: Some(" \n".to_owned()),
            ..Overrides::default()
        };
        assert_eq!(
            facts().with(&overrides).unwrap_err().to_string(),
            "the version of the operating system to report is blank: \
             give a text, or leave it out to report what was found"
        );
    }

    #[test]
    fn the_report_carries_facts_software_and_info() {
        let info = serde_json::json!({"uptime_seconds": 5});
        let report = facts().report(Text::own("gatehand"), Text::own("1"), Some(info));
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            serde_json::json!({
                "hardware_brand": "Zebra", "hardware_model": "TC25", "os_version": "8.1.0",
                "software_brand": "gatehand", "software_version": "1",
                "info": {"uptime_seconds": 5},
            })
        );
    }
}
