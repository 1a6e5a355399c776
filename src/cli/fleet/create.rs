//! `gatehand fleet create`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::handing_out::HandingOut;
use crate::cli::error::CliError;
use crate::cli::{input, output, progress};
use crate::fleet::{Resource, create};
use crate::roster::{self, Events, NamePattern, NewDevice, NumberedError, Usual, numbered};
use crate::wire::SECURITY_PROFILES;

/// Largest table, in bytes.
const TABLE_LIMIT: u64 = 4 * 1024 * 1024;

/// Devices in a table at most.
const DEVICES: usize = 10_000;

const EXAMPLES: &str = "\
Examples:
  gatehand fleet create --count 60 --name 'Lane {:02}' --all-events \\
      --gate north --sheet labels.pdf
  gatehand fleet create --name 'Lane 61' --event museum
  gatehand fleet create --csv lanes.csv --all-events --qr-dir codes

lanes.csv, whose columns but the name may be left out; events are slugs with blanks between, or all:
  name,gate,events,security_profile
  Lane 1,north,museum fair,pretixscan

A name that a device has which is not revoked is left as it is, so that the same command again makes what is
missing, and hands out the codes of all that wait for a scanner. In place of one that was revoked, a new one is made.";

/// Create devices, and hand out their codes.
#[derive(Args)]
#[command(
    after_help = EXAMPLES,
    group(ArgGroup::new("source").required(true)),
    group(ArgGroup::new("access"))
)]
pub(super) struct Create {
    /// How people call it; of several devices with {} for the number, or {:02} for two digits.
    #[arg(long, group = "source", value_name = "NAME")]
    name: Option<NamePattern>,
    /// How many.
    #[arg(long, requires = "name", default_value = "1", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    count: u64,
    /// The number of the first.
    #[arg(long, requires = "name", default_value = "1", value_parser = clap::value_parser!(u64).range(..1_000_000))]
    first: u64,
    /// One for each line of this table (- for standard input).
    #[arg(long, group = "source", value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Give access to all events.
    #[arg(long, group = "access")]
    all_events: bool,
    /// Give access to this event only; may be repeated.
    #[arg(long = "event", value_name = "SLUG", group = "access")]
    events: Vec<String>,
    /// The identifier of the gate they stand at.
    #[arg(long, value_name = "IDENTIFIER")]
    gate: Option<String>,
    /// Which part of the API they may use.
    #[arg(long, default_value = "full", value_parser = SECURITY_PROFILES)]
    security_profile: String,
    #[command(flatten)]
    handing_out: HandingOut,
}

impl Create {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let new = self.new_devices()?;
        let prepared = self.handing_out.prepare(resource)?;
        let what = format!("creating {}", output::counted(new.len(), "device"));
        let outcomes = progress::shown(&what, create(resource, new)).await?;
        prepared.hand_out(outcomes, json)
    }

    fn new_devices(&self) -> Result<Vec<NewDevice>, CliError> {
        let events = match self.events.is_empty() {
            true => self.all_events.then_some(Events::All),
            false => Some(Events::Only(self.events.clone())),
        };
        let usual = Usual {
            events,
            security_profile: self.security_profile.clone(),
            gate: self.gate.clone(),
        };
        if let Some(path) = &self.csv {
            let table = input::read_file(path, TABLE_LIMIT)?;
            return roster::read(&table, &usual, DEVICES).map_err(|source| CliError::Roster {
                name: input::name(path),
                source,
            });
        }
        let pattern = self.name.as_ref().ok_or(CliError::NoInput)?;
        let numbers = self.first..self.first + self.count;
        numbered(pattern, numbers, usual).map_err(|error| match error {
            NumberedError::SameNames => CliError::SameNames,
            NumberedError::NoEvents => CliError::NoEvents,
            NumberedError::Name(_) => CliError::NoName,
        })
    }
}
