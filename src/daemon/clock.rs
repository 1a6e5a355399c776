//! Waits until somebody has set the clock: without a battery it is years behind, and every certificate looks
//! as if it were not valid yet.

use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use crate::agent;

/// What systemd's time service makes when it has set the clock, and what it has as long as it is there.
const SYNCHRONIZED: &str = "/run/systemd/timesync/synchronized";
const TIME_SERVICE: &str = "/run/systemd/timesync";

/// How often it is looked at, as long as that is waited for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits until the clock is set, at most this long.
pub(super) async fn set(patience: Duration) {
    let until = Instant::now() + patience;
    let mut is_told = false;
    while !is_set() && Instant::now() < until {
        if !is_told {
            is_told = true;
            tracing::info!(
                seconds = patience.as_secs(),
                "waiting for the clock to be set"
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Without a time service nobody says that it is set: then it is enough that it can be right.
fn is_set() -> bool {
    match Path::new(TIME_SERVICE).exists() {
        true => Path::new(SYNCHRONIZED).exists(),
        false => agent::can_clock_be_right(),
    }
}
