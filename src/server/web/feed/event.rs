//! What was done to a device, as far as pages show it.

use serde_json::Value;

use crate::server::store::{LogEntry, News};

/// Something that was done to a device.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server::web) struct DeviceEvent {
    /// Whose device it is.
    pub(in crate::server::web) organizer: i64,
    /// Which of the organizer's.
    pub(in crate::server::web) device_id: u64,
    /// How people call it now.
    pub(in crate::server::web) name: String,
    /// What was done.
    pub(in crate::server::web) done: Done,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server::web) enum Done {
    /// It redeemed its token and has a key.
    Connected(Machine),
    /// It got another token: the one before is void.
    TokenRenewed,
    /// Nobody may redeem its token any more.
    TokenEnded,
    /// Its access has ended for good.
    Revoked,
    /// Anything else.
    Other,
}

/// Which device it is, as it told when it connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server::web) struct Machine {
    /// As `Zebra TC25`.
    pub(in crate::server::web) hardware: String,
    /// As `Android 8.1`.
    pub(in crate::server::web) system: String,
}

impl Machine {
    /// Of what a device told; what it did not tell is left out.
    pub(in crate::server::web) fn new(
        hardware: [Option<&str>; 2],
        system: [Option<&str>; 2],
    ) -> Self {
        let words = |pair: [Option<&str>; 2]| {
            let words: Vec<&str> = pair.into_iter().flatten().collect();
            words.join(" ")
        };
        Self {
            hardware: words(hardware),
            system: words(system),
        }
    }

    /// As `Zebra TC25, Android 8.1`.
    pub(in crate::server::web) fn in_words(&self) -> String {
        let words = [self.hardware.as_str(), self.system.as_str()];
        let words = words.into_iter().filter(|words| !words.is_empty());
        words.collect::<Vec<_>>().join(", ")
    }
}

impl From<News> for DeviceEvent {
    fn from(news: News) -> Self {
        Self {
            organizer: news.organizer,
            device_id: news.device_id,
            name: news.name,
            done: Done::of(&news.entry),
        }
    }
}

impl Done {
    fn of(entry: &LogEntry) -> Self {
        let told = |field: &str| entry.data.get(field).and_then(Value::as_str);
        match entry.action.as_str() {
            "initialized" | "reconnected" => Self::Connected(Machine::new(
                [told("hardware_brand"), told("hardware_model")],
                [told("os_name"), told("os_version")],
            )),
            "token renewed" => Self::TokenRenewed,
            "token ended" => Self::TokenEnded,
            "revoked" => Self::Revoked,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_machine_is_what_it_told() {
        let entry = |action: &str, data| LogEntry {
            created: jiff::Timestamp::UNIX_EPOCH,
            action: action.to_owned(),
            team: None,
            actor: "device".to_owned(),
            token: None,
            data,
        };
        for (data, words) in [
            (
                json!({"hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android", "os_version": "8.1"}),
                "Zebra TC25, Android 8.1",
            ),
            (
                json!({"hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": null}),
                "Zebra TC25",
            ),
            (json!({"os_name": "Debian"}), "Debian"),
            (json!({}), ""),
        ] {
            let done = Done::of(&entry("reconnected", data.clone()));
            let Done::Connected(machine) = done else {
                panic!("{data}: {done:?}");
            };
            assert_eq!(machine.in_words(), words, "{data}");
        }
        assert_eq!(Done::of(&entry("revoked", json!({}))), Done::Revoked);
        assert_eq!(Done::of(&entry("anything", json!({}))), Done::Other);
    }
}
