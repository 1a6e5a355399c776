//! What connections may cost.

use std::time::Duration;

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once, as far as the system allows so many files.
    pub connections: usize,
    /// How long a request's head may take to arrive, and a connection may idle.
    pub head_time: Duration,
    /// Largest head of a request in bytes; with a larger one, or more than 100 headers, which is
    /// hyper's own limit, it is refused with 431.
    pub head_size: usize,
    /// What is read from a connection at once, at most.
    pub buffer: usize,
    /// How long a caller may take nothing of an answer.
    pub stall_time: Duration,
    /// How long a caller may take for the whole of an answer.
    pub taking_time: Duration,
    /// Bytes that all bodies in flight may hold together.
    pub body_memory: usize,
    /// Largest body of a caller that shows no valid credentials, in bytes.
    pub unknown_body: usize,
    /// How long to take to the end, once it is told to stop: what is not done by then is given up.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            head_time: Duration::from_secs(10),
            head_size: 32 * 1024,
            buffer: 32 * 1024,
            stall_time: Duration::from_secs(10),
            taking_time: Duration::from_secs(60),
            body_memory: 64 * 1024 * 1024,
            unknown_body: 32 * 1024,
            stop_time: Duration::from_secs(10),
        }
    }
}
