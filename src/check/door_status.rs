//! What the running agent says of the device, asked at its doors.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// A door answers this of memory.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST: u64 = 64 * 1024;

/// What a door may tell, at whatever depth.
const KNOWN: [&str; 27] = [
    "version",
    "software",
    "state",
    "online",
    "last_contact",
    "pending",
    "server",
    "organizer",
    "device_id",
    "unique_serial",
    "name",
    "gate",
    "id",
    "identifier",
    "security_profile",
    "server_version",
    "event_selection",
    "as_of",
    "selected",
    "event",
    "slug",
    "subevent",
    "checkinlist",
    "problem",
    "warning",
    "kind",
    "detail",
];

/// What the doors said.
#[derive(Default)]
pub(super) struct Asked {
    /// The answer of the first that gave one.
    pub(super) status: Option<Value>,
    /// Those that gave none, and why.
    pub(super) silent: Vec<(PathBuf, io::Error)>,
}

/// Asks at every door.
pub(super) async fn ask(doors: &[PathBuf]) -> Asked {
    let mut asked = Asked::default();
    for door in doors {
        let answered = tokio::time::timeout(PATIENCE, ask_at(door)).await;
        let late = || {
            let words = format!("no answer within {} s", PATIENCE.as_secs());
            io::Error::new(io::ErrorKind::TimedOut, words)
        };
        match answered.unwrap_or_else(|_| Err(late())) {
            Ok(status) => {
                asked.status.get_or_insert(known(status));
            }
            Err(error) => asked.silent.push((door.clone(), error)),
        }
    }
    asked
}

async fn ask_at(door: &Path) -> io::Result<Value> {
    let mut stream = UnixStream::connect(door).await?;
    let request = b"GET /v1/status HTTP/1.1\r\nHost: door\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer).await?;
    let other = || io::Error::new(io::ErrorKind::InvalidData, "its answer is none of a door");
    let answer = String::from_utf8(answer).map_err(|_| other())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(other)?;
    match head.starts_with("HTTP/1.1 200 ") {
        true => serde_json::from_str(body).map_err(|_| other()),
        false => Err(other()),
    }
}

/// Without what a door does not tell.
fn known(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(name, _)| KNOWN.contains(&name.as_str()))
            .map(|(name, value)| (name, known(value)))
            .collect(),
        Value::Array(_) => Value::Null,
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_an_answer_only_what_a_door_tells_is_taken() {
        let answer = json!({
            "state": "enrolled",
            "api_key": "s3cret",
            "gate": {"name": "North", "token": "s3cret"},
            "problem": ["s3cret"],
        });
        let expected = json!({
            "state": "enrolled",
            "gate": {"name": "North"},
            "problem": null,
        });
        assert_eq!(known(answer), expected);
    }
}
