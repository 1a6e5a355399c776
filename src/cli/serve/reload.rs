//! What SIGHUP has a server take over while it runs: its certificate, and how much it logs.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::level_filters::LevelFilter;

use crate::causes;
use crate::cli::error::CliError;
use crate::cli::log;
use crate::cli::settings::{Said, Taken};
use crate::serving::Tls;

/// What holds by now, with what the files of settings say.
pub(in crate::cli) struct Again {
    pub(in crate::cli) log: LevelFilter,
    pub(in crate::cli) said: Said,
}

/// Reads the files of settings anew; nothing if there are none.
pub(in crate::cli) type ReadAgain = fn() -> Result<Option<Again>, CliError>;

/// Hears SIGHUP from this call on, which would end the process otherwise.
pub(super) fn hang_ups() -> Option<Signal> {
    signal(SignalKind::hangup()).ok()
}

/// Takes over what can be with each SIGHUP. What needs a start is told.
pub(super) async fn at_each(
    hang_ups: Option<Signal>,
    tls: Option<Arc<Tls>>,
    read_again: ReadAgain,
) {
    let Some(mut hang_ups) = hang_ups else {
        return std::future::pending().await;
    };
    while hang_ups.recv().await.is_some() {
        let tls = tls.clone();
        // It reads files.
        let _ = tokio::task::spawn_blocking(move || {
            take_over(read_again);
            if let Some(tls) = tls {
                tls.read_again();
            }
        })
        .await;
    }
    std::future::pending().await
}

fn take_over(read_again: ReadAgain) {
    match read_again() {
        Ok(Some(again)) => {
            log::change_level(again.log);
            let waiting =
                Taken::by_this_process().map(|taken| taken.waits_for_a_start(&again.said));
            match waiting.filter(|waiting| !waiting.is_empty()) {
                Some(waiting) => tracing::warn!(
                    "the settings are read anew; what changed of {} holds once the server is started again",
                    waiting.join(", ")
                ),
                None => tracing::info!("the settings are read anew"),
            }
        }
        Ok(None) => {}
        Err(error) => {
            let words = std::iter::once(error.to_string()).chain(causes::of(&error));
            let words = words.collect::<Vec<_>>().join(": ");
            tracing::error!("the settings stay as they were, for they can't be read anew: {words}");
        }
    }
}
