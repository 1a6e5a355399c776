//! Which devices a command is for, and whether it is meant.

use std::io::{self, IsTerminal};

use clap::{ArgGroup, Args};

use crate::cli::error::CliError;
use crate::cli::{input, output};
use crate::fleet::{Effect, Filter, FleetDevice, Outcome, Resource, named};

/// Flattened into every command that changes devices.
#[derive(Args)]
#[command(group(ArgGroup::new("chosen").required(true)))]
pub(super) struct Chosen {
    /// Numbers, serials or names of the devices.
    #[arg(value_name = "DEVICE", group = "chosen")]
    devices: Vec<String>,
    /// In place of them, those that are all of this, as gate=north,initialized=no; gate= is at no gate. It is shown which they are, and
    /// asked, before anything is done. Revoked ones are left out unless it says revoked=yes. Names: search, revoked, initialized, gate, software_brand,
    /// software_version, last_seen_before.
    #[arg(
        long,
        value_name = "FILTER",
        group = "chosen",
        conflicts_with = "devices"
    )]
    all_matching: Option<Filter>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Chosen {
    /// The devices that are meant.
    pub(super) async fn devices(&self, resource: &Resource) -> Result<Vec<FleetDevice>, CliError> {
        match &self.all_matching {
            Some(filter) => {
                let mut filter = filter.clone();
                filter.revoked.get_or_insert(false);
                Ok(resource.devices(&filter).await?)
            }
            None => Ok(named(resource, &self.devices).await?),
        }
    }

    /// Whether it was said that nobody is to be asked.
    pub(super) fn is_sure(&self) -> bool {
        self.yes
    }

    /// How many were named, where they were.
    pub(super) fn is_one(&self) -> bool {
        self.devices.len() == 1
    }

    /// Whether to go on. What is done to devices that a filter has found, or can't be taken back, is shown and asked
    /// before; `verb` says what, as `Revoke`, and `tell` tells of each device what would become of it.
    pub(super) fn confirm(
        &self,
        verb: &str,
        devices: &[FleetDevice],
        would: impl Fn(&FleetDevice) -> bool,
        is_final: bool,
        tell: impl Fn(&[Outcome]) -> Result<(), CliError>,
    ) -> Result<bool, CliError> {
        let wanting: Vec<&FleetDevice> = devices.iter().filter(|device| would(device)).collect();
        let is_to_be_asked = is_final || self.all_matching.is_some();
        if !self.dry_run && (self.yes || !is_to_be_asked || wanting.is_empty()) {
            return Ok(true);
        }
        let is_asked = !self.dry_run && io::stdin().is_terminal();
        if self.dry_run || !is_asked {
            let outcomes: Vec<Outcome> = devices
                .iter()
                .map(|device| {
                    let effect = match (would(device), self.dry_run) {
                        (true, true) => Effect::Would,
                        (true, false) => Effect::NotTried,
                        (false, _) => Effect::Left,
                    };
                    Outcome::of(device.clone(), effect)
                })
                .collect();
            tell(&outcomes)?;
            return match self.dry_run {
                true => Ok(false),
                false => Err(CliError::NotConfirmed),
            };
        }
        for device in &wanting {
            output::say(&format!("  {}", device.in_words()));
        }
        let question = match wanting.as_slice() {
            [one] => format!("{verb} device {}? Type yes: ", one.in_words()),
            several => format!("{verb} these {} devices? Type yes: ", several.len()),
        };
        match input::ask_for(&output::printable(&question)) {
            Ok(answer) if ["y", "yes"].contains(&answer.to_lowercase().as_str()) => Ok(true),
            Ok(_) | Err(CliError::NoInput) => Err(CliError::NotConfirmed),
            Err(error) => Err(error),
        }
    }
}
