//! `gatehand admin gate`.

use clap::Subcommand;
use serde_json::json;

use super::{Desk, slug, text, yes};
use crate::cli::{CliError, output};
use crate::server::store::{Administration, GateChange};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the gates of an organizer.
    List { organizer: String },
    /// Create a gate.
    Create {
        organizer: String,
        /// Short text, unique within the organizer.
        #[arg(value_parser = slug)]
        identifier: String,
        /// How people call it.
        #[arg(long, value_parser = text)]
        name: String,
    },
    /// Give a gate another name.
    Rename {
        organizer: String,
        identifier: String,
        #[arg(value_parser = text)]
        name: String,
    },
    /// Take a gate out of use: its devices are answered as if they had none.
    Deactivate {
        organizer: String,
        identifier: String,
    },
    /// Use a gate again.
    Activate {
        organizer: String,
        identifier: String,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let (organizer, identifier, change, words) = match self {
            Self::List { organizer } => {
                let gates = desk.store.gates(desk.organizer(&organizer).await?).await?;
                if desk.json {
                    let documents: Vec<_> = gates
                        .iter()
                        .map(|(gate, active)| {
                            json!({"id": gate.id, "identifier": gate.identifier, "name": gate.name, "active": active})
                        })
                        .collect();
                    return output::print_json(&documents);
                }
                let rows = gates.into_iter();
                let rows = rows.map(|(gate, active)| [gate.identifier, gate.name, yes(active)]);
                return output::print_columns(["IDENTIFIER", "NAME", "ACTIVE"], rows);
            }
            Self::Create {
                organizer,
                identifier,
                name,
            } => {
                let id = desk.organizer(&organizer).await?;
                let gate = desk.store.create_gate(id, &identifier, &name).await?;
                return desk.done(
                    &format!("Created the gate {identifier} of {organizer}."),
                    gate,
                );
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
        desk.store
            .change_gate(desk.organizer(&organizer).await?, &identifier, change)
            .await?;
        desk.done(&words, json!({"identifier": identifier}))
    }
}
