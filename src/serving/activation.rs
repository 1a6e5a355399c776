//! The socket that a service manager made and passed on, as systemd's socket units do.

use std::io::{self, ErrorKind};
use std::{net, os::unix::net as unix};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

use super::listen_error::ListenError;

/// A listening socket that was passed by whoever started this process.
pub struct PassedSocket(pub(super) Socket);

pub(super) enum Socket {
    Tcp(net::TcpListener),
    Unix(unix::UnixListener),
}

impl PassedSocket {
    /// Takes the socket that `LISTEN_FDS` and `LISTEN_PID` tell of; none if they tell of none for this
    /// process. It can be taken once, and changes the environment: before there are other threads.
    pub fn take() -> Result<Option<Self>, ListenError> {
        let mut passed = ListenFd::from_env();
        match passed.len() {
            0 => Ok(None),
            1 => only(&mut passed).map(Some).map_err(ListenError::Passed),
            count => Err(ListenError::Several(count)),
        }
    }
}

fn only(passed: &mut ListenFd) -> io::Result<PassedSocket> {
    let taken = match passed.take_tcp_listener(0) {
        Ok(socket) => socket.map(Socket::Tcp),
        Err(_) => passed.take_unix_listener(0)?.map(Socket::Unix),
    };
    let socket = taken.ok_or(ErrorKind::NotFound)?;
    let listens = match &socket {
        Socket::Tcp(socket) => {
            socket.set_nonblocking(true)?;
            socket_acceptconn(socket)?
        }
        Socket::Unix(socket) => {
            socket.set_nonblocking(true)?;
            socket_acceptconn(socket)?
        }
    };
    match listens {
        true => Ok(PassedSocket(socket)),
        false => Err(io::Error::new(
            ErrorKind::InvalidInput,
            "nothing listens on it yet",
        )),
    }
}
