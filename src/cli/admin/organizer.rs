//! `gatehand admin organizer`.

use clap::Subcommand;

use super::desk::{Desk, one_of};
use crate::cli::error::CliError;
use crate::cli::name::text;
use crate::cli::output::yes;
use crate::cli::table::{whole, words};
use crate::server::model::Slug;
use crate::server::store::{OrganizerChange, OrganizerSummary};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List all organizers.
    #[command(after_help = "Examples:\n  gatehand admin organizer list")]
    List,
    /// Create an organizer.
    #[command(
        after_help = "Examples:\n  gatehand admin organizer create bigevents --name 'Big Events'"
    )]
    Create {
        /// How it is called in addresses.
        slug: Slug,
        /// How people call it.
        #[arg(long, value_parser = text)]
        name: String,
    },
    /// Give an organizer another name.
    #[command(
        after_help = "Examples:\n  gatehand admin organizer rename bigevents 'Bigger Events'"
    )]
    Rename {
        /// Slug of the organizer.
        slug: String,
        /// Its new name.
        #[arg(value_parser = text)]
        name: String,
    },
    /// Serve nothing of an organizer until it is activated again.
    #[command(after_help = "Examples:\n  gatehand admin organizer deactivate bigevents")]
    Deactivate {
        /// Slug of the organizer.
        slug: String,
    },
    /// Serve an organizer again.
    #[command(after_help = "Examples:\n  gatehand admin organizer activate bigevents")]
    Activate {
        /// Slug of the organizer.
        slug: String,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        let (slug, change, words) = match self {
            Self::List => {
                let organizers = desk.store.organizers().await?;
                return desk.list(
                    &organizers,
                    [
                        whole("SLUG"),
                        words("NAME"),
                        whole("DEVICES"),
                        whole("ACTIVE"),
                    ],
                    |one| {
                        [
                            one.slug.clone(),
                            one.name.clone(),
                            one.devices.to_string(),
                            yes(one.active),
                        ]
                    },
                );
            }
            Self::Create { slug, name } => {
                desk.store.create_organizer(&slug, &name).await?;
                let words = format!("Created the organizer {slug}.");
                return desk.done(&words, summary(desk, slug.as_str())).await;
            }
            Self::Rename { slug, name } => {
                let words = format!("The organizer {slug} is called {name} now.");
                (
                    slug,
                    OrganizerChange {
                        name: Some(name),
                        active: None,
                    },
                    words,
                )
            }
            Self::Deactivate { slug } => {
                let words = format!("The organizer {slug} is not served any more.");
                (
                    slug,
                    OrganizerChange {
                        name: None,
                        active: Some(false),
                    },
                    words,
                )
            }
            Self::Activate { slug } => {
                let words = format!("The organizer {slug} is served again.");
                (
                    slug,
                    OrganizerChange {
                        name: None,
                        active: Some(true),
                    },
                    words,
                )
            }
        };
        desk.store.change_organizer(&slug, change).await?;
        desk.done(&words, summary(desk, &slug)).await
    }
}

async fn summary(desk: &Desk<'_>, slug: &str) -> Result<OrganizerSummary, CliError> {
    let organizers = desk.store.organizers().await?;
    one_of(organizers, "organizer", slug, |one| one.slug == slug)
}
