//! `gatehand event-selection`: what to scan for now.

use clap::Args;
use serde::Serialize;

use super::connection_arguments::ConnectionArguments;
use super::error::CliError;
use super::runtime;
use super::{device, output, progress};
use crate::agent::{Current, Identity, SelectedEvent, Suggestion};

const EXAMPLES: &str = "\
Examples:
  gatehand event-selection
  gatehand event-selection --event museum --checkin-list 3 --json";

/// The server does not say why there is nothing.
const ADVICE: &str = "see on the server which events this device may access and whether they are live; a server of gatehand's that was started with --log info has the reason in its log";

/// Ask the server what to scan for now.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct EventSelection {
    /// Slug of the event that is scanned for at present.
    #[arg(long, value_name = "SLUG")]
    event: Option<String>,
    /// Number of the date that is scanned for, in a series.
    #[arg(long, value_name = "NUMBER")]
    subevent: Option<i64>,
    /// Number of the check-in list that is scanned for.
    #[arg(long, value_name = "NUMBER")]
    checkin_list: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Serialize)]
struct SelectionDocument<'a> {
    /// `switch`, `keep` or `nothing`.
    result: &'static str,
    /// What may be the reason that there is nothing: the server does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    /// What to do then.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
    #[serde(flatten)]
    selected: Option<SelectedDocument<'a>>,
}

#[derive(Serialize)]
struct SelectedDocument<'a> {
    event: &'a SelectedEvent,
    subevent: Option<i64>,
    checkin_list: Option<i64>,
}

impl EventSelection {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = device::agent(&self.connection)?;
        let current = Current {
            event: self.event,
            subevent: self.subevent,
            checkin_list: self.checkin_list,
        };
        let what = format!("asking {}", device::server_name(&agent));
        let ask = progress::shown(&what, agent.event_selection(&current));
        let suggestion = runtime::for_calls()?.block_on(ask)?;
        let (result, selected) = match &suggestion {
            Suggestion::Switch(selected) => ("switch", Some(selected)),
            Suggestion::Keep => ("keep", None),
            Suggestion::Nothing => ("nothing", None),
        };
        let why = match suggestion {
            Suggestion::Nothing => {
                let identity = agent.status().ok().and_then(|status| status.identity);
                Some(why_nothing(identity.as_ref(), &current))
            }
            _ => None,
        };
        if self.json {
            let selected = selected.map(|selected| SelectedDocument {
                event: &selected.event,
                subevent: selected.subevent,
                checkin_list: selected.checkin_list,
            });
            return output::print_json(&SelectionDocument {
                result,
                advice: why.is_some().then_some(ADVICE),
                why: why.as_deref(),
                selected,
            });
        }
        if let Some(why) = why {
            output::print_line(&format!("There is nothing to scan for: {why}."))?;
            return output::print_line(&format!("What to do: {ADVICE}."));
        }
        let Some(selected) = selected else {
            return output::print_line("Keep scanning for what you have.");
        };
        let number = |number: Option<i64>| number.map_or("none".to_owned(), |n| n.to_string());
        output::print_table(&[
            (
                "Event",
                format!("{} ({})", text(&selected.event.name), selected.event.slug),
            ),
            ("Date", number(selected.subevent)),
            ("Check-in list", number(selected.checkin_list)),
        ])
    }
}

/// What may be the reason, as far as this device can know.
fn why_nothing(identity: Option<&Identity>, current: &Current) -> String {
    let gate = identity.and_then(|identity| identity.gate.as_ref());
    let lacking = match gate {
        None => "an active date".to_owned(),
        Some(gate) => format!("a check-in list at the gate {}", gate.name),
    };
    let held = current
        .event
        .as_ref()
        .map(|event| format!(", and {event} is over, has not begun, or is unknown to the server"));
    format!(
        "either this device may access no event, or none of its events is live with {lacking}{}",
        held.unwrap_or_default()
    )
}

/// A name is text, or text in several languages.
fn text(name: &serde_json::Value) -> String {
    let first = name
        .as_str()
        .or_else(|| name.get("en")?.as_str())
        .or_else(|| name.as_object()?.values().next()?.as_str());
    first.unwrap_or("unnamed").to_owned()
}
