//! The server with its devices and keys, and the bare routes with answers of its own.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::TIME;
use super::bare::{Recorded, Routes, sent};
use super::database::Database;
use super::importing::{enrolled, import, organizer, secret};
use super::load::{Load, Outcome, ask};
use super::processes::{ServerProcess, admin};
use super::requests::{Request, info, initialize, page, patch};

/// Devices that have a key.
pub const DEVICES: usize = 10_000;
const PAGE: usize = 50;
/// Has only devices that are to be initialized.
const NEWCOMERS: &str = "newcomers";
/// Devices that a run may initialize; it ends early if they are used up.
const NEWCOMERS_A_RUN: usize = 5_000;

/// A running server, and what to ask it and what to measure it by.
pub struct Installation {
    pub database: Database,
    pub server: ServerProcess,
    pub bare: ServerProcess,
    folder: PathBuf,
    /// May do everything.
    token: String,
    keys: Vec<String>,
}

impl Installation {
    /// One with so many devices, each of which has a key. The bare routes ask the same database for a device, if
    /// it is to be asked over a network.
    pub fn set_up(folder: &Path, database: Database, devices: usize) -> Self {
        let token = secret();
        let keys: Vec<String> = (0..devices).map(|_| secret()).collect();
        let organizer = organizer(&token);
        let devices = keys.iter().enumerate();
        let devices = devices.map(|(number, key)| enrolled(number, key));
        import(folder, &database, organizer, devices);
        let server = ServerProcess::gatehand(&database);
        let asked = [
            ("/api/v1/device/info", info(&keys[keys.len() / 2])),
            (
                "/api/v1/organizers/{organizer}/devices/",
                page(&token, keys.len() / PAGE / 2),
            ),
        ];
        let answers = asked
            .each_ref()
            .map(|(_, request)| ask(server.address, request));
        let routes = asked.iter().zip(&answers);
        let recorded: Vec<Recorded> = routes
            .map(|((route, _), answer)| Recorded::of(route, answer))
            .collect();
        let is_asked = database.name.starts_with("postgres:");
        let bare = Routes {
            recorded,
            database: is_asked.then(|| database.name.clone()),
        };
        let bare = bare.start();
        for ((_, request), answer) in asked.iter().zip(&answers) {
            assert_eq!(sent(&ask(bare.address, request)), sent(answer));
        }
        Self {
            database,
            server,
            bare,
            folder: folder.to_owned(),
            token,
            keys,
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Pages of devices.
    pub fn pages(&self) -> usize {
        self.keys.len() / PAGE
    }

    /// Has callers ask the server for one page over and over.
    pub fn run_page(&self, number: usize, connections: usize) -> Outcome {
        let load = Load {
            address: self.server.address,
            process: self.server.id(),
            connections,
            time: TIME,
        };
        load.run(any_of(vec![page(&self.token, number)]))
    }

    /// The tokens of new devices, to be initialized in this many runs.
    pub fn newcomers(&self, runs: usize) -> Vec<String> {
        let device = |_| json!({"name": secret(), "all_events": true, "security_profile": "full"});
        let devices = (0..runs * NEWCOMERS_A_RUN).map(device);
        let newcomers = json!({"slug": NEWCOMERS, "name": "Newcomers"});
        import(&self.folder, &self.database, newcomers, devices);
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
            Request::Info | Request::PostgresInfo => {
                let keys = self.keys.clone();
                load.run(move |next| {
                    next.extend(info(&keys[fastrand::usize(..keys.len())]).as_bytes());
                    true
                })
            }
            Request::Page => {
                let pages = 1..=self.pages();
                load.run(any_of(
                    pages.map(|number| page(&self.token, number)).collect(),
                ))
            }
            Request::Patch => {
                let (token, devices) = (self.token.clone(), self.keys.len());
                load.run(move |next| {
                    let device = fastrand::usize(1..=devices);
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
