//! `gatehand info`: what the server tells of this device.

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::connection_arguments::ConnectionArguments;
use super::error::CliError;
use super::runtime;
use super::{device, output, progress, status};
use crate::agent::{Identity, MediaKeySets, MediaKeys};
use crate::wire::timestamp;

const EXAMPLES: &str = "\
Examples:
  gatehand info
  gatehand info --json
  gatehand info --media-keys --json     (prints secrets: keys for NFC media)";

/// Ask the server who this device is, and take over what is new.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Info {
    /// Print the keys for NFC media too: while the server is away, those that it told last. The device's RSA key is
    /// made if there is none yet.
    #[arg(long)]
    media_keys: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Serialize)]
struct InfoDocument<'a> {
    #[serde(flatten)]
    status: status::StatusDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_keys: Option<Vec<MediaKeyDocument>>,
    #[serde(with = "timestamp::optional", skip_serializing_if = "Option::is_none")]
    media_keys_as_of: Option<Timestamp>,
    /// Whether the server could not be asked for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_keys_from_vault: Option<bool>,
}

/// What was asked for.
enum Asked {
    Identity(Identity),
    MediaKeys(MediaKeySets<MediaKeys>),
}

/// A pair of keys in hexadecimal.
#[derive(Serialize)]
struct MediaKeyDocument {
    public_id: i64,
    organizer: String,
    active: bool,
    media_type: String,
    uid_key: String,
    diversification_key: String,
}

impl Info {
    pub(super) fn run(self) -> Result<(), CliError> {
        let agent = device::agent(&self.connection)?;
        let unbound = agent.bind_hardware().err();
        let what = format!("asking {}", device::server_name(&agent));
        let ask = async {
            if self.media_keys {
                agent.media_keys().await.map(Asked::MediaKeys)
            } else {
                agent
                    .info()
                    .await
                    .map(|info| Asked::Identity(info.identity))
            }
        };
        let asked = runtime::for_calls()?.block_on(progress::shown(&what, ask))?;
        // Whatever keeps all of it from being done is told as that.
        if let Some(error) = unbound {
            error.warn();
        }
        let status = agent.status()?;
        let (status, keys) = match asked {
            Asked::MediaKeys(keys) => match &keys.unasked {
                Some(error) => {
                    error.warn();
                    (status, Some(keys))
                }
                None => (status.confirmed(keys.identity.clone()), Some(keys)),
            },
            // As the server told it, whether it could be stored or not.
            Asked::Identity(identity) => (status.confirmed(identity), None),
        };
        let as_of = keys.as_ref().map(|keys| keys.as_of);
        let from_vault = keys.as_ref().map(|keys| keys.unasked.is_some());
        let media_keys: Option<Vec<_>> =
            keys.map(|keys| keys.sets.iter().map(MediaKeyDocument::of).collect());
        if self.json {
            return output::print_json(&InfoDocument {
                status: status::report(&status),
                media_keys,
                media_keys_as_of: as_of,
                media_keys_from_vault: from_vault,
            });
        }
        if let Some(identity) = &status.identity {
            output::print_table(&status::rows(identity, &status))?;
        }
        if let Some(keys) = media_keys {
            output::print_line("")?;
            if let (Some(true), Some(as_of)) = (from_vault, as_of) {
                let as_of = output::time(as_of);
                output::print_line(&format!("Keys for NFC media as of {as_of}:"))?;
            }
            output::print_whole_columns(
                ["SET", "TYPE", "ACTIVE", "UID KEY", "DIVERSIFICATION KEY"],
                keys.into_iter().map(MediaKeyDocument::cells),
            )?;
        }
        Ok(())
    }
}

impl MediaKeyDocument {
    fn of(keys: &MediaKeys) -> Self {
        Self {
            public_id: keys.public_id,
            organizer: keys.organizer.clone(),
            active: keys.active,
            media_type: keys.media_type.clone(),
            uid_key: base16ct::lower::encode_string(&keys.uid_key),
            diversification_key: base16ct::lower::encode_string(&keys.diversification_key),
        }
    }

    fn cells(self) -> [String; 5] {
        let active = if self.active { "yes" } else { "no" };
        [
            self.public_id.to_string(),
            self.media_type,
            active.to_owned(),
            self.uid_key,
            self.diversification_key,
        ]
    }
}
