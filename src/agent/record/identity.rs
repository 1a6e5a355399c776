//! Who this device is, as kept in the vault.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::entry;
use super::error::RecordError;
use crate::agent::clock;
use crate::enrolment::ServerUrl;
use crate::facts::Overrides;
use crate::secret::Secret;
use crate::vault::{Change, Vault};
use crate::wire::{DeviceIdentity, DeviceInfo, DeviceReport, Gate};

const IDENTITY: &str = "identity";
const API_KEY: &str = "api key";

/// How long diagnostics hold.
const DIAGNOSTICS_HOLD: SignedDuration = SignedDuration::from_hours(1);

/// Whether what began at `at` is over. A clock that was set back by as much counts too: what a clock of years
/// ahead has noted down must not hold for years.
fn is_over(at: Timestamp, now: Timestamp, holds: SignedDuration) -> bool {
    now.duration_since(at).abs() >= holds
}

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
    /// Version of the server, once it told.
    #[serde(default)]
    pub server_version: Option<String>,
    /// The same as a number, by which apps compare versions.
    #[serde(default)]
    pub server_version_numeric: Option<u64>,
    /// When it was enrolled or adopted, by this device's clock.
    pub enrolled: Timestamp,
    /// What the server last acknowledged of what the device reported; unknown after an adoption.
    pub reported: Option<DeviceReport>,
    /// When the report was made that the server last answered, by this device's clock; unknown after one of an
    /// older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// A report that the server refused, which is not sent again by itself.
    #[serde(default)]
    pub refused_report: Option<DeviceReport>,
    /// What people want reported instead of what is found.
    #[serde(default)]
    pub overrides: Overrides,
}

impl Identity {
    pub(in crate::agent) fn new(server: ServerUrl, device: DeviceIdentity) -> Self {
        Self {
            server,
            organizer: device.organizer,
            device_id: device.device_id,
            unique_serial: device.unique_serial,
            name: device.name,
            security_profile: device.security_profile,
            gate: device.gate,
            server_version: None,
            server_version_numeric: None,
            enrolled: clock::now(),
            reported: None,
            reported_at: None,
            refused_report: None,
            overrides: Overrides::default(),
        }
    }

    /// Which device it is, for a person who looks for it on its server.
    pub fn in_words(&self) -> String {
        format!(
            "{:?} (device {} of {} at {})",
            self.name, self.device_id, self.organizer, self.server
        )
    }

    /// Whether an answer is about this device: by the serial, which is unique on the server; where a
    /// server does not tell it, by the number.
    pub(in crate::agent) fn is(&self, device: &DeviceIdentity) -> bool {
        if !self.unique_serial.is_empty() && !device.unique_serial.is_empty() {
            self.unique_serial == device.unique_serial
        } else if self.device_id > 0 && device.device_id > 0 {
            self.device_id == device.device_id && self.organizer == device.organizer
        } else {
            device.has_usable_key()
        }
    }

    /// Whether the same device is told of otherwise than here.
    pub(in crate::agent) fn is_told_otherwise(&self, now: &Self) -> bool {
        let told = |identity: &Self| {
            (
                identity.name.clone(),
                identity.security_profile.clone(),
                identity.gate.clone(),
                identity.server_version.clone(),
                identity.server_version_numeric,
            )
        };
        self.context() == now.context() && told(self) != told(now)
    }

    /// Takes over what the server tells and may change at any time.
    pub(in crate::agent) fn learn(&mut self, device: &DeviceIdentity) {
        if !device.name.is_empty() {
            self.name.clone_from(&device.name);
        }
        // Older servers leave both out, which says nothing about them.
        if device.security_profile.is_some() {
            self.security_profile.clone_from(&device.security_profile);
            self.gate.clone_from(&device.gate);
        }
    }

    /// The same from an answer of `device/info`.
    pub(in crate::agent) fn learn_info(&mut self, info: &DeviceInfo) {
        self.learn(&info.device);
        let version = &info.server.version;
        if !version.pretix.is_empty() {
            self.server_version = Some(version.pretix.clone());
        }
        if version.pretix_numeric > 0 {
            self.server_version_numeric = Some(version.pretix_numeric);
        }
    }

    /// Whether the server has to be told: something else than diagnostics differs from what it
    /// acknowledged, and it has not refused just that.
    pub(in crate::agent) fn is_outdated(&self, now: &DeviceReport) -> bool {
        let is_now = |report: &Option<DeviceReport>| {
            let report = report.as_ref();
            report.is_some_and(|report| report.is_same_but_diagnostics(now))
        };
        !is_now(&self.reported) && !is_now(&self.refused_report)
    }

    /// Whether the diagnostics of the last report are too old to be of use.
    pub(in crate::agent) fn is_stale(&self) -> bool {
        self.reported_at
            .is_none_or(|at| is_over(at, clock::now(), DIAGNOSTICS_HOLD))
    }

    /// Reads the identity without its key.
    pub(in crate::agent) fn load(vault: &Vault) -> Result<Option<Self>, RecordError> {
        entry::plain(vault, IDENTITY, vault.plain(IDENTITY)?)
    }

    pub(super) fn has_key(vault: &Vault) -> Result<bool, RecordError> {
        Ok(vault.has_sealed(API_KEY)?)
    }

    /// The device's key, opened.
    pub(in crate::agent) fn key(&self, vault: &Vault) -> Result<Secret, RecordError> {
        let key = vault.sealed(API_KEY, &self.context())?;
        let key = key.and_then(|key| String::from_utf8(key.to_vec()).ok());
        key.map(Secret::new)
            .ok_or_else(|| RecordError::NoKey { path: vault.path() })
    }

    /// Puts the identity into the vault in place of the one there; its key stays.
    pub(super) fn store(&self, change: &Change<'_>) -> Result<(), RecordError> {
        let text = serde_json::to_string(self).map_err(RecordError::Encode)?;
        Ok(change.put(IDENTITY, &text)?)
    }

    pub(in crate::agent) fn store_key(
        &self,
        change: &Change<'_>,
        key: &Secret,
    ) -> Result<(), RecordError> {
        Ok(change.put_sealed(API_KEY, &self.context(), key.expose().as_bytes())?)
    }

    pub(super) fn remove_key(change: &Change<'_>) -> Result<(), RecordError> {
        Ok(change.remove(API_KEY)?)
    }

    /// Whether this very device is still there.
    pub(in crate::agent) fn is_in(&self, change: &Change<'_>) -> Result<bool, RecordError> {
        let stored = change.plain(IDENTITY)?;
        // What can't be read was reported when it was loaded.
        let stored = stored.and_then(|text| serde_json::from_str::<Self>(&text).ok());
        Ok(stored.is_some_and(|stored| stored.context() == self.context()))
    }

    /// Reads, changes and writes the identity of this very device, if it is still there.
    pub(in crate::agent) fn edit(
        &self,
        change: &Change<'_>,
        work: impl FnOnce(&mut Self),
    ) -> Result<(), RecordError> {
        let Some(text) = change.plain(IDENTITY)? else {
            return Ok(());
        };
        // What can't be read was reported when it was loaded.
        let Ok(mut stored) = serde_json::from_str::<Self>(&text) else {
            return Ok(());
        };
        if stored.context() != self.context() {
            return Ok(());
        }
        let before = stored.clone();
        work(&mut stored);
        if stored == before {
            return Ok(());
        }
        stored.store(change)
    }

    /// What the device's secrets are bound to. With the server in it, a changed address in the vault
    /// makes the key unreadable instead of sending it elsewhere.
    pub(in crate::agent) fn context(&self) -> String {
        [
            self.server.to_string(),
            self.organizer.clone(),
            self.device_id.to_string(),
            self.unique_serial.clone(),
        ]
        .join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(version: serde_json::Value) -> DeviceInfo {
        let device = json!({"organizer": "o", "device_id": 1, "unique_serial": "s", "api_token": "k", "name": "Lane 1"});
        serde_json::from_value(json!({"device": device, "server": {"version": version}})).unwrap()
    }

    #[test]
    fn the_servers_version_is_kept_as_text_and_as_number_until_another_is_told() {
        let info = told(json!({"pretix": "2026.8.0", "pretix_numeric": 20_260_080_005_000_u64}));
        let mut identity = Identity::new("https://pretix.eu".parse().unwrap(), info.device.clone());
        let before = identity.clone();
        identity.learn_info(&info);
        assert_eq!(identity.server_version_numeric, Some(20_260_080_005_000));
        assert!(before.is_told_otherwise(&identity));

        identity.learn_info(&told(json!({})));
        assert_eq!(identity.server_version.as_deref(), Some("2026.8.0"));
        assert_eq!(identity.server_version_numeric, Some(20_260_080_005_000));
        identity.learn_info(&told(json!({"pretix_numeric": 20_260_090_000_000_u64})));
        assert_eq!(identity.server_version_numeric, Some(20_260_090_000_000));

        // As a vault from before the number was kept has it.
        let mut kept = serde_json::to_value(&identity).unwrap();
        kept.as_object_mut()
            .unwrap()
            .remove("server_version_numeric");
        let kept: Identity = serde_json::from_value(kept).unwrap();
        assert_eq!(kept.server_version_numeric, None);
    }

    #[test]
    fn what_holds_for_an_hour_is_over_an_hour_later_and_with_a_clock_that_was_set() {
        let at: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        for (now, expected) in [
            ("2026-11-29T12:00:00Z", false),
            ("2026-11-29T12:59:59Z", false),
            ("2026-11-29T13:00:00Z", true),
            ("2036-11-29T12:00:00Z", true),
            ("2026-11-29T11:59:58Z", false), // as the network's time sets it
            ("2026-11-29T11:00:00Z", true),
            ("1970-01-01T00:00:00Z", true),
        ] {
            let is_over = is_over(at, now.parse().unwrap(), DIAGNOSTICS_HOLD);
            assert_eq!(is_over, expected, "{now}");
        }
        for far in [Timestamp::MIN, Timestamp::MAX] {
            assert!(is_over(at, far, DIAGNOSTICS_HOLD) && is_over(far, at, DIAGNOSTICS_HOLD));
        }
    }
}
