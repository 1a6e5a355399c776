//! What all runs together have seen: a test that kills nothing would pass as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

#[derive(Default)]
pub struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    runs: usize,
    commands: usize,
    /// Processes that ended by a signal.
    killed: usize,
    /// By the last failpoint that a process reached which was killed at one.
    killed_at: BTreeMap<String, usize>,
    faults: BTreeMap<String, usize>,
    states: BTreeMap<String, usize>,
}

impl Tally {
    pub fn command(&self, was_killed: bool, killed_at: Option<&str>) {
        let mut counts = self.0.lock().unwrap();
        counts.commands += 1;
        counts.killed += usize::from(was_killed);
        if let Some(failpoint) = killed_at {
            *counts.killed_at.entry(failpoint.to_owned()).or_default() += 1;
        }
    }

    /// A run is over and has led to this state.
    pub fn run(&self, state: &str, faults: impl Iterator<Item = String>) {
        let mut counts = self.0.lock().unwrap();
        counts.runs += 1;
        *counts.states.entry(state.to_owned()).or_default() += 1;
        for fault in faults {
            let name = fault.split(['(', ' ']).next().unwrap_or_default();
            *counts.faults.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// Asserts that there were enough runs and kills, and one at every failpoint of the source.
    pub fn is_worth_the_name(&self, runs: usize) {
        let counts = self.0.lock().unwrap();
        assert!(counts.runs >= runs, "{} runs only", counts.runs);
        assert!(
            counts.killed * 2 >= counts.runs,
            "few processes were killed"
        );
        let mut missed = failpoints(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
        assert!(!missed.is_empty());
        // At each step of an enrolment list tests/command/enrolment_list.rs kills, at those of homes of keys and of
        // other hardware key_homes.rs, at those of a restored backup tests/server/restoring.rs.
        let elsewhere = ["enrolment list: ", "rekey: ", "import: ", "restore: "];
        missed.retain(|name| {
            let is_elsewhere = elsewhere.iter().any(|begin| name.starts_with(begin));
            !counts.killed_at.contains_key(name) && !is_elsewhere
        });
        assert!(missed.is_empty(), "nothing was killed at {missed:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap();
        let Counts {
            runs,
            commands,
            killed,
            ..
        } = &*counts;
        writeln!(
            f,
            "{runs} runs, {commands} commands, {killed} of them killed"
        )?;
        writeln!(f, "killed at: {:?}", counts.killed_at)?;
        writeln!(f, "on the way: {:?}", counts.faults)?;
        write!(f, "ended: {:?}", counts.states)
    }
}

/// The names of the failpoints in the source.
pub fn failpoints(folder: &Path) -> BTreeSet<String> {
    const CALL: &str = "failpoint::reach(\"";
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names.append(&mut failpoints(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let calls = source.split(CALL).skip(1);
            names.extend(calls.map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    names
}
