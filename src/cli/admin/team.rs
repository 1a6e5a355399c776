//! `gatehand admin team`.

use clap::Subcommand;
use serde_json::json;

use super::{Desk, text, yes};
use crate::cli::{CliError, output};
use crate::server::organizers_file::Permissions;
use crate::server::store::{Administration, TeamChange};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the teams of an organizer.
    List { organizer: String },
    /// Create a team.
    Create {
        organizer: String,
        #[arg(value_parser = text)]
        name: String,
        /// all, or what its tokens may do: organizer.devices:read, organizer.devices:write.
        #[arg(long = "permission", required = true, value_parser = permission)]
        permissions: Vec<String>,
    },
    /// Give a team another name.
    Rename {
        organizer: String,
        #[arg(value_parser = text)]
        name: String,
        #[arg(value_parser = text)]
        new_name: String,
    },
    /// Change what a team's tokens may do.
    Permit {
        organizer: String,
        #[arg(value_parser = text)]
        name: String,
        /// all, or what its tokens may do: organizer.devices:read, organizer.devices:write.
        #[arg(long = "permission", required = true, value_parser = permission)]
        permissions: Vec<String>,
    },
    /// Let nobody in with this team's tokens until it is activated again.
    Deactivate {
        organizer: String,
        #[arg(value_parser = text)]
        name: String,
    },
    /// Let the team's tokens in again.
    Activate {
        organizer: String,
        #[arg(value_parser = text)]
        name: String,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), CliError> {
        let none = TeamChange::default();
        let (organizer, name, change, words) = match self {
            Self::List { organizer } => return list(desk, &organizer).await,
            Self::Create {
                organizer,
                name,
                permissions,
            } => {
                let id = desk.organizer(&organizer).await?;
                desk.store
                    .create_team(id, &name, collect(permissions))
                    .await?;
                let words = format!(
                    "Created the team {name} of {organizer}. Make a token with: gatehand admin token create {organizer} {name}"
                );
                return desk.done(&words, json!({"name": name}));
            }
            Self::Rename {
                organizer,
                name,
                new_name,
            } => {
                let words = format!("The team {name} is called {new_name} now.");
                (
                    organizer,
                    name,
                    TeamChange {
                        name: Some(new_name),
                        ..none
                    },
                    words,
                )
            }
            Self::Permit {
                organizer,
                name,
                permissions,
            } => {
                let words = format!("Changed what the team {name} may do.");
                let permissions = Some(collect(permissions));
                (
                    organizer,
                    name,
                    TeamChange {
                        permissions,
                        ..none
                    },
                    words,
                )
            }
            Self::Deactivate { organizer, name } => {
                let words = format!("The tokens of the team {name} let nobody in any more.");
                (
                    organizer,
                    name,
                    TeamChange {
                        active: Some(false),
                        ..none
                    },
                    words,
                )
            }
            Self::Activate { organizer, name } => {
                let words = format!("The tokens of the team {name} are good again.");
                (
                    organizer,
                    name,
                    TeamChange {
                        active: Some(true),
                        ..none
                    },
                    words,
                )
            }
        };
        desk.store
            .change_team(desk.organizer(&organizer).await?, &name, change)
            .await?;
        desk.done(&words, json!({"name": name}))
    }
}

async fn list(desk: &Desk, organizer: &str) -> Result<(), CliError> {
    let teams = desk.store.teams(desk.organizer(organizer).await?).await?;
    if desk.json {
        let documents: Vec<_> = teams
            .iter()
            .map(|team| {
                let permissions = match &team.permissions {
                    Permissions::All => json!("all"),
                    Permissions::Listed(list) => json!(list),
                };
                json!({"name": team.name, "permissions": permissions, "active": team.active})
            })
            .collect();
        return output::print_json(&documents);
    }
    let rows = teams.iter().map(|team| {
        let permissions = match &team.permissions {
            Permissions::All => "all".to_owned(),
            Permissions::Listed(list) => list.join(", "),
        };
        [team.name.clone(), permissions, yes(team.active)]
    });
    output::print_columns(["NAME", "PERMISSIONS", "ACTIVE"], rows)
}

fn collect(permissions: Vec<String>) -> Permissions {
    if permissions.iter().any(|permission| permission == "all") {
        Permissions::All
    } else {
        Permissions::Listed(permissions)
    }
}

fn permission(argument: &str) -> Result<String, String> {
    const KNOWN: [&str; 3] = ["all", "organizer.devices:read", "organizer.devices:write"];
    if KNOWN.contains(&argument) {
        Ok(argument.to_owned())
    } else {
        Err(format!("known are {}", KNOWN.join(", ")))
    }
}
