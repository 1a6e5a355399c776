//! `gatehand adopt`: takes over a device that another app enrolled.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use super::connection_arguments::ConnectionArguments;
use super::device::{KeepingArguments, Outcome, is_copy, not_replaced};
use super::error::CliError;
use super::override_arguments::OverrideArguments;
use super::runtime;
use super::{input, output, progress};
use crate::agent::{Course, ExistingIdentity, GivenMediaKey, InitializeOptions, MediaKeyError};
use crate::enrolment::ServerUrl;
use crate::secret::Secret;

/// Longest file that is read, in bytes.
const FILE_LIMIT: u64 = 64 * 1024;

const EXAMPLES: &str = "\
Examples:
  gatehand adopt old-scanner.json
  some-export | gatehand adopt -
  gatehand adopt old-scanner.json --media-key old-scanner.pem

The file is JSON, with what the other app kept:
  {\"url\": \"https://pretix.eu\", \"key\": \"…64 characters…\",
   \"serial\": \"ABCDEFGH12345678\"}
The names api_token and unique_serial are understood too. Remove the file afterwards: whoever has it
has the device.";

/// Take over a device that another app enrolled: its address, key and serial.
///
/// The server is asked first whether it knows them. Nothing changes on it, but that the device's
/// report becomes that of this machine.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Adopt {
    /// The file with address, key and serial (- for standard input).
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The RSA private key, in PEM form, that the other app has reported for NFC media: the server takes no
    /// other for this device (- for standard input). Remove the file afterwards, too.
    #[arg(long, value_name = "PEM_FILE")]
    media_key: Option<PathBuf>,
    /// Give up the device that is enrolled here, an unfinished enrolment or an unusable vault.
    #[arg(long)]
    replace: bool,
    /// Revoke the device that is given up, once the new one is safe in the vault. Without it that
    /// device stays active on its server.
    #[arg(long, requires = "replace")]
    revoke_old: bool,
    /// Send the key unencrypted to a server that is not on this machine.
    #[arg(long)]
    allow_http: bool,
    #[command(flatten)]
    keeping: KeepingArguments,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(flatten)]
    overrides: OverrideArguments,
}

#[derive(Deserialize)]
struct Existing {
    url: String,
    #[serde(alias = "api_token")]
    key: Secret,
    #[serde(alias = "unique_serial")]
    serial: String,
}

impl Adopt {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = self.keeping.agent(&self.connection)?;
        if self.file.as_os_str() == "-" && io::stdin().is_terminal() {
            agent.refuse_if_volatile()?;
            output::say("Paste the JSON with url, key and serial, then press Ctrl+D.");
        }
        let text = input::read_file(&self.file, FILE_LIMIT)?;
        let existing = read(&text).ok_or_else(|| CliError::Existing {
            name: input::name(&self.file),
        })?;
        let server: ServerUrl = existing.url.parse()?;
        let existing = ExistingIdentity {
            server: server.clone(),
            key: existing.key,
            unique_serial: Some(existing.serial),
            media_key: self.media_key.as_deref().map(media_key).transpose()?,
        };
        let options = InitializeOptions {
            replace: self.replace,
            allow_http: self.allow_http,
            overrides: self.overrides.overrides(),
            revoke_old: self.revoke_old,
            allowed_organizers: None,
        };
        let what = format!("asking {}", server.origin());
        let own = self.connection.hardware.own(&self.keeping.folder()?);
        let is_copy = is_copy(&agent, &own);
        let adopted = runtime::for_calls()?.block_on(async {
            let adopted = progress::shown(&what, agent.adopt(&existing, &options)).await;
            let adopted = adopted.map_err(|error| not_replaced(error, self.revoke_old))?;
            // The device is here by now; that it could not report itself yet is not a failure.
            if let Err(error) = progress::shown(&what, agent.update(|overrides| overrides)).await {
                error.warn();
            }
            Ok::<_, CliError>(adopted)
        })?;
        let heading = match adopted.course {
            Course::DoneBefore => "This device was taken over already.",
            Course::Done | Course::WentOn => "This device is taken over.",
        };
        let outcome = Outcome {
            command: "adopt",
            course: adopted.course,
            replaced: adopted.replaced,
            given_up: adopted.given_up,
            mapping: None,
            is_elsewhere: is_copy,
            from_list: None,
        };
        outcome.show(&agent, heading, self.json)
    }
}

fn media_key(file: &Path) -> Result<GivenMediaKey, CliError> {
    let pem = input::read_key_file(file, FILE_LIMIT)?;
    str::from_utf8(&pem)
        .map_err(|_| MediaKeyError::GivenPrivate)
        .and_then(GivenMediaKey::from_pem)
        .map_err(|source| CliError::MediaKey {
            name: input::name(file),
            source,
        })
}

/// Not the parser's own words, which may repeat the key. A key that no header can hold is none.
fn read(text: &[u8]) -> Option<Existing> {
    let mut existing: Existing = serde_json::from_slice(text).ok()?;
    let key = existing.key.expose().trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    existing.key = Secret::new(key.to_owned());
    existing.serial = existing.serial.trim().to_owned();
    (!existing.serial.is_empty()).then_some(existing)
}
