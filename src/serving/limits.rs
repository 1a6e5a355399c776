//! What connections may cost.

use std::time::Duration;

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// How long a request's head may take to arrive, and a connection may idle.
    pub head_time: Duration,
    /// Largest head of a request in bytes; with a larger one, or more than 100 headers, which is
    /// hyper's own limit, it is refused with 431.
    pub head_size: usize,
    /// What is read from a connection at once, at most.
    pub buffer: usize,
    /// How long requests may take that were accepted before the end.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            head_time: Duration::from_secs(10),
            head_size: 32 * 1024,
            buffer: 64 * 1024,
            grace: Duration::from_secs(40),
        }
    }
}
