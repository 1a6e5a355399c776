//! Who is at the other end of a connection.

use std::net::{IpAddr, Ipv6Addr};

/// The part of an IPv6 address that names a network, of which one machine may have all addresses.
const NETWORK: u128 = !(u64::MAX as u128);

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Someone at this address.
    Address(IpAddr),
    /// Someone on this machine, over a Unix socket; a proxy, most likely.
    Local,
}

impl Peer {
    /// Whom it counts as: an IPv4 address, or the network of 64 bits that an IPv6 address is in. Those
    /// who come over a Unix socket have no address, and count as one.
    pub fn network(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(match address.to_canonical() {
                IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
                address => address,
            }),
            Self::Local => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_address_counts_as_one_and_networks_are_told_apart() {
        let network = |address: &str| Peer::Address(address.parse().unwrap()).network();
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(Peer::Local.network(), None);
    }
}
