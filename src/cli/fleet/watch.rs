//! `gatehand fleet watch`.

use std::collections::HashMap;
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
use crate::fleet::{FleetDevice, FleetError, Resource, Standing};
use crate::wire::timestamp;

/// Show devices as they come in: as a table that is kept up to date, or, where no terminal is, a line for each change.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet watch\n  gatehand fleet watch --gate north --until-all\n  gatehand fleet watch --json | jq -r .device.name"
)]
pub(super) struct Watch {
    #[command(flatten)]
    filters: Filters,
    /// Seconds between two looks.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    /// End as soon as none of them waits for a scanner any more.
    #[arg(long)]
    until_all: bool,
}

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
        let mut before: Option<HashMap<u64, FleetDevice>> = None;
        loop {
            let looked = match resource.devices(&filter).await {
                Ok(devices) => devices,
                // The first look shows whether it can be done at all; later the network may be gone for a while.
                Err(error) if before.is_some() && may_come_back(&error) => {
                    say_away(&error, is_live)?;
                    tokio::time::sleep(Duration::from_secs(self.every)).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match is_live {
                true => redraw(&looked)?,
                false => tell(before.as_ref(), &looked, json)?,
            }
            let waits = |device: &FleetDevice| device.standing() == Standing::Waiting;
            if self.until_all && !looked.iter().any(waits) {
                return Ok(());
            }
            let numbered = looked.into_iter();
            let numbered = numbered.map(|device| (device.device.device_id, device.without_token()));
            before = Some(numbered.collect());
            tokio::time::sleep(Duration::from_secs(self.every)).await;
        }
    }
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
    let count = |standing| {
        let of = devices
            .iter()
            .filter(|device| device.standing() == standing);
        of.count()
    };
    format!(
        "{}  {} devices: {} initialized, {} waiting",
        now(),
        devices.len(),
        count(Standing::Initialized),
        count(Standing::Waiting)
    )
}

/// Writes the table over the one before. What has no room is left out, those that are done first.
fn redraw(devices: &[FleetDevice]) -> Result<(), CliError> {
    let rows = output::rows().unwrap_or(usize::MAX);
    let room = rows.saturating_sub(4).max(1);
    let mut shown: Vec<FleetDevice> = devices.to_vec();
    shown.sort_by_key(|device| device.standing() != Standing::Waiting);
    let left_out = shown.len().saturating_sub(room);
    shown.truncate(room);
    let (header, cells) = columns::of(&shown);
    let mut lines = vec![summary(devices)];
    lines.extend(table::lines(&header, &cells, output::columns()));
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

/// A line for each change since the last look.
fn tell(
    before: Option<&HashMap<u64, FleetDevice>>,
    devices: &[FleetDevice],
    json: bool,
) -> Result<(), CliError> {
    let Some(before) = before else {
        match json {
            true => output::notice(&summary(devices), true),
            false => output::print_line(&summary(devices))?,
        }
        return Ok(io::stdout().flush()?);
    };
    for device in devices {
        let Some(change) = change(before.get(&device.device.device_id), device) else {
            continue;
        };
        if json {
            let change = Change {
                time: Timestamp::now(),
                change,
                device: device.clone().without_token(),
            };
            let line = serde_json::to_string(&change).map_err(io::Error::from)?;
            writeln!(io::stdout(), "{}", output::escape(&line))?;
            continue;
        }
        let hardware = columns::pair(&device.device.hardware_brand, &device.device.hardware_model);
        let words = format!("{}  {}  {change}  {hardware}", now(), device.in_words());
        output::print_line(words.trim_end())?;
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
