//! Options of `gatehand serve` on who calls, and by which names.

use clap::Args;

use crate::server::{AllowedHost, Config, PublicUrl, UNKNOWN_KEYS_PER_MINUTE};
use crate::serving::TrustedProxy;

/// Who calls, and by which names.
#[derive(Args)]
pub(super) struct Callers {
    /// The server's address as scanners and scripts reach it: it stands in links. If it has a path, that
    /// is served too.
    #[arg(long, value_name = "URL", env = "GATEHAND_PUBLIC_URL")]
    pub(super) public_url: Option<PublicUrl>,
    /// Another host by which callers may name the server, without a port; once for each, or with
    /// commas between. The public
    /// address, the one they connect to, and localhost are allowed anyway, all else is refused.
    #[arg(
        long = "allowed-host",
        value_name = "HOST",
        env = "GATEHAND_ALLOWED_HOST",
        value_delimiter = ','
    )]
    allowed_hosts: Vec<AllowedHost>,
    /// A proxy that may say for whom it asks: an address, a network as 10.0.0.0/8, or `unix` for whoever
    /// connects to the Unix socket; once for each, or with commas between.
    #[arg(
        long = "trusted-proxy",
        value_name = "PROXY",
        env = "GATEHAND_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    trusted_proxies: Vec<TrustedProxy>,
    /// How many keys and tokens that nobody has an address may send in a minute before they get 429; 0
    /// for any number. What is known is always served.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "GATEHAND_UNKNOWN_KEYS_PER_MINUTE",
        default_value_t = UNKNOWN_KEYS_PER_MINUTE
    )]
    unknown_keys_per_minute: u32,
}

impl Callers {
    /// Takes them over into a config.
    pub(super) fn into_config(self, config: Config) -> Config {
        Config {
            public_url: self.public_url,
            allowed_hosts: self.allowed_hosts,
            trusted_proxies: self.trusted_proxies.into_iter().collect(),
            unknown_keys_per_minute: self.unknown_keys_per_minute,
            ..config
        }
    }
}
