//! Callers that speak HTTP over sockets of their own, as well or badly as a test wants.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

/// How long something may take that must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Connects from an address of this machine, as another machine would from its own.
pub fn connect_from(from: [u8; 4], to: SocketAddr) -> TcpStream {
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    // Little is taken without being read.
    set_socket_recv_buffer_size(&socket, 4096).unwrap();
    bind(&socket, &SocketAddr::new(IpAddr::from(from), 0)).unwrap();
    connect(&socket, &to).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A request without a body over a connection that stays.
pub fn get(path: &str, credentials: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {credentials}\r\n\r\n")
}

/// The head of an initialization whose body is so long.
pub fn initialize_head(length: usize) -> String {
    format!(
        "POST /api/v1/device/initialize HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// The status and head of the next answer, whose body is read.
pub fn answer(stream: &mut TcpStream) -> io::Result<(u16, String)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1);
    let length = length.map_or(0, |rest| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    stream.read_exact(&mut vec![0; length])?;
    Ok((head[9..12].parse().unwrap(), head))
}

/// Sends a request and reads its answer's status.
pub fn ask(stream: &mut TcpStream, request: &str) -> io::Result<u16> {
    stream.write_all(request.as_bytes())?;
    Ok(answer(stream)?.0)
}

/// Whether the other end has closed the connection, with or without an error.
pub fn is_closed(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    match peeked {
        Ok(length) => length == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// Sends what is taken of this without waiting; whether the connection still stands.
pub fn push(mut stream: &TcpStream, bytes: &[u8]) -> bool {
    stream.set_nonblocking(true).unwrap();
    let sent = stream.write(bytes);
    sent.map_or_else(|error| error.kind() == ErrorKind::WouldBlock, |_| true)
}

/// Sends this over each again and again, until nothing more is taken of it, as nobody reads the answers.
pub fn stuff(streams: &[TcpStream], bytes: &[u8]) {
    let mut sent = vec![0; streams.len()];
    let mut quiet = 0;
    until("nothing more is taken", || {
        quiet += 1;
        for (mut stream, sent) in streams.iter().zip(&mut sent) {
            stream.set_nonblocking(true).unwrap();
            if let Ok(more @ 1..) = stream.write(&bytes[*sent..]) {
                *sent = (*sent + more) % bytes.len();
                quiet = 0;
            }
        }
        quiet > 30
    });
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
