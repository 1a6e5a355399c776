//! Cutting the power after each thing that a recorded process did, in every way that counts.

use std::collections::HashMap;
use std::path::Path;

use super::disk::{Cut, Disk, State, WHOLE};
use super::recording::{Action, Event};

/// States with one change missing, or only one made, that are looked at after each event.
const SINGLES: usize = 10;
/// States with a random choice of changes that are looked at after each event.
const RANDOM: usize = 4;
/// Samples of each content that a check returns.
const SAMPLES: usize = 3;

/// Where states are written: in memory if that is possible.
pub fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// By what the random part is chosen.
pub fn seed() -> u64 {
    let seed = std::env::var(SEED).unwrap_or_else(|_| "1".to_owned());
    seed.parse().unwrap()
}

const SEED: &str = "GATEHAND_TEST_SEED";

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

/// States that a power cut may leave now, most telling first; which of the many depends on
/// `random`.
fn cuts(disk: &Disk, random: &mut Random) -> Vec<Cut> {
    let open = disk.uncertain();
    let everything = disk.everything();
    let mut certain = everything.clone();
    certain.retain(|change, _| open.binary_search(change).is_err());

    let mut cuts = vec![everything.clone(), certain.clone()];
    let writes = open.iter().rev().copied();
    if let Some((last, sectors)) = writes
        .filter_map(|change| Some((change, disk.sectors(change)?)))
        .next()
    {
        let begins = (0..sectors).map(|kept| (1 << kept) - 1);
        let some = random.below(1 << sectors) as u64;
        cuts.extend(begins.chain([some]).map(|kept| {
            let mut torn = everything.clone();
            torn.insert(last, kept);
            torn
        }));
    }
    let mut singles: Vec<(usize, bool)> = open
        .iter()
        .flat_map(|&change| [(change, true), (change, false)])
        .collect();
    while singles.len() > SINGLES {
        singles.swap_remove(random.below(singles.len()));
    }
    for (change, is_missing) in singles {
        let mut cut = if is_missing { &everything } else { &certain }.clone();
        if is_missing {
            cut.remove(&change);
        } else {
            cut.insert(change, WHOLE);
        }
        cuts.push(cut);
    }
    for _ in 0..if open.is_empty() { 0 } else { RANDOM } {
        let mut cut = certain.clone();
        for &change in &open {
            let kept = match (random.below(4), disk.sectors(change)) {
                (0 | 1, _) => continue,
                (2, Some(sectors)) => random.below(1 << sectors) as u64,
                _ => WHOLE,
            };
            cut.insert(change, kept);
        }
        cuts.push(cut);
    }
    cuts
}

/// What a state holds, as its owner sees it.
pub type Content = Vec<String>;

/// Opens a state and says what it holds, or why it is of no use.
pub type Look<'a> = &'a dyn Fn(&Path) -> Result<Content, String>;

/// A state that should not be.
pub struct Finding {
    /// How many events happened before the power cut.
    pub point: usize,
    /// The last of them.
    pub after: String,
    /// What was lost and kept of what was not certain.
    pub cut: String,
    pub problem: String,
}

/// What a check looked at.
#[derive(Default)]
pub struct Checked {
    /// States that differ.
    pub states: usize,
    /// What was committed, in turn.
    pub contents: Vec<Content>,
    /// Some states of each content from after somebody was told something.
    pub samples: Vec<Sample>,
}

/// A state in a folder of its own.
pub struct Sample {
    pub folder: tempfile::TempDir,
    pub content: Content,
    /// How many events happened before the power cut.
    pub point: usize,
}

/// Cuts the power after every event. Whatever the disk then holds must be something that was
/// committed, and nothing older than what it held when the process last told anybody anything or
/// ended well.
pub fn check(
    mut disk: Disk,
    events: &[Event],
    random: &mut Random,
    look: Look<'_>,
) -> Result<Checked, Finding> {
    let mut checked = Checked::default();
    let mut seen: HashMap<State, Content> = HashMap::new();
    let mut offered: HashMap<Content, usize> = HashMap::new();
    let (mut certain, mut told) = (0, false);
    for point in 0..=events.len() {
        let last = point.checked_sub(1).map(|place| &events[place]);
        if let Some(event) = last {
            disk.apply(event);
        }
        let cuts = cuts(&disk, random);
        for (number, cut) in cuts.iter().enumerate() {
            let state = disk.state(cut);
            let mut finding = |problem: String| Finding {
                point,
                after: last.map_or_else(|| "nothing".to_owned(), summary),
                cut: disk.describe(cut),
                problem,
            };
            if !seen.contains_key(&state) {
                let folder = scratch();
                disk.write(&state, folder.path());
                let found = look(folder.path());
                seen.insert(state.clone(), found.map_err(&mut finding)?);
                checked.states += 1;
            }
            let content = &seen[&state];
            // The first is the one with everything: what is visible now.
            if number == 0 {
                if checked.contents.last() != Some(content) {
                    checked.contents.push(content.clone());
                }
                if last.is_some_and(is_acknowledgement) {
                    certain = checked.contents.len() - 1;
                    told = true;
                }
            }
            if !checked.contents[certain..].contains(content) {
                let newest = &checked.contents[certain];
                let why = if checked.contents.contains(content) {
                    "older than what was acknowledged"
                } else {
                    "never committed"
                };
                return Err(finding(format!(
                    "it holds what is {why}: {content:#?}\nand not {newest:#?}"
                )));
            }
            if told {
                // Each sample gives way to a later one, but less and less often.
                let offered = offered.entry(content.clone()).or_default();
                *offered += 1;
                let place = random.below(*offered);
                if place < SAMPLES {
                    let folder = scratch();
                    disk.write(&state, folder.path());
                    let content = content.clone();
                    let sample = Sample {
                        folder,
                        content,
                        point,
                    };
                    let same = |old: &&mut Sample| old.content == sample.content;
                    match checked.samples.iter_mut().filter(same).nth(place) {
                        Some(old) => *old = sample,
                        None => checked.samples.push(sample),
                    }
                }
            }
        }
    }
    Ok(checked)
}

/// The same events of a program that leaves out syncs: a check that finds no fault then is worth
/// nothing. The files are in `folder`; a sync of a folder above counts as one of it.
pub fn without_syncs(events: &[Event], folder: &Path) -> [(&'static str, Vec<Event>); 3] {
    let without = |is_left_out: fn(bool) -> bool| {
        let is_kept = |event: &&Event| match &event.action {
            Action::Sync { path } => !is_left_out(folder.starts_with(path)),
            _ => true,
        };
        events.iter().filter(is_kept).cloned().collect()
    };
    [
        ("without any sync", without(|_| true)),
        ("without syncs of files", without(|is_folder| !is_folder)),
        (
            "without syncs of the folder",
            without(|is_folder| is_folder),
        ),
    ]
}

/// Whether somebody was told something, or the process ended well.
fn is_acknowledgement(event: &Event) -> bool {
    matches!(
        event.action,
        Action::Told { .. } | Action::Ended { code: 0 }
    )
}

/// An event without its bytes.
fn summary(event: &Event) -> String {
    match &event.action {
        Action::Write {
            path,
            offset,
            bytes,
        } => format!("write of {} bytes at {offset} to {path:?}", bytes.len()),
        Action::Told { bytes } => format!("{} bytes told", bytes.len()),
        action => format!("{action:?}"),
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "power cut at point {}, after {}:\n{}{}\nto try the same again, set {SEED}={}",
            self.point,
            self.after,
            self.cut,
            self.problem,
            seed()
        )
    }
}
