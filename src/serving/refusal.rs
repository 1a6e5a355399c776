//! Answers one that can't be served, whatever it asks, and closes its connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much of the request is read, so that the refusal is an answer to it, and how long.
const READ: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends an answer that is written already to whatever comes.
pub(super) async fn refuse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    answer: &[u8],
) -> io::Result<()> {
    // Some of it has to come, whatever it is; an end too early is its caller's.
    let _ = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 1024])).await;
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    let mut rest = stream.take(READ);
    let mut sink = tokio::io::sink();
    let drained = tokio::io::copy(&mut rest, &mut sink);
    // Whoever goes on sending has been told.
    let _ = tokio::time::timeout(PATIENCE, drained).await;
    Ok(())
}
