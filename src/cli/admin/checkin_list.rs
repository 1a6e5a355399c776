//! `gatehand admin checkin-list`.

use clap::{Args, Subcommand};

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::table::{whole, words};
use crate::server::store::{CheckinListChange, CheckinListSummary, NewCheckinList};

const EXAMPLES: &str = "\
Examples:
  gatehand admin checkin-list create bigevents museum \\
      --name 'All visitors' --gate north --gate south";

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the check-in lists of an organizer, or of one event.
    #[command(after_help = "Examples:\n  gatehand admin checkin-list list bigevents museum")]
    List {
        /// Slug of the organizer.
        organizer: String,
        /// Slug of the event.
        event: Option<String>,
    },
    /// Create a check-in list of an event.
    Create(Create),
    /// Give a check-in list another name.
    #[command(after_help = "Examples:\n  gatehand admin checkin-list rename bigevents 3 'VIPs'")]
    Rename {
        /// Slug of the organizer.
        organizer: String,
        /// Number of the list.
        list: i64,
        /// Its new name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Put a check-in list at gates, where devices scan for it; at others it is no more.
    #[command(
        after_help = "Examples:\n  gatehand admin checkin-list move bigevents 3 north south\n  gatehand admin checkin-list move bigevents 3"
    )]
    Move {
        /// Slug of the organizer.
        organizer: String,
        /// Number of the list.
        list: i64,
        /// The gates' identifiers; without any, the list is at no gate.
        #[arg(value_name = "GATE")]
        gates: Vec<String>,
    },
}

#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Create {
    /// Slug of the organizer.
    organizer: String,
    /// Slug of the event.
    event: String,
    /// How people call it.
    #[arg(long, value_parser = text)]
    name: String,
    /// Identifier of a gate that it is at; may be repeated.
    #[arg(long = "gate", value_name = "IDENTIFIER")]
    gates: Vec<String>,
    /// Number of the date that it is for, of an event with several; without, it is for all.
    #[arg(long, value_name = "NUMBER")]
    date: Option<i64>,
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let (organizer, list, change, words) = match self {
            Self::List { organizer, event } => return list(desk, &organizer, event).await,
            Self::Create(create) => return create.run(desk).await,
            Self::Rename {
                organizer,
                list,
                name,
            } => {
                let words = format!("Check-in list {list} is called {name} now.");
                let change = CheckinListChange {
                    name: Some(name),
                    gates: None,
                };
                (organizer, list, change, words)
            }
            Self::Move {
                organizer,
                list,
                gates,
            } => {
                let words = format!("Check-in list {list} is at {} now.", places(&gates));
                let change = CheckinListChange {
                    name: None,
                    gates: Some(gates),
                };
                (organizer, list, change, words)
            }
        };
        let organizer = desk.organizer(&organizer).await?;
        desk.store
            .change_checkin_list(organizer, list, change)
            .await?;
        desk.done(&words, summary(desk, organizer, list)).await
    }
}

impl Create {
    async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let organizer = desk.organizer(&self.organizer).await?;
        let at = places(&self.gates);
        let new = NewCheckinList {
            name: self.name,
            subevent: self.date,
            gates: self.gates,
        };
        let created = desk
            .store
            .create_checkin_list(organizer, &self.event, new)
            .await?;
        let words = format!(
            "Created check-in list {created} of the event {}, at {at}.",
            self.event
        );
        desk.done(&words, summary(desk, organizer, created)).await
    }
}

/// Gates in a sentence.
fn places(gates: &[String]) -> String {
    match gates {
        [] => "no gate".to_owned(),
        [gate] => format!("the gate {gate}"),
        gates => format!("the gates {}", gates.join(", ")),
    }
}

async fn list(desk: &Desk<'_>, organizer: &str, event: Option<String>) -> Result<(), CliError> {
    let organizer = desk.organizer(organizer).await?;
    if let Some(event) = &event {
        let events = desk.store.events(organizer).await?;
        one_of(events, "event", event, |one| one.slug == *event)?;
    }
    let mut lists = desk.store.checkin_lists(organizer).await?;
    lists.retain(|list| event.as_ref().is_none_or(|event| list.event == *event));
    let header = [
        whole("ID"),
        words("NAME"),
        whole("EVENT"),
        whole("DATE"),
        words("GATES"),
    ];
    desk.list(&lists, header, |list| {
        let date = list.subevent.map(|date| date.to_string());
        [
            list.id.to_string(),
            list.name.clone(),
            list.event.clone(),
            date.unwrap_or_default(),
            list.gates.join(" "),
        ]
    })
}

async fn summary(
    desk: &Desk<'_>,
    organizer: i64,
    list: i64,
) -> Result<CheckinListSummary, CliError> {
    let lists = desk.store.checkin_lists(organizer).await?;
    one_of(lists, "check-in list", &list.to_string(), |one| {
        one.id == list
    })
}
