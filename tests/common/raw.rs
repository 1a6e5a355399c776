//! Requests byte by byte, as no client library sends them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// All that is answered to these bytes until the connection ends.
pub fn exchange(mut stream: impl Read + Write, bytes: &[u8]) -> String {
    // The server may have ended the connection before it had all of them.
    let _ = stream.write_all(bytes);
    let mut answers = Vec::new();
    match stream.read_to_end(&mut answers) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8(answers).unwrap(),
    }
}

/// The same at a server's host and port.
pub fn exchange_at(address: &str, bytes: &[u8]) -> String {
    exchange(TcpStream::connect(address).unwrap(), bytes)
}

/// The status of each answer.
pub fn statuses(answers: &str) -> Vec<u16> {
    let mut lines = answers.split("HTTP/1.1 ");
    lines.next();
    lines.map(|answer| answer[..3].parse().unwrap()).collect()
}
