//! Who this device is, as kept in the vault.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AgentError;
use crate::enrolment::ServerUrl;
use crate::secret::Secret;
use crate::vault::{Change, Vault};
use crate::wire::{DeviceIdentity, DeviceReport, Gate};

const IDENTITY: &str = "identity";
const API_KEY: &str = "api key";

/// Who this device is; everything but its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The server it is enrolled at.
    pub server: ServerUrl,
    /// Slug of the organizer.
    pub organizer: String,
    /// Number within the organizer.
    pub device_id: u64,
    /// Serial, unique on the server.
    pub unique_serial: String,
    /// The name people gave the device.
    pub name: String,
    /// Which part of the API the device may use; unknown on older servers.
    pub security_profile: Option<String>,
    /// Where the device stands.
    pub gate: Option<Gate>,
    /// When it was enrolled, by this device's clock.
    pub enrolled: Timestamp,
    /// What the server last acknowledged of what the device reported.
    pub reported: DeviceReport,
}

impl Identity {
    pub(super) fn new(server: ServerUrl, device: DeviceIdentity, reported: DeviceReport) -> Self {
        Self {
            server,
            organizer: device.organizer,
            device_id: device.device_id,
            unique_serial: device.unique_serial,
            name: device.name,
            security_profile: device.security_profile,
            gate: device.gate,
            enrolled: Timestamp::now(),
            reported,
        }
    }

    /// Reads the identity without its key.
    pub(super) fn load(vault: &Vault) -> Result<Option<Self>, AgentError> {
        let Some(text) = vault.plain(IDENTITY)? else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|source| AgentError::Entry {
                path: vault.path(),
                entry: IDENTITY,
                source,
            })
    }

    /// The device's key, opened.
    pub(super) fn key(&self, vault: &Vault) -> Result<Secret, AgentError> {
        let key = vault.sealed(API_KEY, &self.key_context())?;
        let key = key.and_then(|key| String::from_utf8(key.to_vec()).ok());
        key.map(Secret::new)
            .ok_or_else(|| AgentError::NoKey { path: vault.path() })
    }

    /// Puts identity and key into the vault in place of those there.
    pub(super) fn store(&self, change: &Change<'_>, key: &Secret) -> Result<(), AgentError> {
        let text = serde_json::to_string(self).map_err(AgentError::Encode)?;
        change.put(IDENTITY, &text)?;
        change.put_sealed(API_KEY, &self.key_context(), key.expose().as_bytes())?;
        Ok(())
    }

    /// What the sealed key is bound to. With the server in it, a changed address in the vault makes
    /// the key unreadable instead of sending it elsewhere.
    fn key_context(&self) -> String {
        [
            self.server.to_string(),
            self.organizer.clone(),
            self.device_id.to_string(),
            self.unique_serial.clone(),
        ]
        .join("\n")
    }
}
