//! Who is at the other end of a connection.

use std::net::IpAddr;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Someone at this address.
    Address(IpAddr),
    /// Someone on this machine, over a Unix socket; a proxy, most likely.
    Local,
}
