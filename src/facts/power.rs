//! Battery and mains, from `/sys/class/power_supply` (see the kernel's sysfs-class-power).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{bounded, celsius};
use crate::wire::Text;

/// More supplies than any device has.
const MOST_SUPPLIES: usize = 64;

/// The battery that runs the device. Of several, `percent` tells what all hold together, the
/// rest is of the one in use: discharging, else charging, else the first by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Battery {
    /// Charge, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// What it is doing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<BatteryStatus>,
    /// The kernel's word: `Good`, `Overheat`, `Dead`, `Cold`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<Text>,
    /// Temperature in °C.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature_celsius: Option<f64>,
    /// Chemistry: `Li-ion`, `Li-poly`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technology: Option<Text>,
}

/// What a battery is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatteryStatus {
    /// It is being charged.
    Charging,
    /// The device runs on it.
    Discharging,
    /// The device runs on mains, and the battery is neither full nor being charged.
    NotCharging,
    /// It is full.
    Full,
}

/// What `sys/class/power_supply` below `root` tells.
pub(super) struct Power {
    pub(super) battery: Option<Battery>,
    /// Whether mains, USB or another supply from outside is connected.
    pub(super) mains_online: Option<bool>,
}

/// One folder of the class.
struct Supply(PathBuf);

impl Power {
    pub(super) fn read(root: &Path) -> Self {
        let (mut batteries, outside): (Vec<Supply>, Vec<Supply>) = supplies(root)
            .into_iter()
            .partition(|supply| supply.is("type", "Battery"));
        // Of a slot without a battery; an unplugged USB supply is not `present` either.
        batteries.retain(|slot| slot.number("present") != Some(0));
        Self {
            battery: combined(&batteries),
            mains_online: outside
                .iter()
                .filter_map(|supply| supply.number("online"))
                .map(|online| online > 0)
                .reduce(|some, online| some || online),
        }
    }
}

/// The supplies of the device itself, by name: not those of a mouse or the like.
fn supplies(root: &Path) -> Vec<Supply> {
    let Ok(entries) = fs::read_dir(root.join("sys/class/power_supply")) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .take(MOST_SUPPLIES)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(Supply)
        .filter(|supply| !supply.is("scope", "Device"))
        .collect()
}

fn combined(batteries: &[Supply]) -> Option<Battery> {
    let doing = |wanted| {
        let mut those = batteries.iter();
        those.find(move |battery| battery.status() == Some(wanted))
    };
    let in_use = doing(BatteryStatus::Discharging)
        .or_else(|| doing(BatteryStatus::Charging))
        .or_else(|| batteries.first())?;
    let battery = Battery {
        percent: percent(batteries),
        status: in_use.status(),
        health: in_use.word("health"),
        temperature_celsius: in_use
            .number("temp")
            .and_then(|tenths| celsius::plausible(tenths as f64 / 10.0)),
        technology: in_use.word("technology"),
    };
    let tells_nothing = battery.percent.is_none() && battery.status.is_none();
    (!tells_nothing).then_some(battery)
}

/// What all batteries hold together: the mean, by their sizes where each tells its own.
fn percent(batteries: &[Supply]) -> Option<u8> {
    let known: Vec<(f64, Option<f64>)> = batteries
        .iter()
        .filter_map(|battery| Some((battery.percent()?, battery.full("energy"))))
        .collect();
    let sized: Option<Vec<(f64, f64)>> = known
        .iter()
        .map(|(percent, size)| Some((*percent, (*size)?)))
        .collect();
    let sized = sized.unwrap_or_else(|| known.iter().map(|known| (known.0, 1.0)).collect());
    let whole: f64 = sized.iter().map(|(_, size)| size).sum();
    let held: f64 = sized.iter().map(|(percent, size)| percent * size).sum();
    (whole > 0.0).then(|| (held / whole).round().clamp(0.0, 100.0) as u8)
}

impl Supply {
    fn value(&self, file: &str) -> Option<Text> {
        bounded::value(&self.0.join(file))
    }

    fn is(&self, file: &str, word: &str) -> bool {
        self.value(file).is_some_and(|value| value.as_str() == word)
    }

    /// A value that says something.
    fn word(&self, file: &str) -> Option<Text> {
        self.value(file).filter(|word| word.as_str() != "Unknown")
    }

    fn number(&self, file: &str) -> Option<i64> {
        self.value(file)?.as_str().parse().ok()
    }

    fn status(&self) -> Option<BatteryStatus> {
        match self.value("status")?.as_str() {
            "Charging" => Some(BatteryStatus::Charging),
            "Discharging" => Some(BatteryStatus::Discharging),
            "Not charging" => Some(BatteryStatus::NotCharging),
            "Full" => Some(BatteryStatus::Full),
            _ => None,
        }
    }

    fn percent(&self) -> Option<f64> {
        let told = self.number("capacity").map(|percent| percent as f64);
        told.filter(|percent| (0.0..=100.0).contains(percent))
            .or_else(|| self.filled("energy"))
            .or_else(|| self.filled("charge"))
    }

    /// How full it is, from what it holds now. A new battery holds a little more than its size.
    fn filled(&self, measure: &str) -> Option<f64> {
        let now = self.number(&format!("{measure}_now"))?;
        let percent = now as f64 / self.full(measure)? * 100.0;
        (0.0..=110.0)
            .contains(&percent)
            .then_some(percent.min(100.0))
    }

    /// Its size: `energy` in µWh, `charge` in µAh.
    fn full(&self, measure: &str) -> Option<f64> {
        let full = self.number(&format!("{measure}_full"))?;
        (full > 0).then_some(full as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a device with these supplies tells; a supply is a name and lines of `file=value`.
    fn read_supplies(supplies: &[(&str, &str)]) -> Power {
        let root = tempfile::tempdir().unwrap();
        for (name, files) in supplies {
            let folder = root.path().join("sys/class/power_supply").join(name);
            fs::create_dir_all(&folder).unwrap();
            for (file, value) in files.split(' ').map(|file| file.split_once('=').unwrap()) {
                fs::write(folder.join(file), format!("{value}\n")).unwrap();
            }
        }
        Power::read(root.path())
    }

    fn percent_of(files: &str) -> Option<u8> {
        let power = read_supplies(&[("BAT0", &format!("type=Battery status=Full {files}"))]);
        power.battery.unwrap().percent
    }

    #[test]
    fn charge_is_taken_from_the_first_sane_source() {
        assert_eq!(percent_of("capacity=87"), Some(87));
        assert_eq!(percent_of("capacity=0"), Some(0));
        assert_eq!(
            percent_of("energy_now=25000000 energy_full=50000000"),
            Some(50)
        );
        assert_eq!(percent_of("charge_now=1010 charge_full=1000"), Some(100));
        assert_eq!(
            percent_of("capacity=255 charge_now=1 charge_full=3"),
            Some(33)
        );
        for garbage in [
            "capacity=-1",
            "capacity=full",
            "energy_now=5 energy_full=0",
            "energy_now=-5 energy_full=10",
            "charge_now=500 charge_full=10",
            "charge_now=99999999999999999999 charge_full=10",
        ] {
            assert_eq!(percent_of(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn several_batteries_count_by_their_size() {
        let power = read_supplies(&[
            (
                "BAT0",
                "type=Battery capacity=100 status=Full energy_full=10000000",
            ),
            (
                "BAT1",
                "type=Battery capacity=50 status=Discharging energy_full=40000000",
            ),
        ]);
        let battery = power.battery.unwrap();
        assert_eq!(battery.percent, Some(60));
        assert_eq!(battery.status, Some(BatteryStatus::Discharging));

        let unequal = read_supplies(&[
            ("BAT0", "type=Battery capacity=100 energy_full=10000000"),
            ("BAT1", "type=Battery capacity=50"),
        ]);
        assert_eq!(unequal.battery.unwrap().percent, Some(75));
    }

    #[test]
    fn a_mouse_and_an_empty_slot_are_no_battery() {
        let power = read_supplies(&[
            ("BAT1", "type=Battery present=0 capacity=0"),
            ("hidpp_battery_0", "type=Battery scope=Device capacity=5"),
        ]);
        assert_eq!(power.battery, None);
        assert_eq!(power.mains_online, None);
    }

    #[test]
    fn any_supply_from_outside_counts_as_mains() {
        let online = |ac: &str, usb: &str| {
            read_supplies(&[
                ("AC", &format!("type=Mains online={ac}")),
                ("ucsi", &format!("type=USB online={usb}")),
            ])
            .mains_online
        };
        assert_eq!(online("0", "0"), Some(false));
        assert_eq!(online("0", "1"), Some(true));
        assert_eq!(online("1", "?"), Some(true));
        assert_eq!(online("?", "?"), None);
    }

    #[test]
    fn what_the_kernel_does_not_know_is_left_out() {
        let power = read_supplies(&[(
            "battery",
            "type=Battery capacity=42 status=Unknown health=Unknown technology=Li-ion temp=99999",
        )]);
        assert_eq!(
            serde_json::to_value(power.battery).unwrap(),
            serde_json::json!({"percent": 42, "technology": "Li-ion"})
        );
    }
}
