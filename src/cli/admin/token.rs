//! `gatehand admin token`.

use std::io;

use clap::Subcommand;
use serde::Serialize;

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output;
use crate::cli::output::yes;
use crate::cli::table::{whole, words};
use crate::secret::{self, Secret};
use crate::server::store::{NewToken, TokenChange, TokenSummary};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the tokens of a team. The tokens themselves are not known any more.
    #[command(after_help = "Examples:\n  gatehand admin token list bigevents admins")]
    List {
        /// Slug of the organizer.
        organizer: String,
        /// Name of the team.
        #[arg(value_parser = text)]
        team: String,
    },
    /// Make a token. It is shown now and never again.
    #[command(after_help = "Examples:\n  gatehand admin token create bigevents admins")]
    Create {
        /// Slug of the organizer.
        organizer: String,
        /// Name of the team.
        #[arg(value_parser = text)]
        team: String,
        /// What it is for.
        #[arg(long, value_parser = text, default_value = "API token")]
        name: String,
    },
    /// Give a token another name.
    #[command(after_help = "Examples:\n  gatehand admin token rename bigevents admins 1 script")]
    Rename {
        /// Slug of the organizer.
        organizer: String,
        /// Name of the team.
        #[arg(value_parser = text)]
        team: String,
        /// Its number in the list.
        id: i64,
        /// Its new name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Let nobody in with a token until it is activated again.
    #[command(after_help = "Examples:\n  gatehand admin token deactivate bigevents admins 1")]
    Deactivate {
        /// Slug of the organizer.
        organizer: String,
        /// Name of the team.
        #[arg(value_parser = text)]
        team: String,
        /// Its number in the list.
        id: i64,
    },
    /// Let a token in again.
    #[command(after_help = "Examples:\n  gatehand admin token activate bigevents admins 1")]
    Activate {
        /// Slug of the organizer.
        organizer: String,
        /// Name of the team.
        #[arg(value_parser = text)]
        team: String,
        /// Its number in the list.
        id: i64,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let (organizer, team, id, change, words) = match self {
            Self::List { organizer, team } => {
                let organizer = desk.organizer(&organizer).await?;
                let tokens = desk.store.team_tokens(organizer, &team).await?;
                return desk.list(
                    &tokens,
                    [
                        whole("ID"),
                        words("NAME"),
                        whole("CREATED"),
                        whole("ACTIVE"),
                    ],
                    |token| {
                        [
                            token.id.to_string(),
                            token.name.clone(),
                            output::time(token.created),
                            yes(token.active),
                        ]
                    },
                );
            }
            Self::Create {
                organizer,
                team,
                name,
            } => {
                return create(desk, &organizer, &team, &name).await;
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
        desk.done(&words, summary(desk, organizer, &team, id)).await
    }
}

async fn summary(
    desk: &Desk<'_>,
    organizer: i64,
    team: &str,
    id: i64,
) -> Result<TokenSummary, CliError> {
    let tokens = desk.store.team_tokens(organizer, team).await?;
    one_of(tokens, "token", &id.to_string(), |one| one.id == id)
}

/// A token that was made just now, as `--json` shows it.
#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    summary: TokenSummary,
    #[serde(serialize_with = "secret::expose")]
    token: Secret,
}

async fn create(desk: &Desk<'_>, organizer: &str, team: &str, name: &str) -> Result<(), CliError> {
    if output::leads_nowhere() {
        let words = "standard output leads nowhere, and the token can't be shown again";
        return Err(io::Error::other(words).into());
    }
    let organizer = desk.organizer(organizer).await?;
    let NewToken { id, token } = desk.store.create_team_token(organizer, team, name).await?;
    let shown = if desk.json {
        match summary(desk, organizer, team, id).await {
            Ok(summary) => output::print_json(&Made { summary, token }),
            Err(error) => Err(error),
        }
    } else {
        // Alone on standard output, so that a script can take it: TOKEN=$(gatehand …).
        output::print_line(token.expose())
    };
    let Err(source) = shown else {
        if !desk.json {
            output::say("Keep this token now: it can't be shown again.");
        }
        return Ok(());
    };
    // Nobody has it, or only a part of it.
    let off = TokenChange {
        name: None,
        active: Some(false),
    };
    let undone = desk.store.change_team_token(organizer, team, id, off).await;
    let words = match undone {
        Ok(()) => format!("the token {id} was made, and deactivated as it could not be shown"),
        Err(_) => format!("the token {id} was made; deactivate it, as it could not be shown"),
    };
    Err(CliError::Done {
        words,
        source: Box::new(source),
    })
}
