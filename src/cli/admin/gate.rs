//! `gatehand admin gate`.

use clap::Subcommand;
use serde::Serialize;

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output::yes;
use crate::cli::table::{whole, words};
use crate::server::store::GateChange;
use crate::wire;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the gates of an organizer.
    #[command(after_help = "Examples:\n  gatehand admin gate list bigevents")]
    List {
        /// Slug of the organizer.
        organizer: String,
    },
    /// Create a gate.
    #[command(
        after_help = "Examples:\n  gatehand admin gate create bigevents north --name 'North gate'"
    )]
    Create {
        /// Slug of the organizer.
        organizer: String,
        /// Short text, unique within the organizer.
        #[arg(value_parser = text)]
        identifier: String,
        /// How people call it.
        #[arg(long, value_parser = text)]
        name: String,
    },
    /// Give a gate another name.
    #[command(
        after_help = "Examples:\n  gatehand admin gate rename bigevents north 'Northern gate'"
    )]
    Rename {
        /// Slug of the organizer.
        organizer: String,
        /// Identifier of the gate.
        identifier: String,
        /// Its new name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Take a gate out of use: its devices are answered as if they had none.
    #[command(after_help = "Examples:\n  gatehand admin gate deactivate bigevents north")]
    Deactivate {
        /// Slug of the organizer.
        organizer: String,
        /// Identifier of the gate.
        identifier: String,
    },
    /// Use a gate again.
    #[command(after_help = "Examples:\n  gatehand admin gate activate bigevents north")]
    Activate {
        /// Slug of the organizer.
        organizer: String,
        /// Identifier of the gate.
        identifier: String,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let (organizer, identifier, change, words) = match self {
            Self::List { organizer } => {
                let gates = summaries(desk, desk.organizer(&organizer).await?).await?;
                return desk.list(
                    &gates,
                    [whole("IDENTIFIER"), words("NAME"), whole("ACTIVE")],
                    |one| {
                        let gate = &one.gate;
                        [gate.identifier.clone(), gate.name.clone(), yes(one.active)]
                    },
                );
            }
            Self::Create {
                organizer,
                identifier,
                name,
            } => {
                let id = desk.organizer(&organizer).await?;
                desk.store.create_gate(id, &identifier, &name).await?;
                let words = format!("Created the gate {identifier} of {organizer}.");
                return desk.done(&words, summary(desk, id, &identifier)).await;
            }
            Self::Rename {
                organizer,
                identifier,
                name,
            } => {
                let words = format!("The gate {identifier} is called {name} now.");
                (
                    organizer,
                    identifier,
                    GateChange {
                        name: Some(name),
                        active: None,
                    },
                    words,
                )
            }
            Self::Deactivate {
                organizer,
                identifier,
            } => {
                let words = format!("The gate {identifier} is not in use any more.");
                (
                    organizer,
                    identifier,
                    GateChange {
                        name: None,
                        active: Some(false),
                    },
                    words,
                )
            }
            Self::Activate {
                organizer,
                identifier,
            } => {
                let words = format!("The gate {identifier} is in use again.");
                (
                    organizer,
                    identifier,
                    GateChange {
                        name: None,
                        active: Some(true),
                    },
                    words,
                )
            }
        };
        let organizer = desk.organizer(&organizer).await?;
        desk.store
            .change_gate(organizer, &identifier, change)
            .await?;
        desk.done(&words, summary(desk, organizer, &identifier))
            .await
    }
}

/// A gate in a list.
#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    gate: wire::Gate,
    active: bool,
}

async fn summaries(desk: &Desk<'_>, organizer: i64) -> Result<Vec<Summary>, CliError> {
    let gates = desk.store.gates(organizer).await?.into_iter();
    Ok(gates
        .map(|(gate, active)| Summary { gate, active })
        .collect())
}

async fn summary(desk: &Desk<'_>, organizer: i64, identifier: &str) -> Result<Summary, CliError> {
    let gates = summaries(desk, organizer).await?;
    one_of(gates, "gate", identifier, |one| {
        one.gate.identifier == identifier
    })
}
