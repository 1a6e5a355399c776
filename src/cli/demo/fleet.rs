//! A fleet to look at: devices in all states, of which some connect while one watches.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::desk::Desk;
use super::organizer::{EVENT, FAIR, GATES};
use crate::cli::error::CliError;
use crate::secret::Secret;
use crate::server::model::{NewDevice, ValidReport};
use crate::server::store::{Actor, Administration, Sample, Sighting, Terms};

/// What the devices are: brand, model, operating system and its version.
const MACHINES: [[&str; 4]; 5] = [
    ["Zebra", "TC25", "Android", "8.1.0"],
    ["Zebra", "TC57", "Android", "11"],
    ["Honeywell", "CT40", "Android", "9"],
    ["Samsung", "Galaxy XCover 5", "Android", "13"],
    ["Raspberry Pi", "4 Model B", "Debian GNU/Linux", "12.11"],
];

/// The program that they run, of which some have the one before.
const PROGRAM: &str = "pretixSCAN";
const VERSIONS: [&str; 3] = ["2.8.1", "2.8.1", "2.7.0"];

/// How often something happens.
const PACE: Duration = Duration::from_secs(15);

/// Each so many devices are how.
const FLEET: [(State, usize); 5] = [
    (State::Active, 22),
    (State::Silent, 4),
    (State::Reconnecting, 3),
    (State::Revoked, 3),
    (State::Waiting, 6),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Silent,
    Reconnecting,
    Revoked,
    Waiting,
}

/// The devices that go on by themselves.
pub(super) struct Fleet {
    /// The keys of those that are heard of.
    active: Vec<Secret>,
    /// The numbers of those that wait for a scanner.
    waiting: Vec<u64>,
}

impl Fleet {
    /// Makes the devices.
    pub(super) async fn make(store: &dyn Administration, organizer: i64) -> Result<Self, CliError> {
        let states: Vec<State> = FLEET
            .iter()
            .flat_map(|(state, count)| std::iter::repeat_n(*state, *count))
            .collect();
        let new = (0..states.len()).map(new_device).collect();
        let actor = Actor::Administrator;
        let made = store.create_devices(actor, organizer, new, Terms::default());
        let made = made.await?;
        let mut fleet = Self {
            active: Vec::new(),
            waiting: Vec::new(),
        };
        for (place, (state, device)) in states.into_iter().zip(made).enumerate() {
            let number = device.device_id;
            let token = device
                .initialization_token
                .filter(|_| state != State::Waiting);
            let Some(token) = token else {
                fleet.waiting.push(number);
                continue;
            };
            let key = Secret::new(format!("demo-{number}-{}", random()?));
            let report = report(place, 40 + place as u8);
            let redeemed = store.redeem_token(&token, report, &key, Terms::default());
            let Ok(enrolled) = redeemed.await? else {
                continue;
            };
            let ago = match state {
                State::Silent => SignedDuration::from_hours(3 + 4 * (place as i64 % 4)),
                _ => SignedDuration::from_secs(place as i64 % 50),
            };
            let seen = Timestamp::now() - ago;
            let sighting = Sighting {
                device: enrolled.id,
                organizer,
                seen,
            };
            store.note_seen(vec![sighting]).await?;
            store
                .add_samples(organizer, number, day(place, seen))
                .await?;
            match state {
                State::Active => fleet.active.push(key),
                State::Revoked => store.revoke_device(organizer, number).await?,
                State::Reconnecting => {
                    let renewed =
                        store.reconnect(actor, organizer, number, false, Terms::default());
                    // It is not revoked, and so has a fresh token now.
                    let _ = renewed.await?;
                }
                State::Silent | State::Waiting => {}
            }
        }
        Ok(fleet)
    }

    /// Has the devices call, and those that wait connect one after the other; when all have, one of them is set up
    /// anew, time and again.
    pub(super) async fn go_on(
        mut self,
        store: &dyn Administration,
        organizer: i64,
        desk: &Desk,
    ) -> Result<(), CliError> {
        let simulated = self.waiting.clone();
        for (round, number) in simulated.iter().cycle().enumerate() {
            tokio::time::sleep(PACE).await;
            let mut heard_of = Vec::with_capacity(self.active.len());
            for key in self.active.drain(..) {
                // One that was revoked on the page, or set up anew, is heard of no more.
                if desk.as_device(Some(&key), "info", None).await.is_ok() {
                    heard_of.push(key);
                }
            }
            self.active = heard_of;
            if round >= simulated.len() {
                let actor = Actor::Administrator;
                let renewed = store.reconnect(actor, organizer, *number, true, Terms::default());
                // It may be revoked on the page, as any other.
                if renewed.await?.is_err() {
                    continue;
                }
                tokio::time::sleep(PACE).await;
            }
            let device = store.device(organizer, *number).await?;
            let Some(device) = device.filter(|device| !device.revoked) else {
                continue;
            };
            let report = report(round, 97);
            let initialize = json!({
                "token": device.initialization_token.as_ref().map(Secret::expose),
                "hardware_brand": report.hardware_brand,
                "hardware_model": report.hardware_model,
                "os_name": report.os_name,
                "os_version": report.os_version,
                "software_brand": report.software_brand,
                "software_version": report.software_version,
                "info": report.info,
            });
            let Ok(identity) = desk.as_device(None, "initialize", Some(&initialize)).await else {
                // Somebody else has taken its token meanwhile, with a real scanner.
                continue;
            };
            if let Some(key) = identity.get("api_token").and_then(Value::as_str) {
                self.active.push(Secret::new(key.to_owned()));
            }
        }
        Ok(())
    }
}

fn new_device(place: usize) -> NewDevice {
    let at = place % GATES.len();
    let (gate, name) = GATES.get(at).copied().unwrap_or_default();
    let name = name.split(' ').next().unwrap_or_default();
    NewDevice {
        name: format!("{name} {:02}", place / GATES.len() + 1),
        all_events: place.is_multiple_of(4),
        limit_events: match place % 4 {
            0 => Vec::new(),
            3 => vec![EVENT.to_owned(), FAIR.to_owned()],
            _ => vec![EVENT.to_owned()],
        },
        security_profile: match place % 5 {
            4 => "pretixscan_online_kiosk".to_owned(),
            _ => "pretixscan".to_owned(),
        },
        gate: Some(gate.to_owned()),
    }
}

fn report(place: usize, battery: u8) -> ValidReport {
    let [brand, model, system, version] = MACHINES
        .get(place % MACHINES.len())
        .copied()
        .unwrap_or_default();
    let program = VERSIONS.get(place % VERSIONS.len()).copied();
    ValidReport {
        hardware_brand: brand.to_owned(),
        hardware_model: model.to_owned(),
        os_name: Some(system.to_owned()),
        os_version: Some(version.to_owned()),
        software_brand: PROGRAM.to_owned(),
        software_version: program.unwrap_or_default().to_owned(),
        info: Some(json!({
            "battery": {"percent": battery, "status": "discharging", "health": "Good"},
            "memory": {"total_bytes": 2_000_000_000_u64, "available_bytes": 900_000_000_u64},
            "disk": {"total_bytes": 16_000_000_000_u64, "available_bytes": 9_000_000_000_u64},
        })),
        rsa_pubkey: None,
    }
}

/// A day of reports up to this time: charged over night, and used since.
fn day(place: usize, until: Timestamp) -> Vec<Sample> {
    let hours = (1..24).rev();
    let samples = hours.map(|hour: i64| {
        let mains = hour > 9;
        let battery = match mains {
            true => 100 - 2 * (hour - 9),
            false => 100 - (9 - hour) * (4 + place as i64 % 4),
        };
        Sample {
            taken: until - SignedDuration::from_hours(hour),
            battery: u8::try_from(battery).ok(),
            mains: Some(mains),
        }
    });
    samples.collect()
}

fn random() -> Result<String, CliError> {
    let random = getrandom::u64().map_err(crate::agent::AgentError::Random)?;
    Ok(format!("{random:016x}"))
}
