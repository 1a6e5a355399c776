//! `gatehand admin team`.

use clap::Subcommand;
use serde::Serialize;
use serde_json::{Value, json};

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output::yes;
use crate::cli::program_name::ProgramName;
use crate::cli::table::{whole, words};
use crate::server::model::Permissions;
use crate::server::store::TeamChange;

/// What a team may be permitted.
const PERMISSIONS: [&str; 3] = ["all", "organizer.devices:read", "organizer.devices:write"];

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the teams of an organizer.
    #[command(after_help = "Examples:\n  gatehand admin team list bigevents")]
    List {
        /// Slug of the organizer.
        organizer: String,
    },
    /// Create a team.
    #[command(
        after_help = "Examples:\n  gatehand admin team create bigevents admins --permission all"
    )]
    Create {
        /// Slug of the organizer.
        organizer: String,
        /// Its name.
        #[arg(value_parser = text)]
        name: String,
        /// What its tokens may do; may be repeated.
        #[arg(long = "permission", value_name = "PERMISSION", required = true, value_parser = PERMISSIONS)]
        permissions: Vec<String>,
    },
    /// Give a team another name.
    #[command(after_help = "Examples:\n  gatehand admin team rename bigevents admins managers")]
    Rename {
        /// Slug of the organizer.
        organizer: String,
        /// Its name.
        #[arg(value_parser = text)]
        name: String,
        /// Its new name.
        #[arg(value_parser = text)]
        new_name: String,
    },
    /// Change what a team's tokens may do.
    #[command(
        after_help = "Examples:\n  gatehand admin team permit bigevents admins --permission all"
    )]
    Permit {
        /// Slug of the organizer.
        organizer: String,
        /// Its name.
        #[arg(value_parser = text)]
        name: String,
        /// What its tokens may do; may be repeated.
        #[arg(long = "permission", value_name = "PERMISSION", required = true, value_parser = PERMISSIONS)]
        permissions: Vec<String>,
    },
    /// Let nobody in with this team's tokens until it is activated again.
    #[command(after_help = "Examples:\n  gatehand admin team deactivate bigevents admins")]
    Deactivate {
        /// Slug of the organizer.
        organizer: String,
        /// Its name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Let the team's tokens in again.
    #[command(after_help = "Examples:\n  gatehand admin team activate bigevents admins")]
    Activate {
        /// Slug of the organizer.
        organizer: String,
        /// Its name.
        #[arg(value_parser = text)]
        name: String,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let none = TeamChange::default();
        let (organizer, name, change, words) = match self {
            Self::List { organizer } => {
                let teams = summaries(desk, desk.organizer(&organizer).await?).await?;
                return desk.list(
                    &teams,
                    [words("NAME"), words("PERMISSIONS"), whole("ACTIVE")],
                    |one| {
                        let permissions = match &one.permissions {
                            Permissions::All => "all".to_owned(),
                            Permissions::Listed(list) => list.join(", "),
                        };
                        [one.name.clone(), permissions, yes(one.active)]
                    },
                );
            }
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
                    "Created the team {name} of {organizer}. Make a token with: {} admin token create {organizer} {name}",
                    ProgramName::of_this_process().typed()
                );
                return desk.done(&words, summary(desk, id, &name)).await;
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
        let organizer = desk.organizer(&organizer).await?;
        let name_now = change.name.clone().unwrap_or_else(|| name.clone());
        desk.store.change_team(organizer, &name, change).await?;
        desk.done(&words, summary(desk, organizer, &name_now)).await
    }
}

/// A team in a list.
#[derive(Serialize)]
struct Summary {
    id: i64,
    name: String,
    #[serde(serialize_with = "told")]
    permissions: Permissions,
    active: bool,
}

/// `all`, or a list.
fn told<S: serde::Serializer>(permissions: &Permissions, serializer: S) -> Result<S::Ok, S::Error> {
    let told: Value = match permissions {
        Permissions::All => json!("all"),
        Permissions::Listed(list) => json!(list),
    };
    told.serialize(serializer)
}

async fn summaries(desk: &Desk<'_>, organizer: i64) -> Result<Vec<Summary>, CliError> {
    let teams = desk.store.teams(organizer).await?.into_iter();
    Ok(teams
        .map(|team| Summary {
            id: team.id,
            name: team.name,
            permissions: team.permissions,
            active: team.active,
        })
        .collect())
}

async fn summary(desk: &Desk<'_>, organizer: i64, name: &str) -> Result<Summary, CliError> {
    let teams = summaries(desk, organizer).await?;
    one_of(teams, "team", name, |one| one.name == name)
}

fn collect(permissions: Vec<String>) -> Permissions {
    if permissions.iter().any(|permission| permission == "all") {
        Permissions::All
    } else {
        Permissions::Listed(permissions)
    }
}
