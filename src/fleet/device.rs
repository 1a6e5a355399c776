//! A device as its server tells of it.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::wire::{Device, Gate, timestamp};

/// A device with what only some servers tell of it; what a server does not tell is absent.
#[derive(Clone, Serialize)]
pub(crate) struct FleetDevice {
    #[serde(flatten)]
    pub(crate) device: Device,
    #[serde(flatten)]
    pub(crate) more: More,
}

/// What only some servers tell; within, it is absent where there is nothing to tell.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct More {
    /// Where it is.
    #[serde(
        default,
        deserialize_with = "told",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) gate: Option<Option<Gate>>,
    /// When its key was last used.
    #[serde(
        default,
        deserialize_with = "told",
        serialize_with = "time",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) last_seen: Option<Option<Timestamp>>,
    /// Its diagnostics.
    #[serde(
        default,
        deserialize_with = "told",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) info: Option<Option<Value>>,
    /// What its code is good for.
    #[serde(
        default,
        deserialize_with = "known",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) code: Option<Code>,
    /// Whether it has a key that works.
    #[serde(
        default,
        deserialize_with = "known",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) has_key: Option<bool>,
}

/// What a code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Code {
    /// A scanner may redeem it.
    Open,
    /// A scanner has redeemed it.
    Used,
    /// Nobody may redeem it.
    Ended,
}

/// How far a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Its code was not used yet.
    Waiting,
    /// It has another code for a scanner to become it again.
    Reconnecting,
    /// Its code was ended before it was used, as by a backup that was restored.
    CodeEnded,
    /// A scanner is this device.
    Initialized,
    /// Its access has ended.
    Revoked,
}

impl Standing {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reconnecting => "reconnecting",
            Self::CodeEnded => "code ended",
            Self::Initialized => "initialized",
            Self::Revoked => "revoked",
        }
    }
}

impl FleetDevice {
    pub(crate) fn standing(&self) -> Standing {
        match (self.device.revoked, self.device.initialized, self.more.code) {
            (true, ..) => Standing::Revoked,
            (false, _, Some(Code::Ended)) => Standing::CodeEnded,
            (false, Some(_), Some(Code::Open)) => Standing::Reconnecting,
            (false, Some(_), _) => Standing::Initialized,
            (false, None, _) => Standing::Waiting,
        }
    }

    /// Whether this is its name, or its serial in whatever case.
    pub(super) fn goes_by(&self, word: &str) -> bool {
        self.device.name == word || self.device.unique_serial.eq_ignore_ascii_case(word)
    }

    /// Whether a scanner is to come yet.
    pub(crate) fn is_awaited(&self) -> bool {
        !matches!(self.standing(), Standing::Initialized | Standing::Revoked)
    }

    /// The token by which a scanner becomes it, if it has one that may be used.
    pub(crate) fn open_code(&self) -> Option<&Secret> {
        let is_open = matches!(self.standing(), Standing::Waiting | Standing::Reconnecting);
        let token = self.device.initialization_token.as_ref();
        token.filter(|_| is_open)
    }

    /// The same without the token that its code holds.
    pub(crate) fn without_token(mut self) -> Self {
        self.device.initialization_token = None;
        self
    }

    /// For a person, as `7 (Lane 7)`.
    pub(crate) fn in_words(&self) -> String {
        format!("{} ({})", self.device.device_id, self.device.name)
    }
}

/// Read twice rather than by `flatten`, which would leave copies of the token behind.
impl<'de> Deserialize<'de> for FleetDevice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = Zeroizing::new(String::from(Box::<str>::from(raw)));
        Ok(Self {
            device: serde_json::from_str(&text).map_err(de::Error::custom)?,
            // What a server tells otherwise than is known is as if it did not.
            more: serde_json::from_str(&text).unwrap_or_default(),
        })
    }
}

/// What is there, even if it is null.
fn told<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What is of a kind that is known; what a newer server tells may be of another.
fn known<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

fn time<S: serde::Serializer>(
    time: &Option<Option<Timestamp>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    timestamp::optional::serialize(&time.flatten(), serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn device(more: Value) -> FleetDevice {
        let mut device = json!({
            "device_id": 7, "unique_serial": "HHZ9LW9JWP390VFZ", "initialization_token": "kpp4jn8g2ynzonp6",
            "all_events": true, "limit_events": [], "revoked": false, "name": "Lane 7",
            "created": "2027-05-08T16:00:00.000000Z", "initialized": null, "hardware_brand": null,
            "hardware_model": null, "os_name": null, "os_version": null, "software_brand": null,
            "software_version": null, "security_profile": "full",
        });
        for (name, value) in more.as_object().unwrap() {
            device[name] = value.clone();
        }
        serde_json::from_str(&device.to_string()).unwrap()
    }

    #[test]
    fn what_a_server_does_not_tell_is_absent_and_what_is_not_there_is_null() {
        let plain = device(json!({}));
        assert!(plain.more.gate.is_none() && plain.more.last_seen.is_none());
        let told = serde_json::to_value(plain.without_token()).unwrap();
        for absent in [
            "gate",
            "last_seen",
            "info",
            "code",
            "has_key",
            "initialization_token",
        ] {
            assert!(told.get(absent).is_none(), "{told}");
        }
        let seen = "2027-05-08T17:00:00.000000Z";
        let gate = json!({"id": 1, "name": "North", "identifier": "north"});
        let more = device(json!({"gate": gate, "last_seen": seen}));
        let told = serde_json::to_value(&more).unwrap();
        assert_eq!((&told["gate"], &told["last_seen"]), (&gate, &json!(seen)));
        let nowhere = device(json!({"gate": null, "last_seen": null}));
        assert_eq!(nowhere.more.gate, Some(None));
        let told = serde_json::to_value(&nowhere).unwrap();
        assert_eq!(told["gate"], json!(null));
    }

    #[test]
    fn how_far_a_device_is_goes_by_its_code_where_that_is_told() {
        let used = "2027-05-08T17:00:00.000000Z";
        for (more, standing, is_open) in [
            (json!({}), Standing::Waiting, true),
            (json!({"code": "open"}), Standing::Waiting, true),
            (json!({"code": "ended"}), Standing::CodeEnded, false),
            (json!({"initialized": used}), Standing::Initialized, false),
            (
                json!({"initialized": used, "code": "used"}),
                Standing::Initialized,
                false,
            ),
            (
                json!({"initialized": used, "code": "open"}),
                Standing::Reconnecting,
                true,
            ),
            (
                json!({"initialized": used, "code": "ended"}),
                Standing::CodeEnded,
                false,
            ),
            (
                json!({"revoked": true, "code": "ended"}),
                Standing::Revoked,
                false,
            ),
            // What is not known is as if it was not told.
            (json!({"code": "lent"}), Standing::Waiting, true),
        ] {
            let device = device(more.clone());
            assert_eq!(device.standing(), standing, "{more}");
            assert_eq!(device.open_code().is_some(), is_open, "{more}");
        }
        let newer = device(json!({"code": "lent", "has_key": "perhaps", "gate": null}));
        assert_eq!(newer.more.gate, Some(None), "what else it tells is known");
    }
}
