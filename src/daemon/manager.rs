//! What the service manager is told. Where there is none, nobody is.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::shown;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager can't be told");
    }
}

pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

pub(super) fn status(words: &str) {
    tell(&[NotifyState::Status(&shown::line(words))]);
}

/// Shows the service manager that this goes on, if it wants to be shown, twice in the time it allows, as long as
/// `goes_on` says so.
pub(super) async fn watchdog(goes_on: impl Fn() -> bool) {
    let Some(time) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let every = (time / 2).max(Duration::from_millis(100));
    loop {
        if goes_on() {
            tell(&[NotifyState::Watchdog]);
        }
        tokio::time::sleep(every).await;
    }
}
