//! `gatehand admin media-keys`.

use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Desk, yes};
use crate::agent::AgentError;
use crate::cli::{CliError, output};
use crate::server::store::{Administration, MediumKeys, Store};

/// AES-128, which the media are made for.
const KEY_LENGTH: usize = 16;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the key sets of an organizer; the keys themselves go to devices only.
    List { organizer: String },
    /// Make a key set from random keys. Devices that sent an RSA key get it with their next `info`.
    Create {
        organizer: String,
        /// Number of the set on the media, unique in the installation.
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        public_id: i64,
        /// Kind of medium.
        #[arg(long, default_value = "nfc_mf0aes", value_parser = super::text)]
        media_type: String,
        /// Don't write new media with it.
        #[arg(long)]
        inactive: bool,
    },
}

impl Command {
    pub(super) async fn run(self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List { organizer } => {
                let sets = desk
                    .store
                    .medium_keys(desk.organizer(&organizer).await?)
                    .await?;
                if desk.json {
                    let documents: Vec<_> = sets
                        .iter()
                        .map(|set| {
                            json!({"public_id": set.public_id, "media_type": set.media_type, "active": set.active})
                        })
                        .collect();
                    return output::print_json(&documents);
                }
                let rows = sets.iter().map(|set| {
                    [
                        set.public_id.to_string(),
                        set.media_type.clone(),
                        yes(set.active),
                    ]
                });
                output::print_columns(["ID", "MEDIA", "ACTIVE"], rows)
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
                desk.store
                    .create_medium_keys(desk.organizer(&organizer).await?, keys)
                    .await?;
                let words = format!("Made the key set {public_id} of {organizer}.");
                desk.done(&words, json!({"public_id": public_id}))
            }
        }
    }
}

fn random_key() -> Result<Zeroizing<Vec<u8>>, CliError> {
    let mut key = Zeroizing::new(vec![0; KEY_LENGTH]);
    getrandom::fill(&mut key).map_err(AgentError::Random)?;
    Ok(key)
}
