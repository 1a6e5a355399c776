//! What is to be known of those who call: by which hosts they may name the server, who may speak for
//! others, and how often they may be wrong.

use std::sync::Once;

use hyper::Request;

use super::client::Client;
use super::hosts::{AllowedHost, AllowedHosts};
use super::unknown_keys::UnknownKeys;
use crate::seldom::Seldom;
use crate::server::public_url::PublicUrl;
use crate::serving::TrustedProxies;

/// What is to be known of those who call.
pub(in crate::server) struct Callers {
    pub(super) hosts: AllowedHosts,
    pub(in crate::server) unknown_keys: UnknownKeys,
    /// Hosts that were named and are none of ours.
    pub(super) foreign: Seldom,
    proxies: TrustedProxies,
    untrusted: Once,
}

/// Only this machine is named, nobody speaks for others, and all may be wrong as often as they like.
impl Default for Callers {
    fn default() -> Self {
        Self::new(None, Vec::new(), TrustedProxies::default(), 0)
    }
}

impl Callers {
    /// The server may be named by the host of its public address and by these, and each address may send
    /// so many unknown keys in a minute.
    pub(in crate::server) fn new(
        public_url: Option<&PublicUrl>,
        allowed: Vec<AllowedHost>,
        proxies: TrustedProxies,
        unknown_keys_per_minute: u32,
    ) -> Self {
        let public = public_url.and_then(|url| url.host().parse().ok());
        Self {
            hosts: allowed.into_iter().chain(public).collect(),
            unknown_keys: UnknownKeys::per_minute(unknown_keys_per_minute),
            foreign: Seldom::new(),
            proxies,
            untrusted: Once::new(),
        }
    }

    /// How often somebody was refused for what it sent, whatever it asked for, and why.
    pub(in crate::server) fn refused(&self) -> [(&'static str, u64); 3] {
        [
            ("unknown_key", self.unknown_keys.seen()),
            ("many_unknown_keys", self.unknown_keys.put_off()),
            ("foreign_host", self.foreign.total()),
        ]
    }

    /// Who sent this.
    pub(super) fn client<B>(&self, request: &Request<B>) -> Client {
        let connection = request.extensions().get();
        Client::of(
            connection,
            request.headers(),
            &self.proxies,
            &self.untrusted,
        )
    }
}
