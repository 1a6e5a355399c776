//! `gatehand admin device`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;

use super::desk::Desk;
use crate::cli::code_file::CodeFile;
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output;
use crate::cli::program_name::ProgramName;
use crate::enrolment::Enrolment;
use crate::secret::{self, Secret};
use crate::server::PublicUrl;
use crate::server::model::{DeviceChange, NewDevice};
use crate::server::store::PlacedDevice;
use crate::wire::{Device, SECURITY_PROFILES};

const EXAMPLES: &str = "\
Examples:
  gatehand admin device create bigevents --name 'Lane 1' --all-events \\
      --public-url https://tickets.example
  gatehand admin device create bigevents --name 'Lane 2' --event museum \\
      --event fair --gate north --security-profile pretixscan --json";

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the devices of an organizer.
    #[command(after_help = "Examples:\n  gatehand admin device list bigevents")]
    List {
        /// Slug of the organizer.
        organizer: String,
    },
    /// Create a device and show what a scanner enrols with.
    #[command(
        after_help = "Examples:\n  gatehand admin device create bigevents --name 'Lane 1' --all-events \\\n      --public-url https://tickets.example"
    )]
    Create(Create),
    /// Show again what a scanner enrols with.
    #[command(
        after_help = "Examples:\n  gatehand admin device show bigevents 1 \\\n      --public-url https://tickets.example"
    )]
    Show {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
        #[command(flatten)]
        handing_out: HandingOut,
    },
    /// Give a device another name.
    #[command(after_help = "Examples:\n  gatehand admin device rename bigevents 1 'Lane 2'")]
    Rename {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
        /// Its new name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Put a device at a gate.
    #[command(after_help = "Examples:\n  gatehand admin device move bigevents 1 north")]
    Move {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
        /// The gate's identifier; without, the device is at no gate.
        gate: Option<String>,
    },
    /// Make a new code for a device that waits for a scanner; the one before is good for nothing then.
    #[command(
        after_help = "Examples:\n  gatehand admin device new-code bigevents 1 \\\n      --public-url https://tickets.example"
    )]
    NewCode {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
        #[command(flatten)]
        handing_out: HandingOut,
    },
    /// Show what was done to a device, and by whom.
    #[command(after_help = "Examples:\n  gatehand admin device log bigevents 1")]
    Log {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
    },
    /// End a device's access for good.
    #[command(after_help = "Examples:\n  gatehand admin device revoke bigevents 1")]
    Revoke {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
    },
}

#[derive(Args)]
#[group(skip)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("access").required(true)))]
pub(super) struct Create {
    /// Slug of the organizer.
    organizer: String,
    /// How people call it.
    #[arg(long, value_parser = text)]
    name: String,
    /// Give it access to all events.
    #[arg(long, group = "access")]
    all_events: bool,
    /// Give it access to this event only; may be repeated.
    #[arg(long = "event", value_name = "SLUG", group = "access")]
    events: Vec<String>,
    /// The identifier of the gate it stands at.
    #[arg(long)]
    gate: Option<String>,
    /// Which part of the API it may use.
    #[arg(long, default_value = "full", value_parser = SECURITY_PROFILES)]
    security_profile: String,
    #[command(flatten)]
    handing_out: HandingOut,
}

/// How to hand the initialization token out.
#[derive(Args)]
pub(super) struct HandingOut {
    /// The server's address as scanners reach it; with it a QR code is shown.
    #[arg(long, value_name = "URL", env = "GATEHAND_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// Write the QR code to this PNG file.
    #[arg(long, value_name = "FILE", requires = "public_url")]
    qr_image: Option<PathBuf>,
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        match self {
            Self::List { organizer } => {
                let devices = desk
                    .store
                    .placed_devices(desk.organizer(&organizer).await?)
                    .await?;
                desk.list(&devices, COLUMNS, columns)
            }
            Self::Create(create) => create.run(desk).await,
            Self::Show {
                organizer,
                device,
                handing_out,
            } => {
                let organizer = desk.organizer(&organizer).await?;
                let found = placed(desk, organizer, device).await?;
                let picture = handing_out.prepare()?;
                handing_out.hand_out(picture, found, desk.json)
            }
            Self::NewCode {
                organizer,
                device,
                handing_out,
            } => {
                let organizer = desk.organizer(&organizer).await?;
                let picture = handing_out.prepare()?;
                desk.store.renew_token(organizer, device).await?;
                let words = format!("Device {device} has a new code.");
                let told = match placed(desk, organizer, device).await {
                    Ok(found) => handing_out.hand_out(picture, found, desk.json),
                    Err(error) => Err(error),
                };
                output::has_told(told, &words)
            }
            Self::Rename {
                organizer,
                device,
                name,
            } => {
                let organizer = desk.organizer(&organizer).await?;
                let words = format!("Device {device} is called {name} now.");
                let change = DeviceChange {
                    name: Some(name),
                    ..DeviceChange::default()
                };
                desk.store.edit_device(organizer, device, change).await?;
                desk.done(&words, placed(desk, organizer, device)).await
            }
            Self::Move {
                organizer,
                device,
                gate,
            } => {
                let organizer = desk.organizer(&organizer).await?;
                let words = match &gate {
                    Some(gate) => format!("Device {device} is at the gate {gate} now."),
                    None => format!("Device {device} is at no gate now."),
                };
                let change = DeviceChange {
                    gate: Some(gate),
                    ..DeviceChange::default()
                };
                desk.store.edit_device(organizer, device, change).await?;
                desk.done(&words, placed(desk, organizer, device)).await
            }
            Self::Log { organizer, device } => {
                let organizer = desk.organizer(&organizer).await?;
                let entries = desk.store.device_log(organizer, device).await?;
                desk.list(&entries, ["TIME", "ACTION", "BY", "WHAT"], |entry| {
                    let by = match &entry.token {
                        Some(token) => format!("{} ({token})", entry.actor),
                        None => entry.actor.clone(),
                    };
                    [
                        output::time(entry.created),
                        entry.action.clone(),
                        by,
                        entry.data.to_string(),
                    ]
                })
            }
            Self::Revoke { organizer, device } => {
                let organizer = desk.organizer(&organizer).await?;
                desk.store.revoke_device(organizer, device).await?;
                let words = format!("Device {device} has no access any more.");
                desk.done(&words, placed(desk, organizer, device)).await
            }
        }
    }
}

impl Create {
    async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let organizer = desk.organizer(&self.organizer).await?;
        let new = NewDevice {
            name: self.name,
            all_events: self.all_events,
            limit_events: self.events,
            security_profile: self.security_profile,
            gate: self.gate,
        };
        let picture = self.handing_out.prepare()?;
        let device = desk.store.add_device(organizer, new).await?;
        let number = device.device_id;
        let words = format!(
            "Device {number} was created; to show it again: {} admin device show {} {number}",
            ProgramName::of_this_process().typed(),
            self.organizer
        );
        let drawn = self.handing_out.draw(picture, &device);
        let told = match desk.json {
            true => match placed(desk, organizer, number).await {
                Ok(placed) => self.handing_out.print_json(placed),
                Err(error) => Err(error),
            },
            false => self.handing_out.print(&device),
        };
        output::has_told(told, &words)?;
        output::has_told(drawn, &words)
    }
}

impl HandingOut {
    /// Opens the file for the picture, before there is a device to hand out. All else that it takes
    /// can't fail: the code of any address has room.
    fn prepare(&self) -> Result<Option<CodeFile>, CliError> {
        if let Some(warning) = self.public_url.as_ref().and_then(PublicUrl::warning) {
            tracing::warn!("{warning}");
        }
        self.qr_image.as_deref().map(CodeFile::open).transpose()
    }

    fn draw(&self, picture: Option<CodeFile>, device: &Device) -> Result<(), CliError> {
        match (picture, self.enrolment(device)?) {
            (Some(picture), Some(enrolment)) => picture.draw(&enrolment),
            _ => Ok(()),
        }
    }

    fn hand_out(
        &self,
        picture: Option<CodeFile>,
        found: PlacedDevice,
        json: bool,
    ) -> Result<(), CliError> {
        self.draw(picture, &found.device)?;
        match json {
            true => self.print_json(found),
            false => self.print(&found.device),
        }
    }

    /// Shows the device with its token, and its QR code where the server's address is known.
    fn print(&self, device: &Device) -> Result<(), CliError> {
        let name = output::printable(&device.name);
        output::print_line(&format!("Device {}: {name}", device.device_id))?;
        if device.revoked || device.initialized.is_some() {
            let state = if device.revoked {
                "revoked"
            } else {
                "initialized already"
            };
            return output::print_line(&format!(
                "It is {state}, so that its code is of no use: to hand out another scanner, create a device."
            ));
        }
        let Some(token) = &device.initialization_token else {
            return output::print_line(&format!(
                "Its code was ended when a backup was restored: {} admin device new-code makes another one.",
                ProgramName::of_this_process().typed()
            ));
        };
        output::print_line(&format!("Initialization token: {}", token.expose()))?;
        if let Some(enrolment) = self.enrolment(device)? {
            // Wholly, however long the address is.
            output::print_text(&format!("Link: {}", enrolment.to_link().expose()))?;
            output::print_qr(&enrolment)?;
        } else {
            output::say("For its link and QR code add --public-url with the server's address.");
        }
        Ok(())
    }

    /// The same for scripts.
    fn print_json(&self, placed: PlacedDevice) -> Result<(), CliError> {
        let enrolment = self.enrolment(&placed.device)?;
        output::print_json(&HandedOut {
            link: enrolment.as_ref().map(Enrolment::to_link),
            payload: enrolment.as_ref().map(Enrolment::to_payload),
            placed,
        })
    }

    fn enrolment(&self, device: &Device) -> Result<Option<Enrolment>, CliError> {
        match (&self.public_url, &device.initialization_token) {
            (Some(url), Some(token)) if !device.revoked && device.initialized.is_none() => Ok(
                Some(Enrolment::new(url.server_url().clone(), token.clone())?),
            ),
            _ => Ok(None),
        }
    }
}

/// A device with what a scanner enrols with, which is null where the server's address is not known
/// or the token is of no use.
#[derive(Serialize)]
struct HandedOut {
    #[serde(flatten)]
    placed: PlacedDevice,
    #[serde(serialize_with = "secret::expose_option")]
    link: Option<Secret>,
    #[serde(serialize_with = "secret::expose_option")]
    payload: Option<Secret>,
}

async fn placed(desk: &Desk<'_>, organizer: i64, number: u64) -> Result<PlacedDevice, CliError> {
    let found = desk.store.placed_device(organizer, number).await?;
    found.ok_or(CliError::NoDevice { device: number })
}

/// The columns a list of devices has for people, also in the demo.
pub(in crate::cli) const COLUMNS: [&str; 7] = [
    "ID", "NAME", "SERIAL", "STATE", "HARDWARE", "SYSTEM", "SOFTWARE",
];

fn columns(placed: &PlacedDevice) -> [String; 7] {
    row(&placed.device)
}

/// One device in these columns.
pub(in crate::cli) fn row(device: &Device) -> [String; 7] {
    let state = match (device.revoked, device.initialized) {
        (true, _) => "revoked",
        (false, Some(_)) => "initialized",
        (false, None) if device.initialization_token.is_none() => "no code",
        (false, None) => "waiting",
    };
    let pair = |first: &Option<String>, second: &Option<String>| {
        [first, second]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    [
        device.device_id.to_string(),
        device.name.clone(),
        device.unique_serial.clone(),
        state.to_owned(),
        pair(&device.hardware_brand, &device.hardware_model),
        pair(&device.os_name, &device.os_version),
        pair(&device.software_brand, &device.software_version),
    ]
}
