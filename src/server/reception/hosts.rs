//! The hosts that callers may name. Links repeat what was named, so that a name that is not ours would
//! send callers, with their keys, elsewhere.

use std::net::IpAddr;
use std::str::FromStr;

use hyper::Uri;
use hyper::header::{self, HeaderMap};
use url::Host;

use super::client::Client;
use super::refusal::Refusal;
use crate::server::public_url::PublicUrl;

/// A host that callers may name: a name, or an address, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost(Host);

/// A text that is no [`AllowedHost`].
#[derive(Debug, thiserror::Error)]
#[error(
    "it is no host: write a name as tickets.example or an IP address, without https:// and port"
)]
pub struct AllowedHostError;

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, AllowedHostError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let host = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => Host::Ipv4(address),
            Ok(IpAddr::V6(address)) => Host::Ipv6(address),
            Err(_) => Host::parse(text).map_err(|_| AllowedHostError)?,
        };
        match &host {
            Host::Domain(name) if name.is_empty() || name.contains('*') => Err(AllowedHostError),
            _ => Ok(Self(host)),
        }
    }
}

/// The hosts that callers may name besides this machine's own.
#[derive(Debug, Default)]
pub(in crate::server) struct AllowedHosts {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl FromIterator<AllowedHost> for AllowedHosts {
    fn from_iter<I: IntoIterator<Item = AllowedHost>>(hosts: I) -> Self {
        let mut allowed = Self::default();
        for AllowedHost(host) in hosts {
            match host {
                Host::Domain(name) => allowed.names.push(name),
                Host::Ipv4(address) => allowed.addresses.push(address.into()),
                Host::Ipv6(address) => allowed.addresses.push(IpAddr::from(address).to_canonical()),
            }
        }
        allowed
    }
}

impl AllowedHosts {
    /// Whether a caller that has connected to this address of ours may name this host, which may have a
    /// port.
    pub(super) fn allow(&self, named: &str, reached: Option<IpAddr>) -> bool {
        let Some(host) = without_port(named) else {
            return false;
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(host).parse::<IpAddr>() {
            let address = address.to_canonical();
            return address.is_loopback()
                || reached.is_some_and(|reached| reached.to_canonical() == address)
                || self.addresses.contains(&address);
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        name.eq_ignore_ascii_case("localhost")
            || self
                .names
                .iter()
                .any(|allowed| name.eq_ignore_ascii_case(allowed))
    }
}

/// The host of `host:port`.
fn without_port(named: &str) -> Option<&str> {
    let end = match named.starts_with('[') {
        true => named.find(']')? + 1,
        false => named.find(':').unwrap_or(named.len()),
    };
    let (host, port) = named.split_at_checked(end)?;
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    (is_whole && !host.is_empty()).then_some(host)
}

/// The host that a caller has named, to us or to a trusted proxy.
pub(in crate::server) fn named<'r>(
    uri: &'r Uri,
    headers: &'r HeaderMap,
    client: &Client,
) -> Result<Option<&'r str>, Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Refusal::Host("The request names its host more than once."));
    }
    let host = match host.map(|host| host.to_str()).transpose() {
        Ok(host) => host,
        Err(_) => return Err(Refusal::Host("The Host header can't be read.")),
    };
    let target = uri.authority().map(|authority| authority.as_str());
    if let (Some(host), Some(target)) = (host, target)
        && !host.eq_ignore_ascii_case(target)
    {
        return Err(Refusal::Host("The request names two hosts."));
    }
    Ok(client.host(headers).or(host).or(target))
}

/// The address under which callers reach this server: as it was configured, else as they wrote it, which was
/// let in as one of ours.
pub(in crate::server) fn base(
    public_url: Option<&PublicUrl>,
    uri: &Uri,
    headers: &HeaderMap,
    client: &Client,
) -> String {
    if let Some(url) = public_url {
        return url.to_string();
    }
    match named(uri, headers, client) {
        Ok(Some(host)) => format!("{}://{host}", client.scheme(headers)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(hosts: &[&str]) -> AllowedHosts {
        hosts.iter().map(|host| host.parse().unwrap()).collect()
    }

    #[test]
    fn named_may_be_this_machine_what_was_reached_and_what_is_allowed() {
        let hosts = allowed(&[
            "Tickets.example.",
            "münchen.example",
            "192.0.2.7",
            "2001:db8::7",
        ]);
        let reached = Some("::ffff:192.0.2.1".parse().unwrap());
        for named in [
            "localhost",
            "LOCALHOST:8345",
            "localhost.",
            "127.0.0.1",
            "127.9.9.9:1",
            "[::1]:8345",
            "[::ffff:127.0.0.1]",
            "192.0.2.1:80",
            "[::ffff:192.0.2.1]",
            "tickets.example",
            "TICKETS.example.:443",
            "xn--mnchen-3ya.example",
            "192.0.2.7",
            "[2001:db8::7]:",
        ] {
            assert!(hosts.allow(named, reached), "{named}");
        }
        for named in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "evil.localhost",
            "tickets.example.evil.example",
            "eviltickets.example",
            "tickets.example@evil.example",
            "evil.example@tickets.example",
            "tickets.example:80:90",
            "tickets.example:x",
            "tickets.example/",
            "tickets.example, evil.example",
            "[::1",
            "[::1]x",
            "192.0.2.2",
            "[2001:db8::8]",
            "0x7f.1",
            "a b",
        ] {
            assert!(!hosts.allow(named, reached), "{named}");
        }
        assert!(!hosts.allow("192.0.2.1", None));
    }

    #[test]
    fn what_is_no_host_is_not_allowed() {
        for text in [
            "",
            ".",
            "*",
            "*.example",
            "https://x.example",
            "x.example:443",
            "x.example/a",
            "u@x.example",
            "a b",
        ] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }
}
