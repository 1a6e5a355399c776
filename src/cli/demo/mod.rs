//! `gatehand demo`: the way of a device from a QR code on a screen to a sealed key, on this machine.

mod desk;
mod fleet;
mod organizer;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::error::CliError;
use super::program_name::ProgramName;
use super::runtime;
use super::{output, status};
use crate::agent::{self, Agent, Client, ClientConfig, InitializeOptions, ThisMachine};
use crate::enrolment::Enrolment;
use crate::enrolment::draw::QrCode;
use crate::private_file;
use crate::server::store::{Administration, NewToken};
use crate::server::{Config, Server, store};
use crate::vault::Folder;
use desk::Desk;
use fleet::Fleet;
use organizer::{ORGANIZER, TEAM, set_up};

/// Show everything on this machine: start a server, create a device, draw its QR code, read it back
/// and enrol.
#[derive(Args)]
#[command(after_help = "Examples:\n  gatehand demo\n  gatehand demo --keep")]
pub(super) struct Demo {
    /// Leave the server running and tell how to enrol another device from a second terminal.
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        runtime::for_serving()?.block_on(self.show())
    }

    async fn show(self) -> Result<(), CliError> {
        let folder = fresh_folder()?;
        let database = folder.join("server.db");
        let installation = store::open(&database.clone().into(), None)?;
        let config = Config::new((Ipv4Addr::LOCALHOST, 0).into());
        let server = Server::listen(installation, config).await?;
        let NewToken { id, token } = set_up(&*server.installation().store).await?;
        let desk = Desk {
            client: Client::new(&ClientConfig::default())?,
            server: format!("http://{}", server.local_addr()).parse()?,
            token,
        };
        let store = Arc::clone(&server.installation().store);
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async { drop(stopped.await) }));

        step(
            1,
            "A server is up",
            &format!("{} with its database {}", desk.server, database.display()),
        )?;
        let device = desk.create_device("Lane 1").await?;
        step(
            2,
            "A device was created over the REST API",
            &format!(
                "{:?}, number {} of {ORGANIZER}",
                device.name, device.device_id
            ),
        )?;
        let qr_image = folder.join("lane-1.png");
        let enrolment = desk.enrolment(&device)?;
        write_qr_image(&enrolment, &qr_image)?;
        step(3, "Its QR code was drawn", &qr_image.display().to_string())?;
        output::print_qr(&enrolment)?;

        let scanned = read_qr_image(&qr_image)?;
        step(
            4,
            "The scanner read the code back from that picture",
            &format!("it is for {}", scanned.url()),
        )?;
        let vault = Folder::at(folder.join("scanner"))?.volatile_allowed();
        let describe = ThisMachine {
            folder: vault.clone(),
        };
        let agent = Agent::new(vault, desk.client.clone(), Arc::new(describe));
        let enrolled = agent
            .initialize(&scanned, &InitializeOptions::default())
            .await?;
        step(
            5,
            "The scanner redeemed the token and told what it is",
            "its key is sealed in the vault",
        )?;
        output::print_table(&status::rows(&enrolled.identity, &agent.status()?))?;

        step(6, "The server shows the device as initialized", "")?;
        desk.print_devices().await?;
        if self.keep {
            self::keep(&desk, &folder, &*store, id).await?;
        } else {
            paragraph(&format!(
                "All of it is in {}; remove it when you have seen enough.",
                folder.display()
            ))?;
        }
        drop(stop);
        running
            .await
            .map_err(|source| CliError::Runtime(source.into()))
    }
}

/// Tells how to enrol a second device by hand, and waits to be stopped.
async fn keep(
    desk: &Desk,
    folder: &Path,
    store: &dyn Administration,
    token: i64,
) -> Result<(), CliError> {
    let device = desk.create_device("Lane 2").await?;
    let organizer = store.organizer(ORGANIZER).await?.id;
    let fleet = Fleet::make(store, organizer).await?;
    let qr_image = folder.join("lane-2.png");
    let enrolment = desk.enrolment(&device)?;
    write_qr_image(&enrolment, &qr_image)?;
    let gatehand = of_devices(std::env::current_exe()?);
    let gatehand = gatehand.display();
    let home = folder.join("second-scanner");
    let link = store.create_login_link(organizer, TEAM, token, Timestamp::now());
    let link = link.await?.address(&desk.server.to_string());
    output::print_heading("\nTo see the fleet, open this link in a browser, which lets in once:")?;
    output::print_line("")?;
    output::print_line(&format!("  {}", link.expose()))?;
    output::print_heading("\nThe server stays up. To enrol a second device, in another terminal:")?;
    output::print_line("")?;
    for line in [
        format!("export GATEHAND_HOME={}", home.display()),
        format!(
            "{gatehand} init --volatile --qr-image {}",
            qr_image.display()
        ),
        format!("{gatehand} status"),
    ] {
        output::print_line(&format!("  {line}"))?;
    }
    paragraph("or, in place of that init:")?;
    output::print_line("")?;
    output::print_line(&format!(
        "  {gatehand} init --volatile --url {} --token {}",
        desk.server,
        enrolment.token().expose()
    ))?;
    paragraph("And to see all devices as the organizer does:")?;
    output::print_line("")?;
    let devices = desk
        .server
        .endpoint(&format!("api/v1/organizers/{ORGANIZER}/devices/"));
    output::print_line(&format!(
        "  curl -H 'Authorization: Token {}' {devices}",
        desk.token.expose()
    ))?;
    paragraph("Stop it with Ctrl+C.")?;
    tokio::select! {
        () = super::serve::until_told_to_stop() => {}
        // What fails ends the demo's devices, not the server that is looked at.
        gone_on = fleet.go_on(store, organizer, desk) => {
            if let Err(error) = gone_on {
                tracing::warn!(%error, "the devices of the demo do not go on");
            }
            super::serve::until_told_to_stop().await;
        }
    }
    paragraph(&format!(
        "All of it is in {}; remove it when you have seen enough.",
        folder.display()
    ))
}

/// The program with the commands of devices: this one, or the one beside it, or wherever it is.
fn of_devices(this: PathBuf) -> PathBuf {
    match ProgramName::of_this_process() {
        ProgramName::Gatehand => this,
        ProgramName::Server => Some(this.with_file_name("gatehand"))
            .filter(|beside| beside.is_file())
            .unwrap_or_else(|| "gatehand".into()),
    }
}

fn paragraph(text: &str) -> Result<(), CliError> {
    output::print_line("")?;
    output::print_line(text)
}

fn step(number: u32, title: &str, detail: &str) -> Result<(), CliError> {
    let colon = if detail.is_empty() { "" } else { ":" };
    output::print_heading(&format!("\n{number}  {title}{colon}"))?;
    if detail.is_empty() {
        Ok(())
    } else {
        output::print_line(&format!("   {detail}"))
    }
}

fn fresh_folder() -> Result<PathBuf, CliError> {
    let suffix = getrandom::u32().map_err(agent::AgentError::Random)?;
    let folder = std::env::temp_dir().join(format!("gatehand-demo-{suffix:08x}"));
    private_file::ensure_folder(&folder).map_err(|source| CliError::Write {
        name: folder.display().to_string(),
        source,
    })?;
    Ok(folder)
}

fn write_qr_image(enrolment: &Enrolment, path: &Path) -> Result<(), CliError> {
    let png = QrCode::new(enrolment)?.png(output::MODULE_PIXELS)?;
    fs::write(path, png).map_err(|source| CliError::Write {
        name: path.display().to_string(),
        source,
    })
}

fn read_qr_image(path: &Path) -> Result<Enrolment, CliError> {
    Ok(super::init::read_picture(path)?.into_enrolment())
}
