//! `gatehand fleet show`.

use clap::Args;

use super::columns;
use super::handing_out::HandingOut;
use crate::cli::error::CliError;
use crate::cli::program_name::ProgramName;
use crate::cli::{output, progress};
use crate::fleet::{Effect, FleetDevice, Outcome, Resource, Standing, named};

/// Show devices, and the codes of those that wait for a scanner.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  gatehand fleet show 7\n  gatehand fleet show 7 8 9 --sheet labels.pdf --paper 62x29"
)]
pub(super) struct Show {
    /// Numbers, serials or names of the devices.
    #[arg(value_name = "DEVICE", required = true)]
    devices: Vec<String>,
    #[command(flatten)]
    handing_out: HandingOut,
}

impl Show {
    pub(super) async fn run(self, resource: &Resource, json: bool) -> Result<(), CliError> {
        let what = format!("asking {}", resource.server());
        let devices = progress::shown(&what, named(resource, &self.devices)).await?;
        let prepared = self.handing_out.prepare(resource)?;
        if !json {
            for device in &devices {
                print(device)?;
            }
            say_why_without_code(&devices);
        }
        let outcomes = devices.into_iter();
        let outcomes = outcomes.map(|device| Outcome::of(device, Effect::Left));
        prepared.show(outcomes.collect(), json)
    }
}

/// What to do about devices that have no code to show though a scanner is to come.
fn say_why_without_code(devices: &[FleetDevice]) {
    let ended = devices
        .iter()
        .filter(|device| device.standing() == Standing::CodeEnded);
    let ended: Vec<String> = ended
        .map(|device| device.device.device_id.to_string())
        .collect();
    if !ended.is_empty() {
        output::say(&format!(
            "A code that was ended is of no use: {} fleet reconnect {} makes another.",
            ProgramName::of_this_process().typed(),
            ended.join(" ")
        ));
    }
    let is_hidden = |device: &FleetDevice| {
        device.device.initialization_token.is_none()
            && matches!(
                device.standing(),
                Standing::Waiting | Standing::Reconnecting
            )
    };
    if devices.iter().any(is_hidden) {
        output::say(
            "The server shows this token no codes: its team needs the permission organizer.devices:write.",
        );
    }
}

fn print(device: &FleetDevice) -> Result<(), CliError> {
    let plain = &device.device;
    let events = match plain.all_events {
        true => "all".to_owned(),
        false => plain.limit_events.join(", "),
    };
    let mut rows = vec![
        ("Device", device.in_words()),
        ("State", device.standing().word().to_owned()),
    ];
    if let Some(gate) = &device.more.gate {
        let gate = gate.as_ref().map_or("none".to_owned(), |gate| {
            format!("{} ({})", gate.name, gate.identifier)
        });
        rows.push(("Gate", gate));
    }
    rows.push(("Events", events));
    rows.push(("Security profile", plain.security_profile.clone()));
    rows.push(("Serial", plain.unique_serial.clone()));
    rows.push(("Created", output::time(plain.created)));
    if let Some(time) = plain.initialized {
        rows.push(("Initialized", output::time(time)));
    }
    if let Some(seen) = columns::last_seen(device) {
        rows.push(("Last seen", seen));
    }
    if plain.initialized.is_some() {
        let hardware = columns::pair(&plain.hardware_brand, &plain.hardware_model);
        rows.push(("Hardware", hardware));
        rows.push(("System", columns::pair(&plain.os_name, &plain.os_version)));
        let software = columns::pair(&plain.software_brand, &plain.software_version);
        rows.push(("Software", software));
    }
    output::print_table(&rows)
}
