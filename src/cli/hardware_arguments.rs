//! The options that say what tells this machine from one that its disk was copied to.

use std::path::Path;

use clap::{Args, ValueEnum};

use crate::agent::{CopiedCard, OwnHardware};
use crate::facts::hardware_ids;
use crate::vault::Folder;

#[derive(Args)]
#[command(next_help_heading = "Copied cards")]
pub(super) struct HardwareArguments {
    /// What to do where the vault was copied from another machine.
    #[arg(
        long,
        value_name = "WHAT",
        env = "GATEHAND_COPIED_CARD",
        default_value = "warn"
    )]
    copied_card: Choice,
    /// What tells this machine from others, instead of the serial numbers that are found.
    #[arg(long, value_name = "ID", env = "GATEHAND_HARDWARE_ID")]
    hardware_id: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    /// Nothing.
    Off,
    /// Tell it.
    Warn,
    /// Tell it, and make no call.
    Refuse,
}

impl HardwareArguments {
    /// This machine, whose vault is in `folder`.
    pub(super) fn own(&self, folder: &Folder) -> OwnHardware {
        OwnHardware {
            ids: hardware_ids(Path::new("/"), folder.path(), self.hardware_id.as_deref()),
            copied_card: match self.copied_card {
                Choice::Off => CopiedCard::Off,
                Choice::Warn => CopiedCard::Warn,
                Choice::Refuse => CopiedCard::Refuse,
            },
        }
    }
}
