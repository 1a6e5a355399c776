//! Tells somebody, by a command of theirs, that a device has fallen silent while something ran at its gate, and when
//! that has ended: each once, whichever server of a database it is.

mod alert;
mod command;
mod settings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::api::Sightings;
use super::event_selection::runs_since;
use super::store::{Store, StoreError};
use crate::causes;
use crate::seldom::Seldom;
use alert::Alert;
pub use settings::{AlertSettings, SILENT_AFTER};

/// Commands that run at once at most.
const AT_ONCE: usize = 4;
/// Commands that are begun in a minute at most. What is beyond is told in the next one, if it is still so.
const IN_A_MINUTE: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// What was last seen before that has not fallen silent now.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Looks for devices that fell silent, and tells of them.
pub(super) struct Alerts {
    settings: Arc<AlertSettings>,
    store: Arc<dyn Store>,
    sightings: Arc<Sightings>,
    failed: Seldom,
    late: Seldom,
}

/// How many commands may still be begun in this minute.
struct Budget {
    minute: Instant,
    left: usize,
}

impl Budget {
    fn take(&mut self) -> bool {
        if self.minute.elapsed() >= MINUTE {
            *self = Self::of_now();
        }
        self.left = match self.left.checked_sub(1) {
            Some(left) => left,
            None => return false,
        };
        true
    }

    fn of_now() -> Self {
        Self {
            minute: Instant::now(),
            left: IN_A_MINUTE,
        }
    }
}

impl Alerts {
    pub(super) fn new(
        settings: AlertSettings,
        store: Arc<dyn Store>,
        sightings: Arc<Sightings>,
    ) -> Self {
        Self {
            settings: Arc::new(settings),
            store,
            sightings,
            failed: Seldom::new(),
            late: Seldom::new(),
        }
    }

    /// Looks time and again. The commands that run end with it.
    pub(super) async fn run(self) {
        let (mut commands, mut budget) = (JoinSet::new(), Budget::of_now());
        loop {
            tokio::time::sleep(self.settings.interval).await;
            if let Err(error) = self.look(&mut commands, &mut budget).await {
                self.failed.count(|times| {
                    tracing::warn!(
                        times,
                        %error,
                        causes = ?causes::of(&error),
                        advice = error.advice(),
                        "it can't be looked which devices fell silent"
                    );
                });
            }
        }
    }

    async fn look(
        &self,
        commands: &mut JoinSet<()>,
        budget: &mut Budget,
    ) -> Result<(), StoreError> {
        for silence in self.store.ended_silences().await? {
            if !self.has_room(commands, budget).await {
                return Ok(());
            }
            if self.store.end_silence(&silence).await? {
                self.tell(Alert::end_of(&silence), commands);
            }
        }
        let now = Timestamp::now();
        let Some(latest) = self.latest(now) else {
            return Ok(());
        };
        let from = now.checked_sub(LONG_AGO).unwrap_or(Timestamp::MIN);
        let mut events = HashMap::new();
        for device in self.store.untold_silences(from, latest).await? {
            let Some(gate) = device.gate_row else {
                continue;
            };
            let of_organizer = match events.get(&device.organizer_row) {
                Some(events) => events,
                None => {
                    let all = self.store.organizer_events(device.organizer_row).await?;
                    events.entry(device.organizer_row).or_insert(all)
                }
            };
            // Most are looked at no further.
            if runs_since(now, device.seen, of_organizer, gate).is_none() {
                continue;
            }
            let own = self.store.accessible_events(device.row).await?;
            let Some((event, subevent)) = runs_since(now, device.seen, &own, gate) else {
                continue;
            };
            if !self.has_room(commands, budget).await {
                return Ok(());
            }
            if self.store.take_silence(&device).await? {
                self.tell(Alert::silent(&device, event, subevent, now), commands);
            }
        }
        Ok(())
    }

    /// Until when a device that is silent was seen last. Nobody is taken for silent whom this server could not have
    /// heard, as it was not there or could not note it.
    fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        let silent_after = self.settings.silent_after;
        if self.sightings.heard_since().elapsed() < silent_after {
            return None;
        }
        now.checked_sub(SignedDuration::try_from(silent_after).ok()?)
            .ok()
    }

    /// Whether another command may be begun in this minute, once one of those that run has ended; what is not begun is
    /// looked at again.
    async fn has_room(&self, commands: &mut JoinSet<()>, budget: &mut Budget) -> bool {
        while commands.try_join_next().is_some() {}
        while commands.len() >= AT_ONCE {
            // Each is bounded in time.
            commands.join_next().await;
        }
        let has_room = budget.take();
        if !has_room {
            self.late.count(|times| {
                tracing::warn!(
                    times,
                    "more devices fall silent, or are back, than the command for alerts is run for at once: the rest is told later"
                );
            });
        }
        has_room
    }

    fn tell(&self, alert: Alert, commands: &mut JoinSet<()>) {
        tracing::info!(
            organizer = alert.organizer(),
            device = alert.device_id(),
            kind = alert.kind(),
            "an alert is told"
        );
        let settings = Arc::clone(&self.settings);
        commands.spawn(async move {
            if let Err(error) = command::run(&settings, &alert).await {
                tracing::error!(
                    %error,
                    causes = ?causes::of(&error),
                    command = %settings.command.display(),
                    "the command for alerts has failed; this alert is not told again"
                );
            }
        });
    }
}
