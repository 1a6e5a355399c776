//! `gatehand info`: what the server tells of this device.

use clap::Args;
use serde::Serialize;

use super::connection_arguments::ConnectionArguments;
use super::error::CliError;
use super::runtime;
use super::{device, output, progress, status};
use crate::agent::MediaKeys;

const EXAMPLES: &str = "\
Examples:
  gatehand info
  gatehand info --json
  gatehand info --media-keys --json     (prints secrets: keys for NFC media)";

/// Ask the server who this device is, and take over what is new.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Info {
    /// Print the keys for NFC media too. The device's RSA key is made if there is none yet.
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
        let what = format!("asking {}", device::server_name(&agent));
        let ask = async {
            if self.media_keys {
                let (identity, keys) = agent.media_keys().await?;
                Ok::<_, CliError>((identity, Some(keys)))
            } else {
                Ok((agent.info().await?.identity, None))
            }
        };
        let (identity, media_keys) = runtime::for_calls()?.block_on(progress::shown(&what, ask))?;
        let media_keys: Option<Vec<_>> =
            media_keys.map(|keys| keys.iter().map(MediaKeyDocument::of).collect());
        // As the server told it, whether it could be stored or not.
        let status = agent.status()?.confirmed(identity);
        if self.json {
            return output::print_json(&InfoDocument {
                status: status::report(&status),
                media_keys,
            });
        }
        if let Some(identity) = &status.identity {
            output::print_table(&status::rows(identity, &status))?;
        }
        if let Some(keys) = media_keys {
            output::print_line("")?;
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
