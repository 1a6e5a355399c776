//! What devices of all kinds tell of themselves, from recorded trees and from this machine.

use std::fs;
use std::path::{Path, PathBuf};

use gatehand::facts::{Diagnostics, Facts};
use gatehand::wire::{DeviceReport, Text};
use proptest::prelude::*;
use serde_json::{Value, json};

fn tree(name: &str) -> PathBuf {
    let trees = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/facts");
    let tree = trees.join(name);
    assert!(tree.is_dir(), "{} is missing", tree.display());
    tree
}

fn report(facts: &Facts) -> DeviceReport {
    let text = |text| Text::fit(text).unwrap();
    facts.report(text("gatehand"), text("1"), None)
}

/// Brand, model, name and version of the operating system.
fn told(facts: &Facts) -> [Option<&str>; 4] {
    [
        Some(facts.hardware_brand.as_str()),
        Some(facts.hardware_model.as_str()),
        facts.os_name.as_ref().map(Text::as_str),
        facts.os_version.as_ref().map(Text::as_str),
    ]
}

#[test]
fn every_recorded_device_is_named_as_people_know_it() {
    let debian = "Debian GNU/Linux";
    for (name, expected) in [
        ("pc", ["Dell Inc.", "OptiPlex 3070", debian, "12.11"]),
        ("laptop", ["LENOVO", "ThinkPad T470", "Ubuntu", "24.04"]),
        (
            "raspberry-pi-4",
            ["Raspberry Pi", "4 Model B Rev 1.4", debian, "12.9"],
        ),
        (
            "vm-without-dmi",
            [
                "Unknown",
                "Virtual machine (AMD EPYC, x86_64)",
                "Linux",
                "6.1.102",
            ],
        ),
        (
            "oem-placeholders",
            ["ASRock", "X570M Pro4", "Arch Linux", "rolling"],
        ),
        ("zebra-tc25", ["Zebra", "TC25", "Android", "8.1.0"]),
    ] {
        let facts = Facts::read(&tree(name));
        assert_eq!(told(&facts), expected.map(Some), "{name}");
    }
}

#[test]
fn an_empty_root_folder_still_makes_a_report() {
    let root = tempfile::tempdir().unwrap();
    let facts = Facts::read(root.path());
    let model = format!("Computer ({})", std::env::consts::ARCH);
    assert_eq!(told(&facts), [Some("Unknown"), Some(&model), None, None]);
}

/// The part of the diagnostics that is read below a root folder.
fn recorded(name: &str) -> Value {
    let mut info = Diagnostics::read(&tree(name), Path::new("/")).to_json();
    let fields = info.as_object_mut().unwrap();
    fields.retain(|name, _| ["kernel_version", "battery", "mains_online"].contains(&&**name));
    info
}

#[test]
fn a_laptop_tells_what_both_its_batteries_hold_and_nothing_of_its_mouse() {
    assert_eq!(
        recorded("laptop"),
        json!({
            "kernel_version": "6.8.0-60-generic",
            "battery": {"percent": 71, "status": "discharging", "technology": "Li-ion"},
            "mains_online": false,
        })
    );
}

#[test]
fn a_scanner_tells_its_batterys_health() {
    assert_eq!(
        recorded("zebra-tc25"),
        json!({
            "kernel_version": "3.18.71-perf",
            "battery": {
                "percent": 87,
                "status": "discharging",
                "health": "Good",
                "temperature_celsius": 29.1,
                "technology": "Li-ion",
            },
            "mains_online": false,
        })
    );
}

#[test]
fn a_device_without_a_battery_says_nothing_of_one() {
    assert_eq!(recorded("pc"), json!({"kernel_version": "6.1.0-37-amd64"}));
}

#[test]
fn this_machine_has_facts_and_diagnostics() {
    let facts = Facts::read(Path::new("/"));
    assert!(facts.os_name.is_some(), "{facts:?}");

    let diagnostics = Diagnostics::read(Path::new("/"), Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(diagnostics.uptime_seconds.unwrap() > 0);
    let memory = diagnostics.memory.as_ref().unwrap();
    assert!(memory.total_bytes >= memory.available_bytes && memory.available_bytes > 0);
    assert!(diagnostics.load.as_ref().unwrap().one >= 0.0);
    assert!(diagnostics.kernel_version.is_some());

    let info = diagnostics.to_json();
    assert_eq!(info["memory"]["total_bytes"], json!(memory.total_bytes));
    let absent = |value: &Value| value.is_null();
    assert!(!info.as_object().unwrap().values().any(absent), "{info}");
}

/// Files that facts and diagnostics are read from.
const FILES: [&str; 16] = [
    "sys/class/dmi/id/sys_vendor",
    "sys/class/dmi/id/product_name",
    "sys/class/dmi/id/product_version",
    "sys/class/dmi/id/board_name",
    "proc/device-tree/model",
    "proc/device-tree/compatible",
    "proc/cpuinfo",
    "proc/sys/kernel/arch",
    "proc/sys/kernel/ostype",
    "proc/sys/kernel/osrelease",
    "etc/os-release",
    "etc/debian_version",
    "sys/class/power_supply/BAT0/capacity",
    "sys/class/power_supply/BAT0/energy_now",
    "sys/class/power_supply/BAT0/energy_full",
    "sys/class/power_supply/BAT0/health",
];

/// Bytes of all kinds, and lines that lead deeper into the parsers.
fn contents() -> impl Strategy<Value = Vec<u8>> {
    let line = "(NAME|ID|VERSION_ID|model name|flags)[=:][\"']?\\PC{0,300}\n";
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        prop::collection::vec(line, 0..4).prop_map(|lines| lines.concat().into_bytes()),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_files_hold_the_report_fits_the_wire(
        files in prop::collection::vec(prop::option::of(contents()), FILES.len())
    ) {
        let root = tempfile::tempdir().unwrap();
        for (file, contents) in FILES.iter().zip(files) {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(contents) = contents {
                fs::write(path, contents).unwrap();
            }
        }
        fs::create_dir_all(root.path().join("sys/class/power_supply/BAT0")).unwrap();
        fs::write(root.path().join("sys/class/power_supply/BAT0/type"), "Battery").unwrap();

        let report = report(&Facts::read(root.path()));
        let body = serde_json::to_string(&report).unwrap();
        prop_assert_eq!(serde_json::from_str::<DeviceReport>(&body).unwrap(), report);

        let info = Diagnostics::read(root.path(), root.path()).to_json();
        let percent = &info["battery"]["percent"];
        prop_assert!(percent.is_null() || percent.as_u64().unwrap() <= 100);
    }
}
