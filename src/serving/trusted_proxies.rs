//! Who may say on whose behalf it asks.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::peer::Peer;

/// Names whoever connects to the Unix socket.
const UNIX: &str = "unix";

/// Proxies that may say for whom they ask.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<TrustedProxy>);

/// Proxies at an address or in a network, or those on this machine that use the Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedProxy {
    /// Those in a network, which may be of one address.
    Network(IpNet),
    /// Those that connect to the Unix socket.
    Unix,
}

/// A text that is no [`TrustedProxy`].
#[derive(Debug, thiserror::Error)]
#[error("it is neither an IP address, a network as 10.0.0.0/8, nor unix")]
pub struct TrustedProxyError;

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    fn from_str(text: &str) -> Result<Self, TrustedProxyError> {
        if text == UNIX {
            return Ok(Self::Unix);
        }
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse::<IpNet>());
        network.map(Self::Network).map_err(|_| TrustedProxyError)
    }
}

impl FromIterator<TrustedProxy> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = TrustedProxy>>(proxies: I) -> Self {
        Self(proxies.into_iter().collect())
    }
}

impl TrustedProxies {
    /// Whether what this one says of its callers is believed.
    pub fn contains(&self, peer: Peer) -> bool {
        self.0.iter().any(|proxy| match (proxy, peer) {
            // An IPv4 caller of a socket for both has an IPv6 address.
            (TrustedProxy::Network(network), Peer::Address(address)) => {
                network.contains(&address.to_canonical())
            }
            (TrustedProxy::Unix, Peer::Local) => true,
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_trusted_by_its_address_its_network_or_its_socket() {
        let proxies = ["10.1.2.3", "192.168.0.0/16", "fd00::/8"];
        let proxies: TrustedProxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let at = |address: &str| Peer::Address(address.parse().unwrap());
        for trusted in ["10.1.2.3", "::ffff:10.1.2.3", "192.168.7.7", "fd12::1"] {
            assert!(proxies.contains(at(trusted)), "{trusted}");
        }
        for other in ["10.1.2.4", "192.169.0.1", "fe80::1", "::1"] {
            assert!(!proxies.contains(at(other)), "{other}");
        }
        assert!(!proxies.contains(Peer::Local));
        let unix: TrustedProxies = [TrustedProxy::Unix].into_iter().collect();
        assert!(unix.contains(Peer::Local));
        assert!(!unix.contains(at("127.0.0.1")));
    }

    #[test]
    fn what_names_no_address_is_refused() {
        for text in [
            "",
            "proxy.example",
            "10.0.0.0/33",
            "10.0.0",
            "10.0.0.1:80",
            "Unix",
        ] {
            assert!(text.parse::<TrustedProxy>().is_err(), "{text}");
        }
    }
}
