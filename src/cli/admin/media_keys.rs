//! `gatehand admin media-keys`.

use clap::Subcommand;
use serde::Serialize;
use zeroize::Zeroizing;

use super::desk::{Desk, one_of};
use crate::agent::AgentError;
use crate::cli::error::CliError;
use crate::cli::output::yes;
use crate::cli::table::{whole, words};
use crate::server::model::MediumKeys;

/// AES-128, which the media are made for.
const KEY_LENGTH: usize = 16;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the key sets of an organizer; the keys themselves go to devices only.
    #[command(after_help = "Examples:\n  gatehand admin media-keys list bigevents")]
    List {
        /// Slug of the organizer.
        organizer: String,
    },
    /// Make a key set from random keys. Devices that sent an RSA key get it with their next `info`.
    #[command(after_help = "Examples:\n  gatehand admin media-keys create bigevents 7")]
    Create {
        /// Slug of the organizer.
        organizer: String,
        /// Number of the set on the media, unique in the installation.
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        public_id: i64,
        /// Kind of medium.
        #[arg(long, default_value = "nfc_mf0aes", value_parser = crate::cli::name::text)]
        media_type: String,
        /// Don't write new media with it.
        #[arg(long)]
        inactive: bool,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk<'_>) -> Result<(), CliError> {
        match self {
            Self::List { organizer } => {
                let sets = summaries(desk, desk.organizer(&organizer).await?).await?;
                desk.list(
                    &sets,
                    [whole("ID"), words("MEDIA"), whole("ACTIVE")],
                    |set| {
                        [
                            set.public_id.to_string(),
                            set.media_type.clone(),
                            yes(set.active),
                        ]
                    },
                )
            }
            Self::Create {
                organizer,
                public_id,
                media_type,
                inactive,
            } => {
                let keys = MediumKeys {
                    public_id,
                    active: !inactive,
                    media_type,
                    uid_key: random_key()?,
                    diversification_key: random_key()?,
                };
                let words = format!("Made the key set {public_id} of {organizer}.");
                let organizer = desk.organizer(&organizer).await?;
                desk.store.create_medium_keys(organizer, keys).await?;
                let summary = async {
                    let sets = summaries(desk, organizer).await?;
                    one_of(sets, "key set", &public_id.to_string(), |set| {
                        set.public_id == public_id
                    })
                };
                desk.done(&words, summary).await
            }
        }
    }
}

/// A key set in a list, without its keys.
#[derive(Serialize)]
struct Summary {
    public_id: i64,
    media_type: String,
    active: bool,
}

async fn summaries(desk: &Desk<'_>, organizer: i64) -> Result<Vec<Summary>, CliError> {
    let sets = desk.store.medium_keys(organizer).await?.into_iter();
    Ok(sets
        .map(|set| Summary {
            public_id: set.public_id,
            media_type: set.media_type,
            active: set.active,
        })
        .collect())
}

fn random_key() -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut key = Zeroizing::new(vec![0; KEY_LENGTH]);
    getrandom::fill(&mut key).map_err(AgentError::Random)?;
    Ok(key)
}
