//! What the running agent says of the device, asked at one of its doors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// A door answers this of memory.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST: u64 = 64 * 1024;

/// The answer of the first door that gives one.
pub(super) async fn ask(doors: &[PathBuf]) -> Option<Value> {
    for door in doors {
        if let Ok(Some(status)) = tokio::time::timeout(PATIENCE, ask_at(door)).await {
            return Some(status);
        }
    }
    None
}

async fn ask_at(door: &Path) -> Option<Value> {
    let mut stream = UnixStream::connect(door).await.ok()?;
    let request = b"GET /v1/status HTTP/1.1\r\nHost: door\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.ok()?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8(answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let is_answered = head.starts_with("HTTP/1.1 200 ");
    serde_json::from_str(body).ok().filter(|_| is_answered)
}
