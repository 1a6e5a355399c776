//! Who asks: whoever is at the other end of the connection, or whom a trusted proxy asks for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Once;

use hyper::header::{HeaderMap, HeaderName};

use crate::serving::{Peer, TrustedProxies};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// The connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Connection {
    /// Who is at its other end.
    pub(in crate::server) peer: Peer,
    /// The address of ours that was connected to, if it has one.
    pub(in crate::server) reached: Option<IpAddr>,
    /// Whether it is by TLS.
    pub(in crate::server) is_secure: bool,
}

/// Who asks.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::server) struct Client {
    /// None over a Unix socket, unless a trusted proxy tells it.
    pub(in crate::server) address: Option<IpAddr>,
    /// The address of ours that was connected to.
    pub(super) reached: Option<IpAddr>,
    /// Whether a trusted proxy asks for it.
    pub(in crate::server) by_proxy: bool,
    /// Whether it, or the proxy, speaks TLS with us.
    is_secure: bool,
}

impl Client {
    /// Who sent this over a connection. What is said of it without being trusted is told once.
    pub(super) fn of(
        connection: Option<&Connection>,
        headers: &HeaderMap,
        proxies: &TrustedProxies,
        untrusted: &Once,
    ) -> Self {
        let Some(Connection {
            peer,
            reached,
            is_secure,
        }) = connection
        else {
            return Self::default();
        };
        let by_proxy = proxies.contains(*peer);
        let own = match peer {
            Peer::Address(address) => Some(*address),
            Peer::Local => None,
        };
        let address = match by_proxy {
            true => asked_for(own, headers, proxies),
            false => own,
        };
        if !by_proxy && !untrusted.is_completed() {
            let mut said = [FOR, HOST, PROTO, FORWARDED].into_iter();
            if let Some(header) = said.find(|name| headers.contains_key(name)) {
                untrusted.call_once(|| {
                    tracing::warn!(
                        %header,
                        from = own.map_or_else(|| "unix".to_owned(), |address| address.to_string()),
                        "what a proxy says of its callers is not believed, as it is not named with --trusted-proxy"
                    );
                });
            }
        }
        Self {
            address: address.map(|address| address.to_canonical()),
            reached: *reached,
            by_proxy,
            is_secure: *is_secure,
        }
    }

    /// The host that the client named to the proxy, if a trusted one tells it.
    pub(super) fn host<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        self.by_proxy.then(|| last(headers, &HOST)).flatten()
    }

    /// How the client speaks: as a trusted proxy tells, else as it does with us.
    pub(in crate::server) fn scheme(&self, headers: &HeaderMap) -> &'static str {
        let told = self.by_proxy.then(|| last(headers, &PROTO)).flatten();
        let is_https = told.map(|told| told.eq_ignore_ascii_case("https"));
        match is_https.unwrap_or(self.is_secure) {
            true => "https",
            false => "http",
        }
    }

    /// With whom it is counted: an IPv4 address, or the network that an IPv6 address is in. Those who
    /// have no address are one group, as behind any proxy that is not trusted.
    pub(in crate::server) fn group(&self) -> Vec<u8> {
        match self
            .address
            .and_then(|address| Peer::Address(address).network())
        {
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            Some(IpAddr::V6(address)) => address.octets().into_iter().take(8).collect(),
            None => Vec::new(),
        }
    }
}

/// The client that trusted proxies ask for: of all they name, the last that is no trusted proxy itself.
/// What is no address was not written by one.
fn asked_for(own: Option<IpAddr>, headers: &HeaderMap, proxies: &TrustedProxies) -> Option<IpAddr> {
    let mut client = own;
    for value in headers.get_all(FOR).iter().rev() {
        for named in value.to_str().unwrap_or_default().rsplit(',') {
            let Some(address) = address(named.trim()) else {
                return client;
            };
            client = Some(address);
            if !proxies.contains(Peer::Address(address)) {
                return client;
            }
        }
    }
    client
}

/// An address, which some write with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse().map(|with_port: SocketAddr| with_port.ip()));
    address.ok()
}

/// What the last proxy wrote, which is the one that is trusted.
fn last<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = value.rsplit(',').next().unwrap_or_default().trim();
    (!last.is_empty()).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(said: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn client(peer: Peer, trusted: &[&str], headers: &HeaderMap) -> Client {
        let proxies: TrustedProxies = trusted.iter().map(|text| text.parse().unwrap()).collect();
        let connection = Connection {
            is_secure: false,
            peer,
            reached: None,
        };
        Client::of(Some(&connection), headers, &proxies, &Once::new())
    }

    fn at(address: &str) -> Peer {
        Peer::Address(address.parse().unwrap())
    }

    #[test]
    fn the_client_is_the_last_that_is_no_trusted_proxy() {
        let trusted = ["10.0.0.0/8", "unix", "fd00::/8"];
        for (peer, said, expected) in [
            (at("10.0.0.1"), &["192.0.2.1"][..], Some("192.0.2.1")),
            (at("10.0.0.1"), &["6.6.6.6, 192.0.2.1"], Some("192.0.2.1")),
            (
                at("10.0.0.1"),
                &["6.6.6.6", "192.0.2.1, 10.0.0.2"],
                Some("192.0.2.1"),
            ),
            (at("10.0.0.1"), &["10.0.0.3, 10.0.0.2"], Some("10.0.0.3")),
            (at("10.0.0.1"), &["192.0.2.1:4711"], Some("192.0.2.1")),
            (at("fd00::1"), &["[2001:db8::1]:4711"], Some("2001:db8::1")),
            (at("fd00::1"), &["[2001:db8::1]"], Some("2001:db8::1")),
            (at("10.0.0.1"), &["::ffff:192.0.2.1"], Some("192.0.2.1")),
            (
                at("10.0.0.1"),
                &["6.6.6.6, unknown, 10.0.0.2"],
                Some("10.0.0.2"),
            ),
            (at("10.0.0.1"), &["6.6.6.6, "], Some("10.0.0.1")),
            (at("10.0.0.1"), &[], Some("10.0.0.1")),
            (at("192.0.2.9"), &["6.6.6.6"], Some("192.0.2.9")),
            (Peer::Local, &["192.0.2.1"], Some("192.0.2.1")),
            (Peer::Local, &[], None),
        ] {
            let said: Vec<_> = said.iter().map(|value| (FOR, *value)).collect();
            let client = client(peer, &trusted, &headers(&said));
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(client.address, expected, "{peer:?} {said:?}");
        }
    }

    #[test]
    fn host_and_scheme_are_what_a_trusted_proxy_wrote_last() {
        let said = headers(&[
            (HOST, "evil.example, tickets.example"),
            (PROTO, "http"),
            (PROTO, "HTTPS"),
        ]);
        let trusted = client(at("10.0.0.1"), &["10.0.0.1"], &said);
        assert_eq!(trusted.host(&said), Some("tickets.example"));
        assert_eq!(trusted.scheme(&said), "https");
        let other = client(at("10.0.0.2"), &["10.0.0.1"], &said);
        assert_eq!((other.host(&said), other.scheme(&said)), (None, "http"));
    }

    #[test]
    fn who_has_no_address_is_in_one_group_and_networks_are_told_apart() {
        let group = |address: &str| client(at(address), &[], &HeaderMap::new()).group();
        assert_eq!(group("192.0.2.1"), group("::ffff:192.0.2.1"));
        assert_ne!(group("192.0.2.1"), group("192.0.2.2"));
        assert_eq!(group("2001:db8::1"), group("2001:db8::2"));
        assert_ne!(group("2001:db8::1"), group("2001:db8:0:1::1"));
        let local = client(Peer::Local, &[], &HeaderMap::new()).group();
        assert_eq!(local, Client::default().group());
        assert_ne!(local, group("127.0.0.1"));
    }
}
