//! A vault that moves to another home of its key, killed at any step: it opens, and the move can be made again.
//! A device that comes to other hardware, killed at any step: one of the two is it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde_json::Value;

use crate::common::credentials::Credentials;
use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::process::{Kill, Outcome, Running};
use crate::tally::failpoints;

/// From where the key moves, and how.
const MOVES: [(&str, &[&str]); 6] = [
    ("file", &["rekey"]),
    ("file", &["rekey", "--to", "credential"]),
    ("credential", &["rekey"]),
    ("credential", &["rekey", "--to", "file"]),
    ("lost", &["recover", "--to", "file"]),
    ("lost", &["recover", "--to", "credential"]),
];

struct Ground {
    installation: Installation,
    /// With the passphrase.
    file: PathBuf,
    /// The failpoints at which something was killed.
    killed_at: Mutex<BTreeSet<String>>,
}

impl Ground {
    fn new(scratch: &Path) -> Self {
        let file = scratch.join("words");
        fs::write(&file, "correct horse battery").unwrap();
        Self {
            installation: Installation::start(),
            file,
            killed_at: Mutex::default(),
        }
    }

    fn enrolled(&self) -> Scanner {
        let scanner = Scanner::new();
        let token = self.installation.create_device("Lane");
        scanner.init(&self.installation.url, &token, &[]).succeeds();
        scanner
    }

    /// A `gatehand vault` command, which needs a passphrase where a recovery file is written or read.
    fn arguments<'a>(&'a self, from: &str, words: &[&'a str]) -> Vec<&'a str> {
        let is_asked = words[0] == "recover"
            || words.contains(&"credential")
            || from == "credential" && words.len() == 1;
        let file = self.file.to_str().unwrap();
        let asked: &[&str] = match is_asked {
            true => &["--passphrase-file", file],
            false => &[],
        };
        [&["vault"], words, asked].concat()
    }

    fn killed(&self, outcome: &Outcome) {
        let mut killed_at = self.killed_at.lock().unwrap();
        killed_at.extend(outcome.killed_at.clone());
    }
}

#[test]
fn a_vault_whose_move_to_another_home_is_killed_at_any_step_opens_and_moves_again() {
    let scratch = tempfile::tempdir().unwrap();
    let ground = Ground::new(scratch.path());
    let agenda = Mutex::new(MOVES.to_vec());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some((from, words)) = { agenda.lock().unwrap().pop() } {
                    for step in 1.. {
                        if !killed_at_step(&ground, from, words, step) {
                            break;
                        }
                    }
                }
            });
        }
    });
    let mut missed = failpoints(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    missed.retain(|name| name.starts_with("rekey: "));
    let killed_at = ground.killed_at.into_inner().unwrap();
    assert!(missed.len() > 5);
    missed.retain(|name| !killed_at.contains(name));
    assert!(missed.is_empty(), "nothing was killed at {missed:?}");
}

fn killed_at_step(ground: &Ground, from: &str, words: &[&str], step: usize) -> bool {
    let scanner = ground.enrolled();
    let credentials = Credentials::of(&scanner);
    let vault = |from: &str, words: &[&str]| {
        let ended = credentials.run(&scanner, &ground.arguments(from, words));
        ended.succeeds();
    };
    if from != "file" {
        vault("file", &["rekey", "--to", "credential"]);
    }
    if from == "lost" {
        fs::write(credentials.file(), "nobody opens this").unwrap();
    }
    let said = format!("{words:?} from {from} at step {step}");
    let command = credentials.command(&scanner, &ground.arguments(from, words));
    let outcome = Running::start(command, said.clone(), Kill::AtStep(step)).finish();
    ground.killed(&outcome);
    assert!(
        outcome.was_killed || outcome.ended.code == 0,
        "{said}: {:?}",
        outcome.ended
    );
    let opens = || {
        let is_lost = fs::read(credentials.file()).is_ok_and(|file| file.starts_with(b"nobody"));
        let ended = match is_lost {
            true => scanner.run(&["info"]),
            false => credentials.run_loaded(&scanner, &["info"]),
        };
        (ended.code == 0, ended)
    };
    let recovery = scanner.home().join("vault.recovery");
    if from != "lost" {
        let (opens, ended) = opens();
        assert!(opens, "{said}: {ended:?}");
    }
    if outcome.was_killed {
        // A device that was recovered already has another home now.
        match words[0] == "recover" && !recovery.exists() {
            true => vault("file", &["rekey"]),
            // If all was done, there is nothing to recover any more.
            false if words[0] == "recover" => {
                let ended = credentials.run(&scanner, &ground.arguments(from, words));
                let is_over = ended.stderr.contains("nothing to recover");
                assert!(ended.code == 0 || is_over, "{said}: {ended:?}");
            }
            false => vault(from, words),
        }
    }
    let (opens, ended) = opens();
    assert!(opens, "{said}, and once more: {ended:?}");
    for folder in [
        scanner.home(),
        credentials.file().parent().unwrap().to_owned(),
    ] {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            let end = path.extension().unwrap_or_default();
            assert!(
                end != "next" && end != "new",
                "{said} left {}",
                path.display()
            );
        }
    }
    let is_in_file = scanner.home().join("vault.key").exists();
    let is_in_credential =
        words.contains(&"credential") || from == "credential" && words.len() == 1;
    assert_eq!(is_in_file, !is_in_credential, "{said}");
    outcome.was_killed
}

#[test]
fn a_device_whose_import_is_killed_at_any_step_is_on_one_machine_in_the_end() {
    let scratch = tempfile::tempdir().unwrap();
    let ground = Ground::new(scratch.path());
    for step in 1.. {
        let (old, new) = (ground.enrolled(), Scanner::new());
        let export = scratch.path().join(format!("{step}.gatehand"));
        let [export, words] = [&export, &ground.file].map(|path| path.to_str().unwrap());
        let sealed = ["--passphrase-file", words];
        let vault = |verb| [&["vault", verb, export][..], &sealed].concat();
        old.run(&vault("export")).succeeds();
        let kill = Kill::AtStep(step);
        let import = new.command(&vault("import"));
        let outcome = Running::start(import, format!("import at step {step}"), kill).finish();
        ground.killed(&outcome);
        if new.status()["state"] == "not-enrolled" {
            old.run(&["info"]).succeeds();
            new.run(&vault("import")).succeeds();
        }
        new.run(&["info"]).succeeds();
        assert_eq!(new.status()["pending"], Value::Null, "step {step}");
        old.run(&["info"]).complains(17, "does not accept");
        if !outcome.was_killed {
            break;
        }
    }
    let killed_at = ground.killed_at.into_inner().unwrap();
    for name in ["import: before storing", "import: stored"] {
        assert!(killed_at.contains(name), "nothing was killed at {name}");
    }
}
