//! `gatehand status`: who this device is.

use clap::Args;
use serde::Serialize;

use super::{CliError, output};
use crate::agent::{self, Identity};
use crate::vault::Folder;
use crate::wire::Gate;

/// Show who this device is, without asking the server.
#[derive(Args)]
pub(super) struct Status {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints. The key is in no field.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    state: &'static str,
    vault: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// The server of an enrolment that was begun and not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<String>,
    #[serde(flatten)]
    identity: Option<IdentityReport<'a>>,
}

#[derive(Serialize)]
struct IdentityReport<'a> {
    organizer: &'a str,
    device_id: u64,
    unique_serial: &'a str,
    name: &'a str,
    security_profile: Option<&'a str>,
    gate: Option<&'a Gate>,
    enrolled: jiff::Timestamp,
    reported: &'a crate::wire::DeviceReport,
}

impl Status {
    pub(super) fn run(self) -> Result<(), CliError> {
        let status = agent::Status::read(&Folder::locate()?)?;
        if self.json {
            output::print_json(&report(&status))?;
        } else if let Some(identity) = &status.identity {
            output::print_table(&rows(identity, &status.vault))?;
        }
        match (status.identity, status.unfinished) {
            (Some(_), None) => Ok(()),
            (Some(_), Some(server)) => {
                output::say(&format!(
                    "This device is also being enrolled anew at {server}, whose answer was not read yet: run gatehand init with that code again to finish that."
                ));
                Ok(())
            }
            (None, Some(server)) => Err(CliError::NotFinished {
                server: server.to_string(),
            }),
            (None, None) => Err(CliError::NotEnrolled),
        }
    }
}

/// The document `--json` prints for a status.
pub(super) fn report(status: &agent::Status) -> Report<'_> {
    let identity = status.identity.as_ref();
    let state = match (identity, &status.unfinished) {
        (Some(_), _) => "enrolled",
        (None, Some(_)) => "enrolling",
        (None, None) => "not-enrolled",
    };
    Report {
        state,
        vault: status.vault.display().to_string(),
        server: identity.map(|identity| identity.server.to_string()),
        unfinished: status.unfinished.as_ref().map(ToString::to_string),
        identity: identity.map(|identity| IdentityReport {
            organizer: &identity.organizer,
            device_id: identity.device_id,
            unique_serial: &identity.unique_serial,
            name: &identity.name,
            security_profile: identity.security_profile.as_deref(),
            gate: identity.gate.as_ref(),
            enrolled: identity.enrolled,
            reported: &identity.reported,
        }),
    }
}

/// The lines that show an identity to a person.
pub(super) fn rows<'a>(identity: &Identity, vault: &std::path::Path) -> Vec<(&'a str, String)> {
    let reported = &identity.reported;
    let os = [&reported.os_name, &reported.os_version]
        .map(|text| text.as_ref().map(|text| text.as_str()));
    let os: Vec<&str> = os.into_iter().flatten().collect();
    vec![
        (
            "Device",
            format!(
                "{} (number {} of {})",
                identity.name, identity.device_id, identity.organizer
            ),
        ),
        ("Serial", identity.unique_serial.clone()),
        ("Server", identity.server.to_string()),
        (
            "Security profile",
            identity
                .security_profile
                .clone()
                .unwrap_or_else(|| "not told by the server".to_owned()),
        ),
        (
            "Gate",
            identity.gate.as_ref().map_or_else(
                || "none".to_owned(),
                |gate| format!("{} ({})", gate.name, gate.identifier),
            ),
        ),
        (
            "Hardware",
            format!("{} {}", reported.hardware_brand, reported.hardware_model),
        ),
        ("System", os.join(" ")),
        (
            "Software",
            format!("{} {}", reported.software_brand, reported.software_version),
        ),
        (
            "Enrolled",
            identity
                .enrolled
                .strftime("%Y-%m-%d %H:%M:%S UTC")
                .to_string(),
        ),
        ("Vault", vault.display().to_string()),
    ]
}
