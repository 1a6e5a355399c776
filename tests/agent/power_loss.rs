//! A power cut at any moment costs no device: the real command is recorded, and its vault is opened
//! from every state that the disk may hold then.

use std::error::Error;
use std::fs;
use std::path::Path;

use gatehand::agent::Status;
use gatehand::seal::SealingKey;
use gatehand::vault::{Folder, Vault};

use crate::common::credentials::Credentials;
use crate::common::disk::Disk;
use crate::common::installation::Installation;
use crate::common::operations::{self, Before, OPERATIONS, Operation, Prepared, Progress};
use crate::common::power_cut::{self, Checked, Content, Finding, Random};
use crate::common::recording::{self, Event, Recorder};
use crate::common::scanner::{Scanner, end};

/// States that an operation leaves at least.
const ENOUGH: usize = 500;

/// An operation that was done while it was recorded.
struct Recorded {
    prepared: Prepared,
    /// The files before.
    disk: Disk,
    events: Vec<Event>,
}

fn record(operation: &Operation, server: &Installation) -> Recorded {
    let prepared = operation.prepare(server);
    let disk = Disk::of(prepared.scanner.scratch());
    let log = tempfile::tempdir().unwrap();
    let recorder = Recorder::to(log.path().join("log"));
    let mut command = recorder.command(&prepared.command());
    end(command.output().unwrap()).succeeds();
    let events = recorder.recording(prepared.scanner.scratch());
    Recorded {
        prepared,
        disk,
        events,
    }
}

/// Opens a vault as the next start of gatehand does, first to look and then to change.
fn look(folder: &Path, home: &Path) -> Result<Content, String> {
    let home = folder.join(home.file_name().unwrap());
    let folder = Folder::at(&home).unwrap();
    Status::read(&folder).map_err(in_words)?;
    Vault::open(&folder).map_err(in_words)?;
    Ok(operations::entries(&home))
}

fn in_words(error: impl Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words += &format!(": {error}");
        cause = error.source();
    }
    words
}

fn check(operation: &Operation, recorded: &Recorded, events: &[Event]) -> Result<Checked, Finding> {
    let home = recorded.prepared.scanner.home();
    let look = |folder: &Path| match look(folder, &home) {
        // It can't be opened before either; once something is told it has to be.
        Err(_) if operation.before == Before::Damaged => Ok(vec!["unusable".to_owned()]),
        looked => looked,
    };
    let mut random = Random(power_cut::seed());
    power_cut::check(recorded.disk.clone(), events, &mut random, &look)
}

/// What is left after a power cut is finished by the same command again. The server has used the
/// token up, so that this works under the idempotency key of the first try only.
fn goes_on(operation: &Operation, prepared: &Prepared, checked: &Checked) {
    let (first, last) = (&checked.contents[0], checked.contents.last().unwrap());
    let mut begun = 0;
    for sample in &checked.samples {
        let home = sample.folder.path().join("home");
        if sample.content != *last {
            if operation.before != Before::Damaged {
                let expected = match operations::has_aftermath(&sample.content) {
                    true => Progress::Finished,
                    false => Progress::Begun,
                };
                let progress = operations::progress(first, &sample.content);
                assert_eq!(progress, expected, "{}", operation.name);
            }
            let mut again = prepared.command();
            end(again.env("GATEHAND_HOME", &home).output().unwrap()).succeeds();
            begun += 1;
        }
        operation.assert_done(&home, operation.name);
        let ended = operations::entries(&home);
        assert!(!operations::has_aftermath(&ended), "{}", operation.name);
    }
    assert!(begun > 0, "{}: nothing was left to finish", operation.name);
}

#[test]
fn a_power_cut_costs_no_device() {
    if !recording::can_record() {
        return;
    }
    let server = Installation::start();
    for operation in OPERATIONS {
        let recorded = record(operation, &server);
        let after = recorded.disk.clone().after(&recorded.events);
        let there = Disk::of(recorded.prepared.scanner.scratch());
        assert!(
            after.files() == there.files(),
            "the recording misses something"
        );

        let name = operation.name;
        let checked = check(operation, &recorded, &recorded.events)
            .unwrap_or_else(|finding| panic!("{name}: {finding}"));
        assert!(checked.states > ENOUGH, "{name}: {}", checked.states);
        goes_on(operation, &recorded.prepared, &checked);
    }
}

/// Whoever leaves out a sync loses a device in some state, and the check finds it.
#[test]
fn without_its_syncs_the_same_recording_loses_the_device() {
    if !recording::can_record() {
        return;
    }
    let server = Installation::start();
    // Later operations write to files that have their names already.
    for operation in &OPERATIONS[..1] {
        let recorded = record(operation, &server);
        let home = recorded.prepared.scanner.home();
        for (how, events) in power_cut::without_syncs(&recorded.events, &home) {
            assert!(events.len() < recorded.events.len(), "{how}");
            let checked = check(operation, &recorded, &events);
            assert!(checked.is_err(), "{} {how}", operation.name);
        }
    }
}

/// A vault whose key lives in one of its homes, or in the one to which it goes.
fn opens(
    folder: &Path,
    credential: &Path,
    sealed: &[u8],
    key: [u8; 32],
) -> Result<Content, String> {
    let home = folder.join("home");
    let mut vault = Folder::at(&home).unwrap();
    // systemd opens what it has made, and nothing else.
    if fs::read(folder.join(credential)).is_ok_and(|file| file == sealed) {
        vault = vault.with_found_key(SealingKey::from_bytes(key));
    }
    Status::read(&vault).map_err(in_words)?;
    Vault::open(&vault).map_err(in_words)?;
    Ok(operations::entries(&home))
}

#[test]
fn a_power_cut_while_a_key_moves_leaves_a_vault_that_opens() {
    if !recording::can_record() {
        return;
    }
    let server = Installation::start();
    for to in ["file", "credential"] {
        let scanner = Scanner::new();
        let token = server.create_device("Lane");
        scanner.init(&server.url, &token, &[]).succeeds();
        let credentials = Credentials::of(&scanner);
        let file = credentials.file();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let disk = Disk::of(scanner.scratch());
        let log = tempfile::tempdir().unwrap();
        let recorder = Recorder::to(log.path().join("log"));
        let rekey = ["vault", "rekey", "--to", to];
        let no_recovery: &[&str] = match to {
            "file" => &[],
            _ => &["--no-recovery"],
        };
        let command = credentials.command(&scanner, &[&rekey[..], no_recovery].concat());
        let mut command = recorder.command(&command);
        end(command.output().unwrap()).succeeds();
        let events = recorder.recording(scanner.scratch());

        let sealed = fs::read(&file).unwrap_or_default();
        let key = credentials.key().unwrap_or([0; 32]);
        let credential = file.strip_prefix(scanner.scratch()).unwrap();
        let look = |folder: &Path| opens(folder, credential, &sealed, key);
        let mut random = Random(power_cut::seed());
        let checked = power_cut::check(disk.clone(), &events, &mut random, &look)
            .unwrap_or_else(|finding| panic!("to {to}: {finding}"));
        assert!(checked.states > ENOUGH / 10, "to {to}: {}", checked.states);
        assert!(checked.contents.len() > 2, "handed over, and not any more");
        // Without what is waited for the old key is gone before the new one is safe.
        let lost = power_cut::without_syncs(&events, &scanner.home());
        let found = lost.iter().filter(|(_, events)| {
            power_cut::check(disk.clone(), events, &mut Random(power_cut::seed()), &look).is_err()
        });
        assert!(found.count() > 0, "to {to}: the check finds nothing");
    }
}
