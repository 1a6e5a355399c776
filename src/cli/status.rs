//! `gatehand status`: who this device is.

use clap::Args;
use serde::Serialize;

use super::error::CliError;
use super::hardware_arguments::HardwareArguments;
use super::{output, vault_folder};
use crate::agent::{
    self, Identity, Kinship, Lost, Operation, OwnAuthority, Revoker, State, Trust,
    UnfinishedEnrolment,
};
use crate::wire::{DeviceReport, Gate, Text, timestamp};

/// Show who this device is, without asking the server.
#[derive(Args)]
#[command(after_help = "Examples:\n  gatehand status\n  gatehand status --json")]
pub(super) struct Status {
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    hardware: HardwareArguments,
}

/// What `--json` prints. The key is in no field.
#[derive(Serialize)]
pub(super) struct StatusDocument<'a> {
    state: State,
    /// Since when, if not since the enrolment.
    #[serde(with = "timestamp::optional", skip_serializing_if = "Option::is_none")]
    since: Option<jiff::Timestamp>,
    /// The operation that was begun and not finished; the next command goes on with it.
    pending: Option<Operation>,
    vault: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// The server of an enrolment that was begun and not finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished: Option<String>,
    /// Whom the device trusts at that server.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfinished_trust: Option<TrustReport>,
    /// The operation whose answer was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<&'a Lost>,
    /// Who ended the device's access.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_by: Option<Revoker>,
    /// Devices that were here before and are still to be revoked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to_revoke: Vec<OtherDevice<'a>>,
    /// Whether the vault is on other hardware than it is bound to, in part or as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    hardware: Option<&'static str>,
    #[serde(flatten)]
    identity: Option<IdentityReport<'a>>,
}

/// A device that is not this one any more.
#[derive(Serialize)]
pub(super) struct OtherDevice<'a> {
    server: String,
    organizer: &'a str,
    device_id: u64,
    unique_serial: &'a str,
    name: &'a str,
}

impl<'a> OtherDevice<'a> {
    pub(super) fn of(identity: &'a Identity) -> Self {
        Self {
            server: identity.server.to_string(),
            organizer: &identity.organizer,
            device_id: identity.device_id,
            unique_serial: &identity.unique_serial,
            name: &identity.name,
        }
    }
}

#[derive(Serialize)]
struct IdentityReport<'a> {
    organizer: &'a str,
    device_id: u64,
    unique_serial: &'a str,
    name: &'a str,
    security_profile: Option<&'a str>,
    gate: Option<&'a Gate>,
    server_version: Option<&'a str>,
    #[serde(with = "timestamp")]
    enrolled: jiff::Timestamp,
    reported: Option<&'a DeviceReport>,
    trust: TrustReport,
}

/// Whom the device trusts besides the built-in authorities.
#[derive(Serialize)]
struct TrustReport {
    certificates: Vec<CertificateReport>,
    /// The one that the server has to show, where nothing else counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<CertificateReport>,
    /// Whether this system's certificates are trusted, as they are at the time.
    system_certificates: bool,
}

/// What can't be read in a certificate is null.
#[derive(Serialize)]
struct CertificateReport {
    name: Option<String>,
    #[serde(with = "timestamp::optional")]
    valid_until: Option<jiff::Timestamp>,
}

impl CertificateReport {
    fn of(certificate: OwnAuthority) -> Self {
        Self {
            name: certificate.name,
            valid_until: certificate.valid_until,
        }
    }
}

impl TrustReport {
    fn of(trust: &Trust) -> Self {
        let own = trust.own_authorities().into_iter();
        Self {
            certificates: own.map(CertificateReport::of).collect(),
            pinned: trust.pinned_certificate().map(CertificateReport::of),
            system_certificates: trust.includes_system(),
        }
    }
}

impl Status {
    pub(super) fn run(self) -> Result<(), CliError> {
        let folder = vault_folder::locate()?;
        let status = agent::Status::read(&folder)?;
        let own = self.hardware.own(&folder);
        let kinship = status.kinship(&own);
        if self.json {
            output::print_json(&StatusDocument {
                hardware: hardware(&kinship),
                ..report(&status)
            })?;
        } else if let Some(identity) = &status.identity {
            let mut rows = rows(identity, &status);
            rows.insert(0, ("State", state(&status)));
            output::print_table(&rows)?;
        } else if let Some(begun) = &status.unfinished {
            output::print_table(&[
                ("State", state(&status)),
                ("Server", begun.server.to_string()),
                ("Trusts", trusts(&begun.trust)),
                ("Vault", status.vault.display().to_string()),
            ])?;
        }
        if let Some(warning) = own.to_tell(&kinship).filter(|_| !self.json) {
            output::warn(&warning.words, warning.advice);
        }
        if status.has_unfinished_move && !self.json {
            output::warn(agent::CUT_SHORT, agent::AFTER_CUT_SHORT);
        }
        for old in status.to_revoke.iter().filter(|_| !self.json) {
            output::say(&format!(
                "{}, which this device is not, is still to be revoked: gatehand {} goes on with it.",
                old.in_words(),
                match status.identity {
                    Some(_) => "info",
                    None => "init with the same code",
                }
            ));
        }
        match (status.hindrance, status.state, status.unfinished) {
            (Some(hindrance), ..) => Err(hindrance.into()),
            (None, State::Rejected, _) => Err(CliError::Rejected),
            (None, _, Some(UnfinishedEnrolment { server, .. })) => {
                output::say(&format!(
                    "This device is also being enrolled anew at {server}, whose answer was not read yet: run gatehand init to finish that."
                ));
                Ok(())
            }
            (None, _, None) => Ok(()),
        }
    }
}

/// The document `--json` prints for a status.
pub(super) fn report(status: &agent::Status) -> StatusDocument<'_> {
    let identity = status.identity.as_ref();
    StatusDocument {
        state: status.state,
        since: status.since,
        pending: status.pending,
        vault: status.vault.display().to_string(),
        server: identity.map(|identity| identity.server.to_string()),
        unfinished: status
            .unfinished
            .as_ref()
            .map(|begun| begun.server.to_string()),
        unfinished_trust: status
            .unfinished
            .as_ref()
            .map(|begun| TrustReport::of(&begun.trust)),
        lost: status.lost.as_ref(),
        revoked_by: status.revoked_by,
        to_revoke: status.to_revoke.iter().map(OtherDevice::of).collect(),
        hardware: None,
        identity: identity.map(|identity| IdentityReport {
            organizer: &identity.organizer,
            device_id: identity.device_id,
            unique_serial: &identity.unique_serial,
            name: &identity.name,
            security_profile: identity.security_profile.as_deref(),
            gate: identity.gate.as_ref(),
            server_version: identity.server_version.as_deref(),
            enrolled: identity.enrolled,
            reported: identity.reported.as_ref(),
            trust: TrustReport::of(&status.trust),
        }),
    }
}

fn hardware(kinship: &Kinship) -> Option<&'static str> {
    match kinship {
        Kinship::Repaired(_) => Some("repaired"),
        Kinship::Copied(_) => Some("copied"),
        Kinship::Unasked | Kinship::Unbound | Kinship::Unknown | Kinship::Same => None,
    }
}

/// The state in a line.
fn state(status: &agent::Status) -> String {
    let since = status.since.map_or_else(String::new, |since| {
        format!(" since {}", output::time(since))
    });
    let pending = status.pending.map_or_else(String::new, |operation| {
        format!("; {} is not finished", operation.in_words())
    });
    format!("{}{since}{pending}", status.state.name())
}

/// The lines that show an identity to a person.
pub(super) fn rows<'a>(identity: &Identity, status: &agent::Status) -> Vec<(&'a str, String)> {
    let reported = identity.reported.as_ref();
    let words = |texts: [Option<&Text>; 2]| {
        let texts: Vec<&str> = texts.into_iter().flatten().map(Text::as_str).collect();
        match texts.is_empty() {
            true => "not reported yet".to_owned(),
            false => texts.join(" "),
        }
    };
    vec![
        (
            "Device",
            format!(
                "{} (number {} of {})",
                match identity.name.as_str() {
                    "" => "without a name",
                    name => name,
                },
                identity.device_id,
                identity.organizer
            ),
        ),
        ("Serial", identity.unique_serial.clone()),
        (
            "Server",
            match &identity.server_version {
                Some(version) => format!("{} (version {version})", identity.server),
                None => identity.server.to_string(),
            },
        ),
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
            words([
                reported.map(|report| &report.hardware_brand),
                reported.map(|report| &report.hardware_model),
            ]),
        ),
        (
            "System",
            words([
                reported.and_then(|report| report.os_name.as_ref()),
                reported.and_then(|report| report.os_version.as_ref()),
            ]),
        ),
        (
            "Software",
            words([
                reported.map(|report| &report.software_brand),
                reported.map(|report| &report.software_version),
            ]),
        ),
        ("Enrolled", output::time(identity.enrolled)),
        ("Trusts", trusts(&status.trust)),
        ("Vault", status.vault.display().to_string()),
    ]
}

/// Certificates that are named in a line.
const NAMED: usize = 3;

/// Whom the device trusts, in a line.
fn trusts(trust: &Trust) -> String {
    if let Some(pinned) = trust.pinned_certificate() {
        return format!("one certificate of the server alone: {}", named(&pinned));
    }
    let own = trust.own_authorities();
    let mut whom = vec!["the built-in authorities".to_owned()];
    if trust.includes_system() {
        whom.push("this system's".to_owned());
    }
    if own.is_empty() {
        return whom.join(" and ");
    }
    let mut named: Vec<String> = own.iter().take(NAMED).map(named).collect();
    if let Some(more) = own.len().checked_sub(NAMED).filter(|more| *more > 0) {
        named.push(format!("{more} more"));
    }
    let certificates = match own.len() {
        1 => "1 certificate".to_owned(),
        more => format!("{more} certificates"),
    };
    format!(
        "{}, and {certificates} of its own: {}",
        whom.join(", "),
        named.join("; ")
    )
}

fn named(certificate: &OwnAuthority) -> String {
    let name = certificate.name.as_deref();
    let name = name.unwrap_or("one that can't be shown");
    match certificate.valid_until {
        Some(end) => format!("{name}, valid until {}", end.strftime("%Y-%m-%d")),
        None => name.to_owned(),
    }
}
