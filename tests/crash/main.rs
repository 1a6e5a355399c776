//! No crash at any step or time, lost answer or killed server costs a device its identity.
//!
//! A run is a device that lives through operations with kills and faults and is then left in peace.
//! A failing one prints how it went and how to replay it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking and says how to replay it"
)]

#[path = "../common/mod.rs"]
mod common;
mod device;
mod key_homes;
mod process;
mod runs;
mod side_by_side;
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use device::Ground;
use runs::{Chain, Run};
use tally::Tally;

/// Devices that live at once. They mostly wait, be it for a pause between two attempts to end.
const WORKERS: usize = 16;
/// Runs with kills and faults at random, beside those that go through every step;
/// `GATEHAND_CRASH_RUNS` asks for another number, as for a night.
const RANDOM_RUNS: usize = 600;
const AT_LEAST: usize = 1000;

/// What is left to do for the workers.
struct Agenda {
    chains: Vec<Chain>,
    random: Vec<u64>,
    failures: Vec<String>,
}

#[test]
fn a_device_that_is_killed_at_any_step_is_in_one_good_state_and_never_lost() {
    let replayed: Option<Run> = std::env::var("GATEHAND_CRASH_SEED")
        .ok()
        .map(|seed| seed.parse().expect("a seed that a failing run printed"));
    let tally = Tally::default();
    if let Some(run) = replayed {
        live(&mut None, run, &tally).unwrap_or_else(|failure| panic!("{failure}"));
        return;
    }
    let runs = std::env::var("GATEHAND_CRASH_RUNS").ok();
    let runs = runs.map_or(RANDOM_RUNS, |runs| runs.parse().expect("a number of runs"));
    let mut seeds = fastrand::Rng::new();
    let agenda = Mutex::new(Agenda {
        chains: runs::chains(),
        random: (0..runs).map(|_| seeds.u64(..)).collect(),
        failures: Vec::new(),
    });
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| work(&agenda, &tally));
        }
    });
    let failures = agenda.into_inner().unwrap().failures;
    eprintln!("{tally}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    tally.is_worth_the_name(AT_LEAST.max(runs));
}

/// Takes runs from the agenda until there are none, or enough has failed.
fn work(agenda: &Mutex<Agenda>, tally: &Tally) {
    let mut ground = None;
    let fail = |failure: String| agenda.lock().unwrap().failures.push(failure);
    loop {
        let (chain, seed) = {
            let mut agenda = agenda.lock().unwrap();
            match agenda.failures.len() {
                0..5 => (agenda.chains.pop(), agenda.random.pop()),
                _ => return,
            }
        };
        let Some(chain) = chain else {
            let Some(seed) = seed else { break };
            if let Err(failure) = live(&mut ground, Run::Random(seed), tally) {
                fail(failure);
            }
            continue;
        };
        if let Some(seed) = seed {
            agenda.lock().unwrap().random.push(seed);
        }
        for step in 1.. {
            match live(&mut ground, Run::Systematic(chain, step), tally) {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    fail(failure);
                    break;
                }
            }
        }
    }
    if let Some(ground) = ground
        && let Err(failure) = caught(|| ground.has_no_other_devices())
    {
        fail(failure);
    }
}

/// Lets one device live; whether it was killed. After a failure the next run begins on new ground.
fn live(ground: &mut Option<Ground>, run: Run, tally: &Tally) -> Result<bool, String> {
    let there = ground.take().unwrap_or_else(Ground::new);
    let story = Mutex::new(Vec::new());
    match caught(|| run.live(&there, &story, tally)) {
        Ok(was_killed) => {
            *ground = Some(there);
            Ok(was_killed)
        }
        Err(why) => {
            let story = story
                .into_inner()
                .unwrap_or_else(|story| story.into_inner());
            Err(format!(
                "\nThe run {run} failed: {why}\nReplay it with: GATEHAND_CRASH_SEED={run} cargo test --features failpoints --test crash\n  {}\nOn the way:\n  {}",
                story.join("\n  "),
                there.way_went().join("\n  ")
            ))
        }
    }
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let words = panic
            .downcast_ref::<&str>()
            .map(|words| (*words).to_owned());
        text.or(words).unwrap_or_default()
    })
}
