//! `gatehand admin device`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;

use super::desk::Desk;
use crate::cli::code_file::CodeFile;
use crate::cli::device_log;
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output;
use crate::cli::program_name::ProgramName;
use crate::cli::table::{Column, whole, words};
use crate::enrolment::Enrolment;
use crate::secret::{self, Secret};
use crate::server::PublicUrl;
use crate::server::model::{CodeState, DeviceChange, NewDevice};
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
    /// Make a new code for a device whose code was not used yet; the one before is good for nothing then.
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
    /// Give a device a new code, for a scanner that was reset or replaced; the device stays the same: its number, its name, its gate.
    #[command(
        after_help = "Examples:\n  gatehand admin device reconnect bigevents 1 \\\n      --public-url https://tickets.example\n  gatehand admin device reconnect bigevents 1 --now"
    )]
    Reconnect {
        /// Slug of the organizer.
        organizer: String,
        /// The device's number.
        device: u64,
        /// End the access of the scanner that is this device now at once, and not only when the new code is used.
        #[arg(long)]
        now: bool,
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
                handing_out.renewed(desk, picture, organizer, device).await
            }
            Self::Reconnect {
                organizer,
                device,
                now,
                handing_out,
            } => {
                let organizer = desk.organizer(&organizer).await?;
                let picture = handing_out.prepare()?;
                desk.store.reconnect_device(organizer, device, now).await?;
                handing_out.renewed(desk, picture, organizer, device).await
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
                desk.list(&entries, device_log::HEADER, |entry| {
                    let (team, token) = (entry.team.as_deref(), entry.token.as_deref());
                    [
                        output::time(entry.created),
                        entry.action.clone(),
                        device_log::by(&entry.actor, team, token),
                        device_log::what(&entry.data),
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
        let told = match placed(desk, organizer, number).await {
            Ok(placed) => self.handing_out.hand_out(picture, placed, desk.json),
            Err(error) => Err(error),
        };
        output::has_told(told, &words)
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

    /// Tells of a device that has just got another code.
    async fn renewed(
        &self,
        desk: &Desk<'_>,
        picture: Option<CodeFile>,
        organizer: i64,
        device: u64,
    ) -> Result<(), CliError> {
        let words = format!("Device {device} has a new code.");
        let told = match placed(desk, organizer, device).await {
            Ok(found) => self.hand_out(picture, found, desk.json),
            Err(error) => Err(error),
        };
        output::has_told(told, &words)
    }

    /// Shows the device with its token, and draws its QR code where the server's address is known. That the picture
    /// can't be written hides nothing of it.
    fn hand_out(
        &self,
        picture: Option<CodeFile>,
        found: PlacedDevice,
        json: bool,
    ) -> Result<(), CliError> {
        let enrolment = self.enrolment(&found)?;
        let drawn = match (picture, &enrolment) {
            (Some(picture), Some(enrolment)) => picture.draw(enrolment),
            _ => Ok(()),
        };
        match json {
            true => output::print_json(&HandedOut {
                link: enrolment.as_ref().map(Enrolment::to_link),
                payload: enrolment.as_ref().map(Enrolment::to_payload),
                placed: found,
            }),
            false => print(&found, enrolment.as_ref()),
        }?;
        drawn
    }

    fn enrolment(&self, found: &PlacedDevice) -> Result<Option<Enrolment>, CliError> {
        match (&self.public_url, open_code(found)) {
            (Some(url), Some(token)) => Ok(Some(Enrolment::new(
                url.server_url().clone(),
                token.clone(),
            )?)),
            _ => Ok(None),
        }
    }
}

fn print(found: &PlacedDevice, enrolment: Option<&Enrolment>) -> Result<(), CliError> {
    let device = &found.device;
    let name = output::printable(&device.name);
    output::print_line(&format!("Device {}: {name}", device.device_id))?;
    let admin = format!("{} admin", ProgramName::of_this_process().typed());
    let Some(token) = open_code(found) else {
        return output::print_line(&match (device.revoked, found.code) {
            (true, _) => {
                "It is revoked, so that its code is of no use: to hand out a scanner, create a device."
                    .to_owned()
            }
            (false, CodeState::Ended) => format!(
                "Its code was ended when a backup was restored: {admin} device reconnect gives it another."
            ),
            (false, _) => format!(
                "It is initialized already, so that its code is of no use: for a scanner that was reset or replaced, {admin} device reconnect gives it another."
            ),
        });
    };
    output::print_line(&format!("Initialization token: {}", token.expose()))?;
    match enrolment {
        Some(enrolment) => {
            // Wholly, however long the address is.
            output::print_text(&format!("Link: {}", enrolment.to_link().expose()))?;
            output::print_qr(enrolment)
        }
        None => {
            output::say("For its link and QR code add --public-url with the server's address.");
            Ok(())
        }
    }
}

/// The token by which a scanner becomes a device, if it has one that may be used.
fn open_code(found: &PlacedDevice) -> Option<&Secret> {
    let token = found.device.initialization_token.as_ref();
    token.filter(|_| found.code == CodeState::Open)
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
pub(in crate::cli) const COLUMNS: [Column; 7] = [
    whole("ID"),
    words("NAME"),
    whole("SERIAL"),
    whole("STATE"),
    words("HARDWARE"),
    words("SYSTEM"),
    words("SOFTWARE"),
];

fn columns(placed: &PlacedDevice) -> [String; 7] {
    row(&placed.device, Some(placed.code))
}

/// One device in these columns.
pub(in crate::cli) fn row(device: &Device, code: Option<CodeState>) -> [String; 7] {
    let state = match (device.revoked, device.initialized, code) {
        (true, ..) => "revoked",
        (false, _, Some(CodeState::Ended)) => "code ended",
        (false, Some(_), Some(CodeState::Open)) => "reconnecting",
        (false, Some(_), _) => "initialized",
        (false, None, _) => "waiting",
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
