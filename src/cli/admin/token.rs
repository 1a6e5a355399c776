//! `gatehand admin token`.

use clap::Subcommand;
use serde_json::json;

use super::{Desk, text, yes};
use crate::cli::{CliError, output};
use crate::server::store::{Administration, TokenChange};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the tokens of a team. The tokens themselves are not known any more.
    List { organizer: String, team: String },
    /// Make a token. It is shown now and never again.
    Create {
        organizer: String,
        team: String,
        /// What it is for.
        #[arg(long, value_parser = text, default_value = "API token")]
        name: String,
    },
    /// Give a token another name.
    Rename {
        organizer: String,
        team: String,
        /// Its number in the list.
        id: i64,
        #[arg(value_parser = text)]
        name: String,
    },
    /// Let nobody in with a token until it is activated again.
    Deactivate {
        organizer: String,
        team: String,
        /// Its number in the list.
        id: i64,
    },
    /// Let a token in again.
    Activate {
        organizer: String,
        team: String,
        /// Its number in the list.
        id: i64,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let (organizer, team, id, change, words) = match self {
            Self::List { organizer, team } => {
                let organizer = desk.organizer(&organizer).await?;
                let tokens = desk.store.team_tokens(organizer, &team).await?;
                return desk.list(&tokens, ["ID", "NAME", "CREATED", "ACTIVE"], |token| {
                    let created = token.created.strftime("%Y-%m-%d %H:%M UTC").to_string();
                    [
                        token.id.to_string(),
                        token.name.clone(),
                        created,
                        yes(token.active),
                    ]
                });
            }
            Self::Create {
                organizer,
                team,
                name,
            } => {
                let id = desk.organizer(&organizer).await?;
                let token = desk.store.create_team_token(id, &team, &name).await?;
                if desk.json {
                    return output::print_json(&json!({"name": name, "token": token.expose()}));
                }
                // Alone on standard output, so that a script can take it: TOKEN=$(gatehand …).
                output::say("Keep this token now: it can't be shown again.");
                return output::print_line(token.expose());
            }
            Self::Rename {
                organizer,
                team,
                id,
                name,
            } => {
                let words = format!("The token {id} is called {name} now.");
                (
                    organizer,
                    team,
                    id,
                    TokenChange {
                        name: Some(name),
                        active: None,
                    },
                    words,
                )
            }
            Self::Deactivate {
                organizer,
                team,
                id,
            } => {
                let words = format!("The token {id} lets nobody in any more.");
                (
                    organizer,
                    team,
                    id,
                    TokenChange {
                        name: None,
                        active: Some(false),
                    },
                    words,
                )
            }
            Self::Activate {
                organizer,
                team,
                id,
            } => {
                let words = format!("The token {id} is good again.");
                (
                    organizer,
                    team,
                    id,
                    TokenChange {
                        name: None,
                        active: Some(true),
                    },
                    words,
                )
            }
        };
        let organizer = desk.organizer(&organizer).await?;
        desk.store
            .change_team_token(organizer, &team, id, change)
            .await?;
        desk.done(&words, json!({"id": id}))
    }
}
