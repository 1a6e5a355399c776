//! The options that say what to report instead of what is found.

use clap::Args;

use crate::facts::Overrides;

#[derive(Args)]
#[command(next_help_heading = "What is reported, now and later")]
pub(super) struct OverrideArguments {
    /// Report this manufacturer instead of what is found.
    #[arg(long, value_name = "TEXT")]
    hardware_brand: Option<String>,
    /// Report this model instead of what is found.
    #[arg(long, value_name = "TEXT")]
    hardware_model: Option<String>,
    /// Report this operating system instead of what is found.
    #[arg(long, value_name = "TEXT")]
    os_name: Option<String>,
    /// Report this version of it instead of what is found.
    #[arg(long, value_name = "TEXT")]
    os_version: Option<String>,
}

impl OverrideArguments {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            hardware_brand: self.hardware_brand.clone(),
            hardware_model: self.hardware_model.clone(),
            os_name: self.os_name.clone(),
            os_version: self.os_version.clone(),
        }
    }

    /// What was given before, with what is given now in its place.
    pub(super) fn over(&self, before: Overrides) -> Overrides {
        let now = self.overrides();
        Overrides {
            hardware_brand: now.hardware_brand.or(before.hardware_brand),
            hardware_model: now.hardware_model.or(before.hardware_model),
            os_name: now.os_name.or(before.os_name),
            os_version: now.os_version.or(before.os_version),
        }
    }
}
