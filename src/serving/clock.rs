//! A clock that shows a time before 1970: the HTTP library can't write it, and would panic.

use std::io;
use std::time::SystemTime;

use tokio::io::{AsyncRead, AsyncWrite};

use super::refusal;
use crate::seldom::Seldom;

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    content-length: 41\r\n\
    retry-after: 60\r\n\
    connection: close\r\n\
    \r\n\
    {\"detail\":\"The server's clock is wrong.\"}";

static WRONG: Seldom = Seldom::new();

/// Whether requests can be answered at the time that the clock shows.
pub(super) fn is_fit() -> bool {
    SystemTime::now() >= SystemTime::UNIX_EPOCH
}

/// How often somebody was told to come back.
#[cfg(feature = "server")]
pub(super) fn refused() -> u64 {
    WRONG.total()
}

/// Tells the caller to come back once the clock is set.
pub(super) async fn refuse(stream: impl AsyncRead + AsyncWrite + Unpin + Send) -> io::Result<()> {
    WRONG.count(|times| {
        tracing::error!(
            times,
            "this machine's clock shows a time before 1970; until it is set, requests are refused"
        );
    });
    refusal::refuse(stream, REFUSAL).await
}
