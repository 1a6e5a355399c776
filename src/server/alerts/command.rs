//! Runs the command for an alert: with nothing of the environment, and no longer than it may take.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::alert::Alert;
use super::settings::AlertSettings;

/// Why an alert was perhaps not told.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error("it can't be started")]
    Start(#[source] io::Error),
    #[error("it can't be waited for")]
    Wait(#[source] io::Error),
    #[error("it has ended with {0}")]
    Failed(ExitStatus),
    #[error("it did not end within {} s, and was killed with all that it had started", .0.as_secs())]
    Late(Duration),
    #[error("the alert can't be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// The processes of a command; killed when dropped before it has ended.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Runs it with the alert on its standard input, and waits for its end.
pub(super) async fn run(settings: &AlertSettings, alert: &Alert) -> Result<(), CommandError> {
    let mut line = serde_json::to_vec(alert)?;
    line.push(b'\n');
    let mut child = Command::new(&settings.command)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(CommandError::Start)?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let mut group = Group(id.and_then(Pid::from_raw));
    let input = child.stdin.take();
    let told = async {
        if let Some(mut input) = input {
            // One that needs not know what it is may not read it.
            let _ = input.write_all(&line).await;
        }
        child.wait().await
    };
    let ended = match tokio::time::timeout(settings.time, told).await {
        Ok(ended) => ended.map_err(CommandError::Wait)?,
        Err(_) => return Err(CommandError::Late(settings.time)),
    };
    group.0 = None;
    match ended.success() {
        true => Ok(()),
        false => Err(CommandError::Failed(ended)),
    }
}
