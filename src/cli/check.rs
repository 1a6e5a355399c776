//! `gatehand check`: whether a kiosk has what it needs.

mod bundle;
mod document;

use std::env;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::connection_arguments::ConnectionArguments;
use super::device::{KeepingArguments, agent_of};
use super::doors;
use super::error::CliError;
use super::output;
use super::runtime;
use super::settings::duration;
use crate::check::{self, Subject};
use crate::enrolment::ServerUrl;
use document::document;

/// Seconds for all of it unless said otherwise.
const TIMEOUT: u64 = 20;

/// Where the packaged service has the vault and its door, and what is there while it is enabled.
const SERVICE_FOLDER: &str = "/var/lib/gatehand";
const SERVICE_DOOR: &str = "/run/gatehand/kiosk.sock";
const SERVICE_ENABLED: &str = "/etc/systemd/system/multi-user.target.wants/gatehand.service";

/// What options that other commands have too say here.
const HELP_ON_TIMEOUT: &str = "Seconds for all of it together (20 unless given)";
const HELP_ON_CA_FILE: &str = "Trust the certificates in this file (PEM, or one in DER) besides the built-in ones, which are Mozilla's, for this check alone";
const HELP_ON_SYSTEM: &str = "Trust this system's certificates too, for this check alone. This and --ca-file stand in for what is kept of both";

const EXAMPLES: &str = "\
Examples:
  gatehand check
  gatehand check --json --timeout 10
  gatehand check --bundle support.json

It changes nothing. For monitoring: exit code 0 if all is well, 22 if something warns, 23 if
something failed. The checks are described in docs/KIOSK.md.";

/// Check disk, vault, network, server and key, and tell what to do; changes nothing.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("timeout", |arg| arg.help(HELP_ON_TIMEOUT)))]
#[command(mut_arg("ca_file", |arg| arg.help(HELP_ON_CA_FILE)))]
#[command(mut_arg("system_certificates", |arg| arg.help(HELP_ON_SYSTEM)))]
pub(super) struct Check {
    /// Also write what helps others to help into this new file: the checks, status, settings, facts and files. No key,
    /// token or password is in it.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// The server to ask where this device is not enrolled yet.
    #[arg(long, value_name = "ADDRESS")]
    url: Option<ServerUrl>,
    /// Warn if the server has not answered for so long; 15m unless given, where gatehand run runs.
    #[arg(long, value_name = "TIME", env = "GATEHAND_LONGEST_SILENCE", value_parser = duration)]
    longest_silence: Option<Duration>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    keeping: KeepingArguments,
    #[command(flatten)]
    connection: ConnectionArguments,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        if let Some(path) = &self.bundle {
            bundle::has_place(path)?;
        }
        let folder = self.keeping.folder()?;
        let time = Duration::from_secs(self.connection.given_timeout().unwrap_or(TIMEOUT));
        let socket = env::var_os("GATEHAND_SOCKET").filter(|socket| !socket.is_empty());
        let doors = doors::of_settings(socket.map(Into::into))?;
        let mut needs_daemon = !doors.is_empty() || is_set("GATEHAND_METRICS_FILE");
        let mut doors: Vec<PathBuf> = doors.into_iter().map(|door| door.socket).collect();
        if folder.path() == Path::new(SERVICE_FOLDER) {
            needs_daemon |= Path::new(SERVICE_ENABLED).symlink_metadata().is_ok();
            doors.push(SERVICE_DOOR.into());
        }
        let looked_at = folder.clone().left_alone();
        let hardware = self.connection.hardware.own(&folder);
        let own = hardware.clone();
        let subject = Subject {
            agent: Box::new(move |client| agent_of(looked_at, client).on_hardware(own)),
            hardware,
            // A call has to end, and be told, before all of it does.
            client: self.connection.client_within(time.mul_f64(0.9)),
            server: self.url,
            needs_daemon,
            doors,
            longest_silence: self.longest_silence,
            time,
            folder: folder.clone(),
        };
        let runtime = runtime::for_calls()?;
        let mut report = runtime.block_on(check::run(subject));
        // A name server or a disk that does not answer would be waited for.
        runtime.shutdown_background();
        let document = document(&mut report);
        document.print(self.json)?;
        if let Some(path) = &self.bundle {
            bundle::write(path, &folder, &document, &report)?;
            output::notice(&format!("Wrote {}", path.display()), self.json);
        }
        document.end()
    }
}

/// Whether a variable says something.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}
