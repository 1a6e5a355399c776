//! A connection that was accepted, of one type: what serves it is compiled once.

use std::io;
use std::net::IpAddr;

use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

/// The first byte of TLS, and of no method.
const TLS_HANDSHAKE: u8 = 0x16;

/// A connection over the network, or from this machine.
pub(super) type Stream = Either<TcpStream, UnixStream>;

/// The address of ours that the other end has connected to, if it has one.
pub(super) fn local_address(stream: &Stream) -> Option<IpAddr> {
    match stream {
        Either::Left(stream) => stream.local_addr().ok().map(|address| address.ip()),
        Either::Right(_) => None,
    }
}

/// Whether what comes is the beginning of TLS, once something has come. It is left to be read.
pub(super) async fn begins_tls(stream: &Stream) -> io::Result<bool> {
    match stream {
        Either::Left(stream) => {
            let mut first = [0];
            match stream.peek(&mut first).await? {
                0 => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(first == [TLS_HANDSHAKE]),
            }
        }
        Either::Right(_) => Ok(true),
    }
}
