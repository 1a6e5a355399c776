//! The agent's operations on a device's identity, for tests that try each under hard conditions.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use gatehand::agent::Status;
use gatehand::vault::{Folder, Vault};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::installation::Installation;
use super::scanner::Scanner;

/// Stands for the server's address in a command.
const URL: &str = "URL";
/// Stands for an initialization token that was not used.
const TOKEN: &str = "TOKEN";

/// A command that changes who a device is, and from where it starts.
pub struct Operation {
    pub name: &'static str,
    pub before: Before,
    /// Whether the device has access afterwards.
    pub keeps_access: bool,
    /// What follows `gatehand`.
    pub arguments: &'static [&'static str],
}

/// What is there before an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Before {
    Nothing,
    Enrolled,
    /// A device is enrolled, but its vault was damaged.
    Damaged,
}

/// Every operation; a new one is a line here.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "init", before: Before::Nothing, keeps_access: true, arguments: &["init", "--url", URL, "--token", TOKEN] },
    Operation { name: "init --replace", before: Before::Enrolled, keeps_access: true, arguments: &["init", "--replace", "--url", URL, "--token", TOKEN] },
    Operation { name: "init --replace --revoke-old", before: Before::Enrolled, keeps_access: true, arguments: &["init", "--replace", "--revoke-old", "--url", URL, "--token", TOKEN] },
    Operation { name: "update", before: Before::Enrolled, keeps_access: true, arguments: &["update", "--hardware-brand", "New"] },
    Operation { name: "roll", before: Before::Enrolled, keeps_access: true, arguments: &["roll"] },
    Operation { name: "revoke", before: Before::Enrolled, keeps_access: false, arguments: &["revoke", "--yes"] },
    Operation { name: "init --replace of a damaged vault", before: Before::Damaged, keeps_access: true, arguments: &["init", "--replace", "--url", URL, "--token", TOKEN] },
];

/// A device for which an operation can be run.
pub struct Prepared {
    pub scanner: Scanner,
    pub arguments: Vec<String>,
}

impl Operation {
    /// Asserts that the operation came to its end: the device has its identity and a key that works,
    /// or none if it was to lose its access.
    #[track_caller]
    pub fn assert_done(&self, home: &Path, what: &str) {
        let works = key_works(home).unwrap_or_else(|| panic!("no identity after {what}"));
        assert_eq!(
            works,
            self.keeps_access.then_some(true),
            "the key after {what}"
        );
    }

    /// A new device at this server.
    pub fn prepare(&self, server: &Installation) -> Prepared {
        let scanner = Scanner::new();
        if self.before != Before::Nothing {
            let token = server.create_device("before");
            scanner.init(&server.url, &token, &[]).succeeds();
        }
        if self.before == Before::Damaged {
            let vault = scanner.home().join("vault.db");
            let mut bytes = fs::read(&vault).unwrap();
            bytes.truncate(bytes.len() / 2);
            fs::write(vault, bytes).unwrap();
        }
        let arguments = self.arguments.iter().map(|&argument| match argument {
            URL => server.url.clone(),
            TOKEN => server.create_device("after"),
            argument => argument.to_owned(),
        });
        Prepared {
            arguments: arguments.collect(),
            scanner,
        }
    }
}

impl Prepared {
    pub fn arguments(&self) -> Vec<&str> {
        self.arguments.iter().map(String::as_str).collect()
    }

    /// The command of the operation, not started yet.
    pub fn command(&self) -> std::process::Command {
        self.scanner.command(&self.arguments())
    }
}

/// Where an operation stands, by what its vault holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    NotBegun,
    Begun,
    Finished,
}

/// Entries that are not about the device.
const OWN_ENTRIES: [&str; 2] = ["key check", "reserve"];
/// What the names of entries of begun operations begin with.
const OPERATION: &str = "operation";
/// What the entry of devices to be revoked begins with.
const REPLACED: &str = "replaced devices";

/// The vault's entries about the device, as they are stored; none where there is no vault.
pub fn entries(home: &Path) -> Vec<String> {
    let path = home.join("vault.db");
    if !path.exists() {
        return Vec::new();
    }
    let vault = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let Ok(mut query) = vault.prepare("SELECT name, plain, hex(sealed) FROM entry ORDER BY name")
    else {
        return Vec::new();
    };
    let row = |row: &rusqlite::Row<'_>| {
        let (plain, sealed): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        Ok((row.get::<_, String>(0)?, plain.or(sealed)))
    };
    let rows = query.query_map([], row).unwrap().map(Result::unwrap);
    rows.filter(|(name, _)| !OWN_ENTRIES.contains(&name.as_str()))
        .map(|(name, value)| {
            let value = value.unwrap_or_default();
            match name.as_str() {
                "identity" => format!("{name}: {}", without_wishes(&value)),
                _ => format!("{name}: {value}"),
            }
        })
        .collect()
}

/// What people want reported is kept as soon as they say so, whatever becomes of the report.
fn without_wishes(identity: &str) -> Value {
    let mut identity: Value = serde_json::from_str(identity).unwrap();
    identity.as_object_mut().unwrap().remove("overrides");
    identity
}

/// Whether a device that lost its place is still to be revoked.
pub fn has_aftermath(entries: &[String]) -> bool {
    entries.iter().any(|entry| entry.starts_with(REPLACED))
}

/// Where the operation stands that began when the vault held `before`.
pub fn progress(before: &[String], now: &[String]) -> Progress {
    let is_operation = |entry: &&String| entry.starts_with(OPERATION);
    if now.iter().any(|entry| is_operation(&entry)) {
        let kept: Vec<_> = now.iter().filter(|entry| !is_operation(entry)).collect();
        assert!(
            kept.into_iter().eq(before),
            "{before:#?} is not kept: {now:#?}"
        );
        Progress::Begun
    } else if now == before {
        Progress::NotBegun
    } else {
        Progress::Finished
    }
}

/// Whether the server takes the key in the vault, if there is an identity and if it has a key.
fn key_works(home: &Path) -> Option<Option<bool>> {
    let folder = Folder::at(home).unwrap();
    let identity = Status::read(&folder).unwrap().identity?;
    let vault = Vault::look(&folder).unwrap()?;
    let context = [
        identity.server.to_string(),
        identity.organizer,
        identity.device_id.to_string(),
        identity.unique_serial,
    ];
    let Some(key) = vault.sealed("api key", &context.join("\n")).unwrap() else {
        return Some(None);
    };
    let key = String::from_utf8(key.to_vec()).unwrap();

    let server = identity.server.to_string();
    let address = server.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address.trim_end_matches('/')).unwrap();
    let request = format!(
        "GET /api/v1/device/info HTTP/1.1\r\nHost: localhost\r\nAuthorization: Device {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    Some(Some(answer.starts_with("HTTP/1.1 200")))
}
