//! A clock that shows a time before 1970: the HTTP library can't write it, and would panic.

use std::io;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::seldom::Seldom;

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: application/json\r\n\
    content-length: 41\r\n\
    retry-after: 60\r\n\
    connection: close\r\n\
    \r\n\
    {\"detail\":\"The server's clock is wrong.\"}";

static WRONG: Seldom = Seldom::new();

/// How much of the request is read, so that the refusal is an answer to it, and how long.
const READ: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether requests can be answered at the time that the clock shows.
pub(super) fn is_fit() -> bool {
    SystemTime::now() >= SystemTime::UNIX_EPOCH
}

/// Tells the caller to come back once the clock is set.
pub(super) async fn refuse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
) -> io::Result<()> {
    WRONG.count(|times| {
        tracing::error!(
            times,
            "this machine's clock shows a time before 1970; until it is set, requests are refused"
        );
    });
    // Some of it has to come, whatever it is; an end too early is its caller's.
    let _ = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 1024])).await;
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await?;
    let mut rest = stream.take(READ);
    let mut sink = tokio::io::sink();
    let drained = tokio::io::copy(&mut rest, &mut sink);
    // Whoever goes on sending has been told.
    let _ = tokio::time::timeout(PATIENCE, drained).await;
    Ok(())
}
