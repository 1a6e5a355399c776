//! `gatehand admin gate`.

use clap::Subcommand;
use serde_json::json;

use super::{Desk, slug, text, yes};
use crate::cli::CliError;
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
                let gates: Vec<_> = gates
                    .into_iter()
                    .map(|(gate, active)| {
                        json!({"id": gate.id, "identifier": gate.identifier, "name": gate.name, "active": active})
                    })
                    .collect();
                return desk.list(&gates, ["IDENTIFIER", "NAME", "ACTIVE"], |gate| {
                    let text = |key: &str| gate.get(key).and_then(|text| text.as_str());
                    let active = gate.get("active").and_then(|active| active.as_bool());
                    [
                        text("identifier").unwrap_or_default().to_owned(),
                        text("name").unwrap_or_default().to_owned(),
                        yes(active.unwrap_or_default()),
                    ]
                });
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
