//! What became of each device, for people and for scripts.

use serde::Serialize;

use crate::causes;
use crate::cli::error::CliError;
use crate::cli::output;
use crate::cli::table::{self, whole, words};
use crate::fleet::{Effect, FleetDevice, FleetError, Outcome};

/// One device in the document.
#[derive(Serialize)]
struct Document<'o> {
    name: &'o str,
    result: &'static str,
    /// Why it failed.
    error: Option<String>,
    /// What is to be known of it besides.
    note: Option<&'o str>,
    /// As it is now, where it is.
    device: Option<FleetDevice>,
}

/// Tells of all, and fails if any has.
pub(super) fn ended(outcomes: Vec<Outcome>, json: bool) -> Result<(), CliError> {
    let told = self::outcomes(&outcomes, json);
    output::has_told(told, &in_words(&outcomes))?;
    failed(outcomes)
}

/// Tells of all.
pub(super) fn outcomes(outcomes: &[Outcome], json: bool) -> Result<(), CliError> {
    if json {
        let documents = outcomes.iter().map(|outcome| Document {
            name: &outcome.name,
            result: outcome.effect.word(),
            error: why(&outcome.effect),
            note: outcome.note.as_deref(),
            device: outcome.device.clone().map(FleetDevice::without_token),
        });
        return output::print_json(&documents.collect::<Vec<_>>());
    }
    in_columns(outcomes)
}

/// As a table; the error alone tells of one that failed.
pub(super) fn in_columns(outcomes: &[Outcome]) -> Result<(), CliError> {
    if let [
        Outcome {
            effect: Effect::Failed(_),
            ..
        },
    ] = outcomes
    {
        return Ok(());
    }
    let rows = outcomes.iter().map(|outcome| {
        let number = outcome.device.as_ref();
        let number = number.map(|device| device.device.device_id.to_string());
        let why = why(&outcome.effect).or_else(|| outcome.note.clone());
        let why = why.unwrap_or_default();
        let words = in_a_word(&outcome.effect).to_owned();
        vec![number.unwrap_or_default(), outcome.name.clone(), words, why]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let header = [whole("ID"), words("NAME"), whole("RESULT"), words("WHY")];
    table::print(&header, &rows)
}

fn in_a_word(effect: &Effect) -> &'static str {
    match effect {
        Effect::Done => "done",
        Effect::Left => "was so before",
        Effect::Would => "would be done",
        Effect::Failed(_) => "failed",
        Effect::NotTried => "not tried",
    }
}

pub(super) fn why(effect: &Effect) -> Option<String> {
    let Effect::Failed(error) = effect else {
        return None;
    };
    let words = [error.to_string()].into_iter().chain(causes::of(error));
    Some(words.collect::<Vec<_>>().join(": "))
}

/// All in a sentence.
fn in_words(outcomes: &[Outcome]) -> String {
    let done = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.effect, Effect::Done | Effect::Left))
        .count();
    format!(
        "{done} of {} are as they are to be.",
        output::counted(outcomes.len(), "device")
    )
}

/// The error of what failed, if anything did.
pub(super) fn failed(outcomes: Vec<Outcome>) -> Result<(), CliError> {
    let all = outcomes.len();
    let mut undone = 0;
    let mut first: Option<FleetError> = None;
    for outcome in outcomes {
        match outcome.effect {
            Effect::Done | Effect::Left | Effect::Would => {}
            Effect::NotTried => undone += 1,
            Effect::Failed(error) => {
                undone += 1;
                first.get_or_insert(error);
            }
        }
    }
    match first {
        None => Ok(()),
        Some(error) if all == 1 => Err(error.into()),
        Some(source) => Err(CliError::Undone {
            undone,
            all,
            source: Box::new(source),
        }),
    }
}
