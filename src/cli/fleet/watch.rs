//! `gatehand fleet watch`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::columns;
use super::list::Filters;
use crate::agent::{AgentError, ErrorKind};
use crate::causes;
use crate::cli::error::CliError;
use crate::cli::{output, table};
use crate::fleet::{FleetDevice, FleetError, Resource, Standing, named};
use crate::wire::timestamp;

/// Show devices as they come in: as a table that is kept up to date, or, where no terminal is, a line for each change.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet watch\n  gatehand fleet watch 'Lane 1' --until-all\n  gatehand fleet watch --gate north --until-all\n  gatehand fleet watch --json | jq -r .device.name"
)]
pub(super) struct Watch {
    /// Numbers, serials or names of the devices; without any, all that the filters leave.
    #[arg(value_name = "DEVICE")]
    devices: Vec<String>,
    #[command(flatten)]
    filters: Filters,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// End as soon as none of them waits for a scanner any more. Without any device that is an error.
    #[arg(long)]
    until_all: bool,
}

/// The last changes that a live table shows above it.
const CHANGES: usize = 5;

/// A change of a device, as a line of JSON.
#[derive(Serialize)]
struct Change {
    #[serde(with = "timestamp")]
    time: Timestamp,
    change: &'static str,
    device: FleetDevice,
}

impl Watch {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let filter = self.filters.filter();
        let is_live = !json && io::stdout().is_terminal();
        let meant = match self.devices.is_empty() {
            true => None,
            false => Some(numbers(&named(resource, &self.devices).await?)),
        };
        let is_meant = |device: &FleetDevice| {
            let number = device.device.device_id;
            meant.as_ref().is_none_or(|meant| meant.contains(&number))
        };
        let mut before: Option<HashMap<u64, FleetDevice>> = None;
        let mut last_changes = VecDeque::new();
        loop {
            let looked: Vec<FleetDevice> = match resource.devices(&filter).await {
                Ok(devices) => devices.into_iter().filter(is_meant).collect(),
                // The first look shows whether it can be done at all; later the network may be gone for a while.
                Err(error) if before.is_some() && may_come_back(&error) => {
                    say_away(&error, is_live)?;
                    tokio::time::sleep(Duration::from_secs(self.every)).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if self.until_all && before.is_none() && looked.is_empty() {
                return Err(CliError::NoneToWaitFor);
            }
            let changes = before.as_ref().map(|before| changes(before, &looked));
            match is_live {
                true => {
                    last_changes.extend(changes.iter().flatten().map(in_words));
                    let shown = last_changes.len().min(CHANGES);
                    last_changes.drain(..last_changes.len() - shown);
                    redraw(&looked, &last_changes)?;
                }
                false => tell(changes.as_deref(), &looked, json)?,
            }
            if self.until_all && !looked.iter().any(FleetDevice::is_awaited) {
                return Ok(());
            }
            let numbered = looked.into_iter();
            let numbered = numbered.map(|device| (device.device.device_id, device.without_token()));
            before = Some(numbered.collect());
            tokio::time::sleep(Duration::from_secs(self.every)).await;
        }
    }
}

fn numbers(devices: &[FleetDevice]) -> HashSet<u64> {
    let numbers = devices.iter().map(|device| device.device.device_id);
    numbers.collect()
}

fn may_come_back(error: &FleetError) -> bool {
    match error {
        FleetError::Call(AgentError::Refused { .. }) => false,
        error => matches!(
            error.kind(),
            Some(ErrorKind::Unreachable | ErrorKind::TimedOut | ErrorKind::ServerFailed)
        ),
    }
}

fn say_away(error: &FleetError, is_live: bool) -> Result<(), CliError> {
    let words = [error.to_string()].into_iter().chain(causes::of(error));
    let words = words.collect::<Vec<_>>().join(": ");
    let words = format!("{}  {words}", now());
    match is_live {
        true => write!(io::stdout().lock(), "{}\x1b[K\r", output::printable(&words))?,
        false => output::say(&words),
    }
    Ok(io::stdout().flush()?)
}

fn now() -> String {
    Timestamp::now().strftime("%H:%M:%S UTC").to_string()
}

/// How many there are of each kind.
fn summary(devices: &[FleetDevice]) -> String {
    let kinds = [
        Standing::Initialized,
        Standing::Waiting,
        Standing::Reconnecting,
        Standing::CodeEnded,
    ];
    let counts = kinds.into_iter().filter_map(|kind| {
        let of = devices.iter().filter(|device| device.standing() == kind);
        let count = of.count();
        // The first two always, the others where there are any.
        let is_told = count > 0 || matches!(kind, Standing::Initialized | Standing::Waiting);
        is_told.then(|| format!("{count} {}", kind.word()))
    });
    let counts: Vec<String> = counts.collect();
    let all = output::counted(devices.len(), "device");
    format!("{}  {all}: {}", now(), counts.join(", "))
}

/// Writes the table over the one before, under what has changed last. What has no room is left out, those that are done
/// first.
fn redraw(devices: &[FleetDevice], changes: &VecDeque<String>) -> Result<(), CliError> {
    let rows = output::rows().unwrap_or(usize::MAX);
    let room = rows.saturating_sub(4 + changes.len()).max(1);
    let mut shown: Vec<FleetDevice> = devices.to_vec();
    shown.sort_by_key(|device| !device.is_awaited());
    let left_out = shown.len().saturating_sub(room);
    shown.truncate(room);
    let columns = output::columns();
    let mut lines = vec![summary(devices)];
    lines.extend(
        changes
            .iter()
            .map(|change| table::cut(change, columns.unwrap_or(usize::MAX))),
    );
    lines.extend(table::lines(
        &columns::HEADER,
        &columns::of(&shown),
        columns,
    ));
    if left_out > 0 {
        lines.push(format!("… and {left_out} more"));
    }
    // From the top of the screen, each line to its end, and all below.
    let mut screen = "\x1b[H".to_owned();
    for line in lines {
        screen += &format!("{line}\x1b[K\n");
    }
    screen += "\x1b[J";
    let mut out = io::stdout().lock();
    out.write_all(screen.as_bytes())?;
    Ok(out.flush()?)
}

/// What has changed since the last look, with the devices as they are now.
fn changes<'d>(
    before: &HashMap<u64, FleetDevice>,
    devices: &'d [FleetDevice],
) -> Vec<(&'d FleetDevice, &'static str)> {
    let changed = devices.iter().filter_map(|device| {
        let change = change(before.get(&device.device.device_id), device)?;
        Some((device, change))
    });
    changed.collect()
}

fn in_words((device, change): &(&FleetDevice, &str)) -> String {
    let hardware = columns::pair(&device.device.hardware_brand, &device.device.hardware_model);
    let words = format!("{}  {}  {change}  {hardware}", now(), device.in_words());
    output::printable(words.trim_end())
}

/// A line for each change since the last look, or at first how all stand.
fn tell(
    changes: Option<&[(&FleetDevice, &'static str)]>,
    devices: &[FleetDevice],
    json: bool,
) -> Result<(), CliError> {
    let Some(changes) = changes else {
        match json {
            true => output::notice(&summary(devices), true),
            false => output::print_line(&summary(devices))?,
        }
        return Ok(io::stdout().flush()?);
    };
    for changed in changes {
        if json {
            let (device, change) = *changed;
            let change = Change {
                time: Timestamp::now(),
                change,
                device: device.clone().without_token(),
            };
            let line = serde_json::to_string(&change).map_err(io::Error::from)?;
            writeln!(io::stdout(), "{}", output::escape(&line))?;
            continue;
        }
        output::print_line(&in_words(changed))?;
    }
    Ok(io::stdout().flush()?)
}

fn change(before: Option<&FleetDevice>, now: &FleetDevice) -> Option<&'static str> {
    let Some(before) = before else {
        return Some("created");
    };
    if before.standing() != now.standing() {
        return Some(now.standing().word());
    }
    if before.device.initialized != now.device.initialized {
        return Some("reconnected");
    }
    let (was, is) = (before.more.gate.as_ref(), now.more.gate.as_ref());
    (was != is).then_some("moved")
}
