//! What is brought in by `gatehand admin import`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::database::Database;
use super::processes::admin;

pub const ORGANIZER: &str = "bigevents";
pub const GATE: &str = "MAIN";

/// An organizer with a gate, and a team whose token may do everything.
pub fn organizer(token: &str) -> Value {
    json!({
        "slug": ORGANIZER, "name": "Big Events",
        "gates": [{"identifier": GATE, "name": "Main"}],
        "teams": [{
            "name": "admins", "organizer_permissions": "all",
            "tokens": [{"name": "bench", "token": token, "active": true}],
        }],
    })
}

/// A device that has this key.
pub fn enrolled(number: usize, key: &str) -> Value {
    json!({
        "name": format!("Lane {number:07}"), "all_events": true, "security_profile": "full",
        "initialized": true, "api_token": key, "gate": GATE,
        "hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android",
        "os_version": "8.1.0", "software_brand": "pretixSCAN", "software_version": "1.5.1",
    })
}

/// A key or token.
pub fn secret() -> String {
    let letters = std::iter::repeat_with(|| fastrand::char('a'..='z'));
    letters.take(64).collect()
}

/// Brings an organizer in with these devices, however many, by a file in this folder.
pub fn import(
    folder: &Path,
    database: &Database,
    organizer: Value,
    devices: impl Iterator<Item = Value>,
) {
    let path = folder.join("organizers.json");
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let organizer = organizer.to_string();
    let begin = organizer.strip_suffix('}').unwrap();
    write!(file, r#"{{"organizers": [{begin}, "devices": ["#).unwrap();
    for (number, device) in devices.enumerate() {
        let comma = if number == 0 { "" } else { "," };
        writeln!(file, "{comma}{device}").unwrap();
    }
    write!(file, "]}}]}}").unwrap();
    drop(file);
    admin(database, &["import", path.to_str().unwrap()]);
    std::fs::remove_file(path).unwrap();
}
