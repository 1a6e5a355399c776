//! Vaults and key files that were damaged or made by others. The first byte says what is damaged: the
//! whole file, bytes of it, the key, or what is written in its plain entries. A key is also read as a
//! server's secret is.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use gatehand::agent::{State, Status};
use gatehand::key_envelope;
use gatehand::vault::{Folder, Vault, VaultError};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

const CONTEXT: &str = "https://x.org\no\n7\nABCDEFGH12345678";
const IDENTITY: &str = r#"{"server": "https://x.org", "organizer": "o", "device_id": 7,
    "unique_serial": "ABCDEFGH12345678", "name": "Lane 7", "security_profile": "full",
    "gate": null, "enrolled": "2026-11-24T11:03:29Z", "reported": null}"#;

/// The files of an enrolled device.
static ENROLLED: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let (scratch, folder) = fresh();
    let mut vault = Vault::open(&folder).unwrap();
    vault
        .change::<_, VaultError>(|change| {
            change.put("identity", IDENTITY)?;
            change.put_sealed("api key", CONTEXT, &[b'k'; 64])
        })
        .unwrap();
    drop(vault);
    let read = |path| fs::read(path).unwrap();
    let files = (read(folder.vault_path()), read(folder.key_path()));
    drop(scratch);
    files
});

/// In memory where there is such a folder, because every run writes some files.
fn fresh() -> (TempDir, Folder) {
    let memory = Path::new("/dev/shm");
    let scratch = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    let scratch = scratch.unwrap();
    let folder = Folder::at(scratch.path()).unwrap();
    (scratch, folder)
}

fuzz_target!(|input: &[u8]| {
    let Some((&kind, input)) = input.split_first() else {
        return;
    };
    let (vault, key) = &*ENROLLED;
    let (mut vault, mut key) = (vault.clone(), Some(key.clone()));
    let mut entries = None;
    match kind % 6 {
        0 => vault = input.to_vec(),
        1 => patch(&mut vault, input),
        2 => vault.truncate(vault.len() * input.len() / 4096),
        3 => {
            let _ = key_envelope::read_text(input);
            key = Some(input.to_vec());
        }
        4 => key = None,
        _ => entries = Some(input),
    }
    if kind >= 128 {
        key = None;
    }
    let (_scratch, folder) = fresh();
    fs::write(folder.vault_path(), vault).unwrap();
    if let Some(key) = key {
        fs::write(folder.key_path(), key).unwrap();
    }
    if let Some(entries) = entries {
        rewrite(&folder, entries);
    }

    let looked = Status::read(&folder);
    tells_no_lie(&folder, &looked);
    if let Ok(Some(vault)) = Vault::look(&folder) {
        read_all(&vault);
    }
    if let Ok(vault) = Vault::open(&folder) {
        read_all(&vault);
    }
    let opened = Status::read(&folder);
    tells_no_lie(&folder, &opened);
});

/// Overwrites bytes: two for the place, one for the value.
fn patch(vault: &mut [u8], patches: &[u8]) {
    for patch in patches.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([patch[0], patch[1]]));
        let length = vault.len();
        vault[place % length] = patch[2];
    }
}

/// Puts texts into the plain entries, as one might who can write the file.
fn rewrite(folder: &Folder, texts: &[u8]) {
    let texts = String::from_utf8_lossy(texts);
    let (identity, standing) = texts.split_once('\n').unwrap_or((&texts, ""));
    let Ok(mut vault) = Vault::open(folder) else {
        return;
    };
    let _ = vault.change::<_, VaultError>(|change| {
        if !identity.is_empty() {
            change.put("identity", identity)?;
        }
        if !standing.is_empty() {
            change.put("standing", standing)?;
        }
        Ok(())
    });
}

fn read_all(vault: &Vault) {
    for name in ["identity", "standing", "api key", "operation", "reserve"] {
        let _ = vault.plain(name);
        let _ = vault.has_sealed(name);
        let _ = vault.sealed(name, CONTEXT);
    }
}

/// A device that is said to be able to make calls has a key, and that opens.
fn tells_no_lie<E>(folder: &Folder, status: &Result<Status, E>) {
    let Ok(status) = status else {
        return;
    };
    let is_usable = matches!(
        status.state,
        State::Enrolled | State::Rejected | State::AnswerLost
    );
    let Some(identity) = status.identity.as_ref().filter(|_| is_usable) else {
        assert!(!matches!(status.state, State::Enrolled | State::Rejected));
        return;
    };
    let context = [
        identity.server.to_string(),
        identity.organizer.clone(),
        identity.device_id.to_string(),
        identity.unique_serial.clone(),
    ]
    .join("\n");
    let vault = Vault::look(folder).unwrap().unwrap();
    assert_eq!(
        **vault.sealed("api key", &context).unwrap().unwrap(),
        [b'k'; 64]
    );
}
