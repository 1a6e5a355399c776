//! What was undone to read a code, in words.

use std::fmt;

use super::layout::Layout;
use super::mapping::Mapping;

/// What was undone to read a code: one mapping, or several that can't be told apart by the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone(Vec<Mapping>);

/// Layouts that are named at most where it may be any of them.
const NAMED: usize = 3;

impl Undone {
    /// Of mappings under each of which the text is a code. Caps lock alone rules out the others, as then do
    /// those of the layout that the system is known to be set to.
    pub(in crate::enrolment) fn of(mut candidates: Vec<Mapping>, system: Option<Layout>) -> Self {
        let is_caps_lock_alone = |mapping: &Mapping| mapping.scanner == mapping.system;
        if candidates.iter().any(is_caps_lock_alone) {
            candidates.retain(is_caps_lock_alone);
        }
        let is_systems = |mapping: &Mapping| Some(mapping.system) == system;
        if candidates.iter().any(is_systems) {
            candidates.retain(is_systems);
        }
        Self(candidates)
    }

    /// The layouts on one side, each once.
    fn layouts(&self, side: impl Fn(&Mapping) -> Layout) -> Vec<Layout> {
        let mut layouts: Vec<Layout> = Vec::new();
        for layout in self.0.iter().map(side) {
            if !layouts.contains(&layout) {
                layouts.push(layout);
            }
        }
        layouts
    }
}

impl fmt::Display for Undone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CAPS_LOCK: &str = "caps lock is on";
        if self
            .0
            .iter()
            .all(|mapping| mapping.scanner == mapping.system)
        {
            return formatter.write_str(CAPS_LOCK);
        }
        let scanners = self.layouts(|mapping| mapping.scanner);
        let systems = self.layouts(|mapping| mapping.system);
        match (scanners.len(), systems.len()) {
            (1, 1..=NAMED) | (1..=NAMED, 1) => write!(
                formatter,
                "the scanner is set to {} keyboard and this system to {} one",
                named(&scanners),
                named(&systems)
            )?,
            _ => formatter
                .write_str("the scanner and this system are set to different keyboard layouts")?,
        }
        match self.0.iter().all(|mapping| mapping.caps_lock) {
            true => write!(formatter, ", and {CAPS_LOCK}"),
            false => Ok(()),
        }
    }
}

/// The layouts with an article, as `an Italian or Spanish`.
fn named(layouts: &[Layout]) -> String {
    let names: Vec<&str> = layouts.iter().map(|layout| layout.name()).collect();
    // It is said as you-ess.
    let is_vowel = names
        .first()
        .is_some_and(|name| name.starts_with(['A', 'E', 'I', 'O']));
    let article = if is_vowel { "an" } else { "a" };
    format!("{article} {}", names.join(" or "))
}
