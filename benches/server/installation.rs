//! The server with its devices and keys, and the bare routes with answers of its own.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::TIME;
use super::bare::{Recorded, sent};
use super::load::{Load, Outcome, ask};
use super::processes::{ServerProcess, admin};
use super::requests::{Request, info, initialize, page, patch};

pub const ORGANIZER: &str = "bigevents";
pub const GATE: &str = "MAIN";
/// Devices that have a key.
pub const DEVICES: usize = 10_000;
const PAGE: usize = 50;
/// Has only devices that are to be initialized.
const NEWCOMERS: &str = "newcomers";
/// Devices that a run may initialize; it ends early if they are used up.
const NEWCOMERS_A_RUN: usize = 5_000;

/// A running server, and what to ask it and what to measure it by.
pub struct Installation {
    pub database: PathBuf,
    pub server: ServerProcess,
    pub bare: ServerProcess,
    /// May do everything.
    token: String,
    keys: Vec<String>,
}

impl Installation {
    pub fn set_up(folder: &Path) -> Self {
        let database = folder.join("gatehand.db");
        let token = secret();
        let keys: Vec<String> = (0..DEVICES).map(|_| secret()).collect();
        let devices = keys.iter().enumerate().map(|(number, key)| {
            json!({
                "name": format!("Lane {number:05}"), "all_events": true, "security_profile": "full",
                "initialized": true, "api_token": key, "gate": GATE,
                "hardware_brand": "Zebra", "hardware_model": "TC25", "os_name": "Android",
                "os_version": "8.1.0", "software_brand": "pretixSCAN", "software_version": "1.5.1",
            })
        });
        let organizer = json!({
            "slug": ORGANIZER, "name": "Big Events",
            "gates": [{"identifier": GATE, "name": "Main"}],
            "teams": [{
                "name": "admins", "organizer_permissions": "all",
                "tokens": [{"name": "bench", "token": token, "active": true}],
            }],
            "devices": devices.collect::<Vec<_>>(),
        });
        import(&database, &organizer);
        let server = ServerProcess::gatehand(&database);
        let asked = [
            ("/api/v1/device/info", info(&keys[DEVICES / 2])),
            (
                "/api/v1/organizers/{organizer}/devices/",
                page(&token, DEVICES / PAGE / 2),
            ),
        ];
        let answers = asked
            .each_ref()
            .map(|(_, request)| ask(server.address, request));
        let routes = asked.iter().zip(&answers);
        let recorded: Vec<Recorded> = routes
            .map(|((route, _), answer)| Recorded::of(route, answer))
            .collect();
        let bare = ServerProcess::bare(&recorded);
        for ((_, request), answer) in asked.iter().zip(&answers) {
            assert_eq!(sent(&ask(bare.address, request)), sent(answer));
        }
        Self {
            database,
            server,
            bare,
            token,
            keys,
        }
    }

    pub fn folder(&self) -> &Path {
        self.database.parent().unwrap()
    }

    /// The tokens of new devices, to be initialized in this many runs.
    pub fn newcomers(&self, runs: usize) -> Vec<String> {
        let device = |_| json!({"name": secret(), "all_events": true, "security_profile": "full"});
        let devices = (0..runs * NEWCOMERS_A_RUN).map(device);
        let organizer = json!({
            "slug": NEWCOMERS, "name": "Newcomers", "devices": devices.collect::<Vec<_>>(),
        });
        import(&self.database, &organizer);
        let listed = admin(&self.database, &["device", "list", NEWCOMERS]);
        let listed: Vec<Value> = serde_json::from_slice(&listed).unwrap();
        let new = listed
            .iter()
            .filter(|device| device["initialized"].is_null());
        let tokens = new.map(|device| device["initialization_token"].as_str().unwrap());
        tokens.map(str::to_owned).collect()
    }

    /// Puts a load on one of the servers.
    pub fn run(
        &self,
        server: &ServerProcess,
        request: Request,
        connections: usize,
        newcomers: &mut Vec<String>,
    ) -> Outcome {
        let load = Load {
            address: server.address,
            process: server.id(),
            connections,
            time: TIME,
        };
        match request {
            Request::Info => load.run(any_of(self.keys.iter().map(|key| info(key)).collect())),
            Request::Page => {
                let pages = 1..=DEVICES / PAGE;
                load.run(any_of(
                    pages.map(|number| page(&self.token, number)).collect(),
                ))
            }
            Request::Patch => {
                let token = self.token.clone();
                load.run(move |next| {
                    let device = fastrand::usize(1..=DEVICES);
                    next.extend(patch(&token, device).as_bytes());
                    true
                })
            }
            Request::Initialize => {
                let kept = newcomers.len().saturating_sub(NEWCOMERS_A_RUN);
                let mut tokens = newcomers.split_off(kept).into_iter();
                load.run(move |next| {
                    let request = tokens.next().map(|token| initialize(&token));
                    next.extend(request.iter().flat_map(|request| request.as_bytes()));
                    request.is_some()
                })
            }
        }
    }
}

/// Chooses among requests, without an end.
fn any_of(requests: Vec<String>) -> impl FnMut(&mut Vec<u8>) -> bool {
    move |next| {
        next.extend(requests[fastrand::usize(..requests.len())].as_bytes());
        true
    }
}

/// A key or token.
pub fn secret() -> String {
    let letters = std::iter::repeat_with(|| fastrand::char('a'..='z'));
    letters.take(64).collect()
}

/// Brings an organizer in by `gatehand admin import`.
fn import(database: &Path, organizer: &Value) {
    let file = database.with_file_name("organizers.json");
    std::fs::write(&file, json!({"organizers": [organizer]}).to_string()).unwrap();
    admin(database, &["import", file.to_str().unwrap()]);
}
