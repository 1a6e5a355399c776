//! A socket that takes connections.

use std::io;
use std::sync::Arc;

use rustix::net::sockopt;
use tokio::net::{TcpListener, UnixListener};

use super::activation::{PassedSocket, Socket};
use super::address::Address;
use super::channel::Secures;
use super::listen_error::ListenError;
use super::peer::Peer;
use super::stream::Stream;
use super::tls::{Tls, TlsError};
use super::unix_socket::{self, SocketFile};

/// A socket that takes connections.
pub struct Listener {
    socket: Accepting,
    address: Address,
    secures: Option<Arc<dyn Secures>>,
}

enum Accepting {
    Tcp(TcpListener),
    Unix {
        /// What is to be removed at the end, before the socket is closed and its inode another's; a
        /// passed socket's is not our own.
        _file: Option<SocketFile>,
        socket: UnixListener,
    },
}

impl Listener {
    /// Takes an address. The file of a Unix socket has this mode from its creation, and goes with the
    /// listener; that of a process that was killed is replaced.
    pub async fn bind(address: &Address, mode: u32) -> Result<Self, ListenError> {
        match address {
            Address::Tcp(wanted) => {
                let failed = |source| ListenError::Tcp {
                    address: *wanted,
                    source,
                };
                let socket = TcpListener::bind(wanted).await.map_err(failed)?;
                bound_buffers(&socket).map_err(failed)?;
                Ok(Self {
                    address: Address::Tcp(socket.local_addr().map_err(failed)?),
                    socket: Accepting::Tcp(socket),
                    secures: None,
                })
            }
            Address::Unix(path) => {
                let (socket, file) = unix_socket::bind(path, mode)?;
                let socket = UnixListener::from_std(socket);
                let socket = socket.map_err(|source| ListenError::Unix {
                    path: path.clone(),
                    source,
                })?;
                Ok(Self {
                    address: address.clone(),
                    socket: Accepting::Unix {
                        _file: Some(file),
                        socket,
                    },
                    secures: None,
                })
            }
        }
    }

    /// Takes over a socket that was passed. Its file is of whoever made it.
    pub fn passed(PassedSocket(socket): PassedSocket) -> Result<Self, ListenError> {
        let taken = match socket {
            Socket::Tcp(socket) => TcpListener::from_std(socket).and_then(|socket| {
                bound_buffers(&socket)?;
                let address = Address::Tcp(socket.local_addr()?);
                Ok((address, Accepting::Tcp(socket)))
            }),
            Socket::Unix(socket) => UnixListener::from_std(socket).and_then(|socket| {
                let address = socket.local_addr()?;
                let path = address
                    .as_pathname()
                    .unwrap_or_else(|| "(unnamed)".as_ref());
                let address = Address::Unix(path.to_owned());
                Ok((
                    address,
                    Accepting::Unix {
                        _file: None,
                        socket,
                    },
                ))
            }),
        };
        let (address, socket) = taken.map_err(ListenError::Passed)?;
        Ok(Self {
            socket,
            address,
            secures: None,
        })
    }

    /// The same for callers that speak TLS.
    pub fn with_tls(self, tls: Arc<Tls>) -> Result<Self, TlsError> {
        match self.is_a_file() {
            true => Err(TlsError::UnixSocket),
            false => Ok(Self {
                secures: Some(tls),
                ..self
            }),
        }
    }

    /// Whether callers speak TLS.
    pub fn is_secure(&self) -> bool {
        self.secures.is_some()
    }

    /// What secures the connections, if they are.
    pub(super) fn secures(&self) -> Option<&Arc<dyn Secures>> {
        self.secures.as_ref()
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Whether who connects needs the right to a file of this machine.
    pub fn is_a_file(&self) -> bool {
        matches!(self.socket, Accepting::Unix { .. })
    }

    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Accepting::Tcp(socket) => {
                let (stream, address) = socket.accept().await?;
                // Answers are small and written at once: waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Left(stream), Peer::Address(address.ip())))
            }
            Accepting::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                Ok((Stream::Right(stream), Peer::Local))
            }
        }
    }
}

/// Bounds what the system keeps for each connection that will be accepted, in bytes: it would let that
/// grow to megabytes for whoever sends much and reads nothing.
fn bound_buffers(socket: &TcpListener) -> io::Result<()> {
    const BUFFER: usize = 64 * 1024;
    sockopt::set_socket_send_buffer_size(socket, BUFFER)?;
    sockopt::set_socket_recv_buffer_size(socket, BUFFER)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_keeps_little_for_a_connection() {
        const MOST: usize = 256 * 1024;
        let listener = Listener::bind(&([127, 0, 0, 1], 0).into(), 0)
            .await
            .unwrap();
        let Address::Tcp(address) = listener.address() else {
            panic!("it has no port");
        };
        let _caller = tokio::net::TcpStream::connect(address).await.unwrap();
        let (Stream::Left(accepted), _) = listener.accept().await.unwrap() else {
            panic!("another socket");
        };
        assert!(sockopt::socket_send_buffer_size(&accepted).unwrap() <= MOST);
        assert!(sockopt::socket_recv_buffer_size(&accepted).unwrap() <= MOST);
    }
}
