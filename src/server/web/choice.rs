//! One of several values that a form offers.

use super::texts::alone;
use crate::server::store::Choices;
use crate::wire::SECURITY_PROFILES;

/// A value that a form offers.
pub(super) struct Choice {
    pub(super) value: String,
    /// As it may be shown.
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

impl Choice {
    pub(super) fn new(value: &str, label: &str, is_chosen: bool) -> Self {
        Self {
            value: value.to_owned(),
            label: alone(label).into_owned(),
            is_chosen,
        }
    }
}

/// The gates in use, and the one that is chosen, in use or not.
pub(super) fn gates(choices: &Choices, chosen: Option<&str>) -> Vec<Choice> {
    let gates = choices.gates.iter().map(|gate| {
        let is_chosen = chosen == Some(gate.identifier.as_str());
        let label = match gate.name == gate.identifier {
            true => gate.name.clone(),
            false => format!("{} ({})", gate.name, gate.identifier),
        };
        Choice::new(&gate.identifier, &label, is_chosen)
    });
    with_chosen(gates.collect(), chosen)
}

/// The events.
pub(super) fn events(choices: &Choices, language: &str, chosen: &[String]) -> Vec<Choice> {
    let events = choices
        .events
        .iter()
        .map(|(slug, name)| Choice::new(slug, name.text_in(language), chosen.contains(slug)));
    events.collect()
}

/// The security profiles.
pub(super) fn profiles(chosen: Option<&str>) -> Vec<Choice> {
    let profiles = SECURITY_PROFILES.iter();
    let profiles = profiles.map(|profile| Choice::new(profile, profile, chosen == Some(*profile)));
    with_chosen(profiles.collect(), chosen)
}

/// Programs that devices have reported.
pub(super) fn software(choices: &Choices, chosen: Option<&str>) -> Vec<Choice> {
    let programs = choices.software.iter();
    let programs =
        programs.map(|program| Choice::new(program, program, chosen == Some(program.as_str())));
    with_chosen(programs.collect(), chosen)
}

/// What is chosen is offered, whether it is among the others or not.
fn with_chosen(mut choices: Vec<Choice>, chosen: Option<&str>) -> Vec<Choice> {
    let is_missing = !choices.iter().any(|choice| choice.is_chosen);
    if let Some(chosen) = chosen.filter(|chosen| is_missing && !chosen.is_empty()) {
        choices.push(Choice::new(chosen, chosen, true));
    }
    choices
}
